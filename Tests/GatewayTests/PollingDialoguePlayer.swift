import DialogueScripts
import TestSupport

/// Plays a script of the door for HTTP polling: its client's lines become POSTs, each on its own connection.
final class PollingDialoguePlayer: ScriptPlayer {
    let upstream: DialogueUpstream
    let daemon: Daemon
    /// The session's identifier; `0` before it is known.
    private var identifier = "0"
    /// The requests that are sent and neither answered nor aborted, the newest of each name.
    private var open: [String: RawClient] = [:]
    private var aborted: Set<String> = []
    /// The last part of the stream that an answer brought.
    private var last = ""
    var hasEnded = false
    var isStopping = false

    init(_ script: DialogueScript) throws {
        upstream = try DialogueUpstream(script)
        var flags = ["--upstream", "127.0.0.1:\(upstream.server.port)"]
        let domains = script.lines.compactMap { $0.kind == "P" ? $0["domains"] : nil }.last ?? "example.org"
        for domain in domains.split(separator: ",") { flags += ["--domain", String(domain)] }
        // No request is answered for its time alone.
        let environment = PollingPeer.environment.merging(["HOLDFAST_POLLING_HOLD": "10000"]) { _, new in new }
        daemon = try Daemon(flags, environment: environment)
    }

    // MARK: Inputs

    func send(_ line: DialogueLine) throws {
        guard let name = line.words.first else { throw TestFault("a request without a name") }
        let words = line.plain.dropFirst()
        var body = line.pollingHead(identifier)
        if words.contains("open") {
            upstream.prepare()
            let names = ["to": "to", "lang": "xml:lang", "version": "version"]
            body += "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            body += line.values.compactMap { key, value in names[key].map { " \($0)='\(value)'" } }.joined() + ">"
        }
        body += topLevelNames(line.payload).map { "<message id='\($0)'/>" }.joined()
        if words.contains("malformed") { body += "<iq><a></b></iq>" }
        if words.contains("comment") { body += "<iq><!-- a comment --></iq>" }
        if words.contains("forbidden") { body += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" }
        if words.contains("close") { body += "</stream:stream>" }
        let client = try daemon.connect()
        try client.send(RawClient.post(body, to: "/http-poll"))
        open[name] = client
        aborted.remove(name)
    }

    func abort(_ line: DialogueLine) throws {
        guard let name = line.words.first, let request = open.removeValue(forKey: name) else {
            throw TestFault("no such request")
        }
        try request.wire.reset()
        aborted.insert(name)
    }

    // MARK: Expectations

    func expect(_ line: DialogueLine) throws {
        guard let name = line.words.first, !aborted.contains(name) else { return }
        guard let request = open.removeValue(forKey: name) else { throw TestFault("no such request") }
        let answer = try PollingPeer.read(from: request)
        if let error = line["error"] {
            guard answer == PollingPeer.Answer(id: error, body: "") else { throw TestFault("got \(answer)") }
            return
        }
        guard !answer.id.hasSuffix(":0"), identifier == "0" || answer.id == identifier else {
            throw TestFault("got \(answer)")
        }
        identifier = answer.id
        let words = line.plain.dropFirst()
        if words.contains("again") {
            guard answer.body == last else { throw TestFault("got \(answer) and not \(last) again") }
        }
        last = answer.body
        try expectStream(line, words, answer.body)
    }

    private func expectStream(_ line: DialogueLine, _ words: ArraySlice<String>, _ text: String) throws {
        var rest = Substring(text)
        let header = "<?xml version='1.0'?><stream:stream "
        var attributes: [String] = []
        let isOpen = rest.hasPrefix(header)
        if isOpen, let end = rest.dropFirst(header.count).firstIndex(of: ">") {
            attributes = DialogueLine.attributes(rest[..<end].dropFirst(header.count), quote: "'")
            rest = rest[end...].dropFirst()
        }
        let isClosed = rest.hasSuffix("</stream:stream>")
        if isClosed { rest = rest.dropLast("</stream:stream>".count) }
        if let condition = line["condition"] {
            let error =
                "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            guard rest.hasSuffix(error) else { throw TestFault("got \(text)") }
            rest = rest.dropLast(error.count)
        }
        guard isOpen == words.contains("open"), isClosed == words.contains("close"),
            text.isEmpty == words.contains("empty"), topLevelNames(String(rest)) == upstream.wireNames(line.payload)
        else { throw TestFault("got \(text)") }
        for (key, value) in line.values where key != "condition" {
            guard attributes.contains("\(key)=\(value)") else { throw TestFault("got \(text)") }
        }
        for word in words where word.hasPrefix("!") {
            guard !attributes.contains(where: { $0.hasPrefix(word.dropFirst() + "=") }) else {
                throw TestFault("got \(text)")
            }
        }
    }

    func expectSilence() throws {
        guard !open.isEmpty else { return }
        // An answer goes out 20 ms after its first bytes have come.
        Patience.pause(milliseconds: 25)
        try daemon.settle()
        for (name, request) in open {
            guard try request.wire.isSilent else {
                throw TestFault("not expected: an answer to \(name), \(try PollingPeer.read(from: request))")
            }
        }
    }
}
