import COpenSSL
import Primitives
import TestSupport

/// A client over HTTP polling, right or wrong: it sends the bodies that a test tells it, each on its own connection.
final class PollingPeer {
    /// An answer: the identifier in its cookie, and its part of the stream.
    struct Answer: Equatable {
        let id: String
        let body: String
    }

    static let environment = ["HOLDFAST_POLLING_PATH": "/http-poll"]
    static let header =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' "
        + "version='1.0'>"

    let daemon: Daemon
    /// The session's identifier; `0` before it is known.
    private(set) var id = "0"
    /// The next keys, the next one last; empty for a client without keys.
    private var keys: [String] = []

    /// - Parameter keys: how many keys the chain has; 0 for no keys.
    init(_ daemon: Daemon, keys: Int = 0, seed: String = "foo") {
        self.daemon = daemon
        self.keys = Self.chain(seed, keys)
    }

    /// The keys K(1) to K(n) of a seed.
    static func chain(_ seed: String, _ count: Int) -> [String] {
        var keys: [String] = []
        var text = seed
        for _ in 0..<count {
            let bytes = Array(text.utf8)
            var hash = [UInt8](repeating: 0, count: 20)
            _ = SHA1(bytes, bytes.count, &hash)
            text = String(decoding: Base64.encode(hash.span), as: UTF8.self)
            keys.append(text)
        }
        return keys
    }

    /// The head of the next request: the identifier, and a key where there are keys. With the last key comes the first
    /// one of another chain.
    func head() -> String {
        guard let key = keys.popLast() else { return "\(id)," }
        guard keys.isEmpty, id != "0" else { return "\(id);\(key)," }
        keys = Self.chain("next" + key, 5)
        return "\(id);\(key);\(keys.removeLast()),"
    }

    /// Sends a whole body and reads the answer, which has what every answer has (`Q-04` to `Q-08`, `Q-42`).
    func post(_ body: String, _ fields: String...) throws -> Answer {
        let client = try daemon.connect()
        let fields = fields.map { $0 + "\r\n" }.joined()
        try client.send(
            "POST /http-poll?server=localhost HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, deflate\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\n\(fields)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try Self.read(from: client)
    }

    static func read(from client: RawClient, secure: String = "") throws -> Answer {
        let answer = try client.answer()
        guard answer.status == 200, answer.field("Content-Type") == "text/xml; charset=utf-8",
            answer.field("Connection") == "close", answer.field("Access-Control-Allow-Origin") == nil,
            answer.field("Content-Encoding") == nil, let cookie = answer.field("Set-Cookie"),
            cookie.hasPrefix("ID="), cookie.hasSuffix("; path=/http-poll; HttpOnly; SameSite=Strict\(secure)")
        else { throw TestFault("not as it should be: \(answer.head)") }
        guard try client.wire.readToEnd().isEmpty else { throw TestFault("more than one answer") }
        return Answer(id: String(cookie.dropFirst(3).prefix { $0 != ";" }), body: answer.body)
    }

    /// Sends the next part of the stream; returns the next part of the server's.
    func poll(_ xml: String = "") throws -> String {
        let answer = try post(head() + xml)
        guard id == "0" || answer.id == id else { throw TestFault("the identifier became \(answer.id)") }
        id = answer.id
        return answer.body
    }

    /// Polls until this has come; returns everything.
    func read(until text: String) throws -> String {
        var all = ""
        try Patience.wait("\(text) comes behind \(all)", pause: 20) {
            all += try poll()
            return all.contains(text)
        }
        return all
    }

    /// Opens the stream.
    func open(on server: ScriptedUpstream) throws -> ScriptedStream {
        let client = try daemon.connect()
        try client.send(RawClient.post(head() + Self.header, to: "/http-poll"))
        let stream = try server.accept()
        try stream.open()
        let answer = try Self.read(from: client)
        id = answer.id
        guard answer.body.hasPrefix("<?xml version='1.0'?><stream:stream ") else { throw TestFault(answer.body) }
        if !answer.body.contains("</stream:features>") { _ = try read(until: "</stream:features>") }
        return stream
    }

    /// Logs in and restarts the stream.
    func logIn(on stream: ScriptedStream) throws {
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        _ = try read(until: "<success ")
        let client = try daemon.connect()
        try client.send(RawClient.post(head() + "<?xml version='1.0'?>" + Self.header, to: "/http-poll"))
        try stream.open(features: "<stream:features/>")
        let answer = try Self.read(from: client)
        if !answer.body.contains("<stream:stream ") { _ = try read(until: "<stream:stream ") }
    }
}
