import Bridge
import DialogueScripts
import TestSupport

/// The servers of a script over sockets: what they do, what they must get, and that they get nothing else.
final class DialogueUpstream {
    let server: ScriptedUpstream
    /// The streams by their names in the script; the first one has an empty name.
    private var streams: [String: ScriptedStream] = [:]
    /// The streams on which the server has sent its header.
    private var opened: Set<String> = []
    /// The streams that the server refuses.
    private let unreachable: Set<String>
    /// The name of a features or error element in the script, and on the wire.
    private var aliases: [String: String] = [:]

    init(_ script: DialogueScript) throws {
        server = try ScriptedUpstream()
        unreachable = Set(script.lines.filter(\.isUnreachable).map { $0["on"] ?? "" })
    }

    /// The names on the wire of the payload of an `S` line.
    func wireNames(_ payload: String) -> [String] { topLevelNames(payload).map { aliases[$0] ?? $0 } }

    /// Has the server refuse the stream of this name, if the script says so. Called before the stream is asked for.
    func prepare(_ name: String = "") {
        if unreachable.contains(name) { server.stopListening() }
    }

    /// Checks that nothing has come that the script does not name.
    func expectSilence() throws {
        for (name, stream) in streams where try !stream.wire.isSilent {
            guard case .bytes(let bytes) = try stream.wire.receive() else { continue }
            throw TestFault("not expected on stream '\(name)': \(bytes.text)")
        }
    }

    /// Closes all connections.
    func close() {
        for stream in streams.values { stream.wire.close() }
    }

    // MARK: Inputs

    /// Plays a `U` line.
    func act(_ line: DialogueLine) throws {
        let name = line["on"] ?? ""
        let stream = try accepted(name)
        let names = topLevelNames(line.payload)
        switch line.plain.first {
        case "open":
            opened.insert(name)
            try stream.send(
                ScriptedStream.header(id: line["id"] ?? "s", version: line["version"] ?? "1.0") + features(line))
        case "features":
            try stream.send(ScriptedStream.header(id: "again") + features(line))
        case "login":
            guard names.count == 1 else { throw TestFault("a login without the server's element") }
            aliases[names[0]] = "success"
            try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        case "resumable":
            for name in names { try stream.send("<enabled xmlns='urn:xmpp:sm:3' id='\(name)' resume='true'/>") }
        case "managed":
            for name in names { try stream.send("<enabled xmlns='urn:xmpp:sm:3' id='\(name)'/>") }
        case "end":
            try end(name, stream, line)
        case nil:
            // The daemon returns such a stanza when nobody fetches it.
            try stream.send(names.map { "<message from='juliet@example.com/balcony' id='\($0)'/>" }.joined())
        default:
            throw TestFault("cannot be played")
        }
    }

    private func end(_ name: String, _ stream: ScriptedStream, _ line: DialogueLine) throws {
        if line.plain.last == "upstream-lost" {
            try stream.wire.reset()
            streams[name] = nil
            return
        }
        // Nothing else stands before the server's header, an error neither.
        if opened.insert(name).inserted { try stream.send(ScriptedStream.header()) }
        switch line.plain.last {
        case "upstream-closed":
            try stream.send("</stream:stream>")
        case "upstream-stream-error":
            for name in topLevelNames(line.payload) { aliases[name] = "stream:error" }
            try stream.send(
                "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
        default:
            throw TestFault("no such end")
        }
        // The script does not describe the daemon's own end of the stream.
        _ = try stream.wire.readToEnd()
        streams[name] = nil
    }

    private func features(_ line: DialogueLine) -> String {
        for name in topLevelNames(line.payload) { aliases[name] = "stream:features" }
        return ScriptedStream.features
    }

    /// The server's end of a stream whose header has been read.
    private func accepted(_ name: String) throws -> ScriptedStream {
        if let stream = streams[name] { return stream }
        guard name.isEmpty else { throw TestFault("no such stream") }
        let accepted = try server.accept()
        _ = try accepted.readHeader()
        streams[name] = accepted
        return accepted
    }

    // MARK: Expectations

    /// Checks an `F` line.
    func expect(_ line: DialogueLine) throws {
        let name = line["on"] ?? ""
        if line.plain.first == "open" {
            if unreachable.contains(name) { return }
            let stream = try server.accept()
            let header = try stream.readHeader()
            let expected = ["to='\(line["to"] ?? "")'"] + (line["lang"].map { ["xml:lang='\($0)'"] } ?? [])
            for attribute in expected where !header.contains(" \(attribute)") { throw TestFault("got \(header)") }
            streams[name] = stream
            return
        }
        let stream = try accepted(name)
        switch line.plain.first {
        case "restart":
            _ = try stream.readHeader()
        case "close":
            guard try stream.read(until: ">") == "</stream:stream>" else { throw TestFault("no end of the stream") }
        case "drop":
            guard try stream.wire.readToEnd() == "" else { throw TestFault("something before the drop") }
        case nil:
            for name in topLevelNames(line.payload) {
                let element = try stream.read(until: "/>")
                guard topLevelNames(element) == [name] else { throw TestFault("the server got \(element)") }
            }
        default:
            throw TestFault("cannot be played")
        }
    }

    /// Checks an `R` line.
    func expectReturn(_ line: DialogueLine) throws {
        let stream = try accepted(line["on"] ?? "")
        for name in topLevelNames(line.payload) {
            let element = try stream.read(until: "</message>")
            guard topLevelNames(element) == [name], element.contains(" type='error'"),
                element.contains(" to='juliet@example.com/balcony'"), element.contains("<recipient-unavailable ")
            else { throw TestFault("the server got \(element)") }
        }
    }
}
