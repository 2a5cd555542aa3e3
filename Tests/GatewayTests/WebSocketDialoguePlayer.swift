import DialogueScripts
import TestSupport

/// Plays a script of the WebSocket's door: its client's lines become frames on one WebSocket.
final class WebSocketDialoguePlayer: ScriptPlayer {
    let upstream: DialogueUpstream
    let daemon: Daemon
    private let peer: WebSocketPeer
    /// The pings that have come and that the script has not named. Time brings pings of its own.
    private var pings: [UInt32] = []
    /// A greeting that came before its turn, because the server of a busy machine is slow (`W-04`).
    private var greeting: String?
    private var awaitsGreeting = false
    /// The code with which the client has begun to close the socket.
    private var ownCode: UInt16?
    /// Whether nothing more can come over the socket.
    private var isOver = false
    var hasEnded = false
    var isStopping = false

    init(_ script: DialogueScript) throws {
        upstream = try DialogueUpstream(script)
        var flags = ["--upstream", "127.0.0.1:\(upstream.server.port)"]
        let domains = script.lines.compactMap { $0.kind == "P" ? $0["domains"] : nil }.last ?? "example.org"
        for domain in domains.split(separator: ",") { flags += ["--domain", String(domain)] }
        daemon = try Daemon(flags)
        peer = try WebSocketPeer(daemon)
    }

    // MARK: Inputs

    func send(_ line: DialogueLine) throws {
        if let number = line["pong"].flatMap({ UInt32($0) }) {
            let payload = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            return try peer.send(WebSocketPeer.frame(payload, opcode: 10))
        }
        switch line.plain {
        case ["open"], ["open", "foreign"]:
            upstream.prepare()
            awaitsGreeting = true
            try peer.send(Self.opening(line))
        case ["close"]:
            let attribute = line["see-other-uri"].map { " see-other-uri='\($0)'" } ?? ""
            try peer.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'\(attribute)/>")
        case ["space"]: try peer.send(" \n")
        case ["unqualified"]: try peer.send("<foreign/>")
        case ["malformed"]: try peer.send("<iq><a></iq>")
        case ["comment"]: try peer.send("<iq><!-- a comment --></iq>")
        case ["forbidden"]: try peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        case ["oversized"]:
            // The header of a text of 16 MiB, of which nothing follows.
            try peer.send([0x81, 0x80 | 127, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4])
        case ["binary"]: try peer.send(WebSocketPeer.frame(Array("<iq/>".utf8), opcode: 2))
        case ["latin"]: try peer.send(WebSocketPeer.frame(Array("<iq>".utf8) + [0xFC] + Array("</iq>".utf8)))
        case ["unmasked"]: try peer.send([0x81, 5] + Array("<iq/>".utf8))
        case [] where !line.payload.isEmpty:
            for name in topLevelNames(line.payload) { try peer.send("<message id='\(name)'/>") }
        default: throw TestFault("cannot be played")
        }
    }

    private static func opening(_ line: DialogueLine) -> String {
        let namespace = line.plain.contains("foreign") ? "urn:example:foreign" : "urn:ietf:params:xml:ns:xmpp-framing"
        let names = ["to": "to", "from": "from", "lang": "xml:lang"]
        var attributes = line.values.compactMap { key, value in names[key].map { " \($0)='\(value)'" } }
        attributes.append(" version='\(line["version"] ?? "1.0")'")
        return "<open xmlns='\(namespace)'\(attributes.joined())/>"
    }

    func abort(_ line: DialogueLine) throws {
        if let code = line["closed"].flatMap({ UInt16($0) }) {
            ownCode = code
            try peer.send(WebSocketPeer.close(code))
        } else if line.plain == ["lost"] {
            peer.wire.close()
            isOver = true
        } else {
            throw TestFault("cannot be played")
        }
    }

    // MARK: Expectations

    func expect(_ line: DialogueLine) throws {
        if let number = line["ping"].flatMap({ UInt32($0) }) { return try expectPing(number) }
        if line.plain == ["dropped"] {
            if !isOver, !(try peer.wire.readToEnd().isEmpty) { throw TestFault("something before the drop") }
            isOver = true
            return
        }
        let frame = try next()
        if case .close(let code) = frame {
            guard line["closed"] != nil || line.plain == ["closed"],
                code == line["closed"].map({ UInt16($0) }) ?? ownCode
            else { throw TestFault("got \(frame)") }
            isOver = true
            return
        }
        guard line["closed"] == nil else { throw TestFault("got \(frame)") }
        switch (line.plain.first, frame) {
        case ("open", .text(let text)):
            awaitsGreeting = false
            try expectGreeting(line, text)
        case ("close", .text(let text)):
            guard text == WebSocketPeer.goodbye else { throw TestFault("got \(text)") }
        case ("error", .text(let text)):
            let condition = line["condition"] ?? ""
            guard
                text == "<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\"><\(condition) "
                    + "xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
            else { throw TestFault("got \(text)") }
        case (nil, .text(let text)):
            guard !line.payload.isEmpty, topLevelNames(text) == upstream.wireNames(line.payload) else {
                throw TestFault("got \(text)")
            }
        default: throw TestFault("got \(frame)")
        }
    }

    private func expectGreeting(_ line: DialogueLine, _ text: String) throws {
        guard text.hasPrefix("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" "), text.hasSuffix("/>") else {
            throw TestFault("got \(text)")
        }
        let attributes = DialogueLine.attributes(text.dropLast(2), quote: "\"")
        // A greeting that did not wait for the server has another identifier.
        let isEarly = greeting != nil
        greeting = nil
        for word in line.words where word.contains("=") {
            guard attributes.contains(word) || isEarly && word.hasPrefix("id=") else { throw TestFault("got \(text)") }
        }
        for word in line.words where word.hasPrefix("!") {
            guard !attributes.contains(where: { $0.hasPrefix(word.dropFirst() + "=") }) else {
                throw TestFault("got \(text)")
            }
        }
    }

    private func expectPing(_ number: UInt32) throws {
        while !pings.contains(number) {
            guard case .ping(let payload) = try peer.next() else { throw TestFault("no ping \(number)") }
            pings.append(Self.number(of: payload))
        }
        pings.removeAll { $0 == number }
    }

    /// The next frame that is no ping.
    private func next() throws -> WebSocketPeer.Frame {
        if let greeting { return .text(greeting) }
        while true {
            let frame = try peer.next()
            guard case .ping(let payload) = frame else { return frame }
            pings.append(Self.number(of: payload))
        }
    }

    private static func number(of payload: [UInt8]) -> UInt32 { payload.reduce(0) { $0 << 8 | UInt32($1) } }

    func expectSilence() throws {
        while !isOver, greeting == nil, try !peer.wire.isSilent {
            switch try peer.next() {
            case .ping(let payload): pings.append(Self.number(of: payload))
            case .text(let text) where awaitsGreeting && text.hasPrefix("<open "): greeting = text
            case let frame: throw TestFault("not expected: \(frame)")
            }
        }
    }

    func sayGoodbye() throws { try peer.send(WebSocketPeer.close(1000)) }
}
