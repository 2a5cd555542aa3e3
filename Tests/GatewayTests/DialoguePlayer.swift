import CLinux
import TestSupport

/// Plays a script against the program: its client's lines become HTTP requests, its servers' lines go over scripted
/// streams.
///
/// After each input the player waits until the daemon has handled everything, so it also finds an answer that the
/// script does not name.
final class DialoguePlayer {
    private let server: ScriptedUpstream
    private let daemon: Daemon
    private let client: BOSHClient
    private let isLegacy: Bool
    /// The streams by their names in the script; the first one has an empty name.
    private var streams: [String: ScriptedStream] = [:]
    /// The names of streams on the wire by their names in the script, as far as the client has learned them.
    private var streamNames: [String: String] = [:]
    /// The streams that the server refuses.
    private let unreachable: Set<String>
    /// The requests that are sent and neither answered nor aborted, the newest of each name.
    private var open: [String: BOSHRequest] = [:]
    private var aborted: Set<String> = []
    /// The name of a features or error element in the script, and on the wire.
    private var aliases: [String: String] = [:]
    private var creationRID = ""
    private var hasEnded = false
    private var isStopping = false

    init(_ script: DialogueScript) throws {
        server = try ScriptedUpstream()
        var settings = ["max-wait": "60", "max-hold": "3", "inactivity": "30", "domains": "example.org"]
        for line in script.lines where line.kind == "P" {
            for (key, value) in line.values { settings[key] = value }
        }
        var flags = ["--upstream", "127.0.0.1:\(server.port)"]
        for (key, value) in settings {
            for value in value.split(separator: ",") {
                flags += [key == "domains" ? "--domain" : "--\(key)", String(value)]
            }
        }
        daemon = try Daemon(flags)
        client = BOSHClient(daemon)
        isLegacy = script.isLegacy
        unreachable = Set(script.lines.filter(\.isUnreachable).map { $0["on"] ?? "" })
    }

    /// Plays one line.
    func play(_ line: DialogueScript.Line) throws {
        switch line.kind {
        case "P", "B": break
        case "C": try input { try send(line) }
        case "A": try input { try abort(line) }
        case "U" where line.isUnreachable: break  // Refused since the request that asked for it.
        case "U": try input { try actUpstream(line) }
        case "X": try input { stop() }
        case "S": try expectAnswer(line)
        case "F": try expectUpstream(line)
        case "R": try expectReturn(line)
        case "E": try expectEnd(line)
        default: throw TestFault("cannot be read")
        }
    }

    /// Checks that nothing happened that the script does not name.
    func finish() throws {
        guard !isStopping else { return }
        try daemon.settle()
        for (name, request) in open {
            guard try request.isHeld else {
                throw TestFault("not expected: an answer to \(name), \(try request.httpAnswer().body)")
            }
        }
        for (name, stream) in streams where try !stream.wire.isSilent {
            guard case .bytes(let bytes) = try stream.wire.receive() else { continue }
            throw TestFault("not expected on stream '\(name)': \(bytes.text)")
        }
    }

    private func input(_ act: () throws -> Void) throws {
        try finish()
        try act()
        if !isStopping { try daemon.settle() }
    }

    // MARK: Inputs

    private func send(_ line: DialogueScript.Line) throws {
        guard let name = line.words.first else { throw TestFault("a request without a name") }
        if creationRID.isEmpty { creationRID = line["rid"] ?? "?" }
        let asked = creationRID == line["rid"] ? "" : line["rid"] ?? ""
        if unreachable.contains(asked) { server.stopListening() }
        var attributes = client.sid.isEmpty ? "" : " sid='\(client.sid)'"
        for (key, value) in line.values {
            switch key {
            case "restart": attributes += " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='\(value)'"
            case "lang": attributes += " xml:lang='\(value)'"
            case "key", "newkey": attributes += " \(key)='\(SequenceKey.named(value))'"
            case "stream": attributes += " stream='\(streamNames[value] ?? value)'"
            default: attributes += " \(key)='\(value)'"
            }
        }
        let content = line.words.contains("malformed") ? "<a></b>" : line.payload
        open[name] = try client.send(
            text: "<body xmlns='http://jabber.org/protocol/httpbind'\(attributes)>\(content)</body>")
        aborted.remove(name)
    }

    private func abort(_ line: DialogueScript.Line) throws {
        guard let name = line.words.first, let request = open.removeValue(forKey: name) else {
            throw TestFault("no such request")
        }
        request.abort()
        aborted.insert(name)
    }

    private func stop() {
        isStopping = true
        daemon.send(SIGTERM)
    }

    private func actUpstream(_ line: DialogueScript.Line) throws {
        let name = line["on"] ?? ""
        let stream = try accepted(name)
        switch line.words.first {
        case "open":
            try stream.send(
                ScriptedStream.header(id: line["id"] ?? "s", version: line["version"] ?? "1.0") + features(line))
        case "features":
            try stream.send(ScriptedStream.header(id: "again") + features(line))
        case "resumable":
            for name in topLevelNames(line.payload) {
                try stream.send("<enabled xmlns='urn:xmpp:sm:3' id='\(name)' resume='true'/>")
            }
        case "managed":
            for name in topLevelNames(line.payload) { try stream.send("<enabled xmlns='urn:xmpp:sm:3' id='\(name)'/>") }
        case "end":
            try end(name, stream, line)
        case nil:
            // The daemon returns such a stanza when nobody fetches it.
            try stream.send(
                topLevelNames(line.payload).map { "<message from='juliet@example.com/balcony' id='\($0)'/>" }.joined())
        default:
            throw TestFault("cannot be read")
        }
    }

    private func end(_ name: String, _ stream: ScriptedStream, _ line: DialogueScript.Line) throws {
        switch line.words.last {
        case "upstream-lost":
            try stream.wire.reset()
            streams[name] = nil
            return
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

    private func features(_ line: DialogueScript.Line) -> String {
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

    private func expectAnswer(_ line: DialogueScript.Line) throws {
        guard let name = line.words.first, !aborted.contains(name) else { return }
        guard let request = open.removeValue(forKey: name) else { throw TestFault("no such request") }
        let answer = try request.httpAnswer()
        if let status = legacyStatus(line) {
            guard answer.status == status, answer.body.isEmpty else {
                throw TestFault("got \(answer.status): \(answer.body)")
            }
            return
        }
        guard answer.status == 200 else { throw TestFault("got \(answer.status): \(answer.body)") }
        let body = try BOSHBody(answer.body)
        let words = line.words.dropFirst().filter { !$0.hasPrefix("!") }
        let kind = words.first ?? ""
        let fits =
            switch kind {
            case "empty": body.payload.isEmpty && body["type"] == nil
            case "create": body["sid"] != nil && !body.isTerminal
            case "error": body["type"] == "error"
            case "terminate": body.isTerminal && body.condition == line["condition"]
            default: body["type"] == nil
            }
        guard fits, (body["sid"] != nil) == (kind == "create") else { throw TestFault("got \(body)") }
        if kind == "create" {
            try client.adopt(body)
            streamNames[creationRID] = body["stream"]
        }
        let named = topLevelNames(line.payload).map { aliases[$0] ?? $0 }
        guard topLevelNames(body.payload) == named else { throw TestFault("got payload \(body.payload)") }
        try expectAttributes(line, of: body, in: answer)
    }

    /// The HTTP status that tells a legacy client of its end (`T-10`). After the session the daemon no longer knows
    /// that the client was a legacy one.
    private func legacyStatus(_ line: DialogueScript.Line) -> Int? {
        guard isLegacy, !hasEnded, line.words.contains("terminate"), let condition = line["condition"] else {
            return nil
        }
        return ["bad-request": 400, "policy-violation": 403, "item-not-found": 404][condition]
    }

    private func expectAttributes(_ line: DialogueScript.Line, of body: BOSHBody, in answer: HTTPAnswer) throws {
        for (key, value) in line.values {
            let actual: String?
            switch key {
            // The shortest polling interval has no flag, and the interval that a polling client gets depends on it.
            case "polling": continue
            case "inactivity" where line["polling"] != nil: continue
            case "version": actual = body["xmpp:version"]
            case "content": actual = answer.field("Content-Type")
            case "stream":
                // The client learns of it for the first time.
                if streamNames[value] == nil, let new = body["stream"], !streamNames.values.contains(new) {
                    streamNames[value] = new
                }
                actual = body["stream"].flatMap { name in streamNames.first { $0.value == name }?.key }
            default: actual = body[key]
            }
            guard actual == value else { throw TestFault("got \(key)=\(actual ?? "nothing")") }
        }
        let isCreation = line.words.contains("create")
        for key in ["stream", "report", "time"] where !isCreation && line[key] == nil {
            guard body[key] == nil else { throw TestFault("got \(body)") }
        }
        for word in line.words where word.hasPrefix("!") {
            let isAbsent =
                word == "!content"
                ? answer.field("Content-Type") == "text/xml; charset=utf-8" : body[String(word.dropFirst())] == nil
            guard isAbsent else { throw TestFault("got \(body)") }
        }
    }

    private func expectUpstream(_ line: DialogueScript.Line) throws {
        let name = line["on"] ?? ""
        if line.words.first == "open" {
            if unreachable.contains(name) { return }
            let stream = try server.accept()
            let header = try stream.readHeader()
            let expected = ["to='\(line["to"] ?? "")'"] + (line["lang"].map { ["xml:lang='\($0)'"] } ?? [])
            for attribute in expected where !header.contains(" \(attribute)") { throw TestFault("got \(header)") }
            streams[name] = stream
            return
        }
        let stream = try accepted(name)
        switch line.words.first {
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
            throw TestFault("cannot be read")
        }
    }

    private func expectReturn(_ line: DialogueScript.Line) throws {
        let stream = try accepted(line["on"] ?? "")
        for name in topLevelNames(line.payload) {
            let element = try stream.read(until: "</message>")
            guard topLevelNames(element) == [name], element.contains(" type='error'"),
                element.contains(" to='juliet@example.com/balcony'"), element.contains("<recipient-unavailable ")
            else { throw TestFault("the server got \(element)") }
        }
    }

    private func expectEnd(_ line: DialogueScript.Line) throws {
        hasEnded = true
        let reason = line.words.first ?? ""
        guard isStopping else { return try daemon.wait(until: "sessions.ended.\(reason)", is: 1) }
        for stream in streams.values { stream.wire.close() }
        guard try daemon.waitUntilEnded() == .code(0), try daemon.errors.contains("reason=\(reason)") else {
            throw TestFault("no end with \(reason)")
        }
    }
}
