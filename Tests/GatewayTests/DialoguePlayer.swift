import CLinux
import TestSupport

/// Plays a script against the program: its client's lines as HTTP requests, its server's lines on a scripted stream.
///
/// Behind every input the daemon has dealt with all there is, so an answer that the script does not name is found as well.
final class DialoguePlayer {
    private let server: ScriptedUpstream
    private let daemon: Daemon
    private let client: BOSHClient
    private var stream: ScriptedStream?
    /// The requests that were sent and neither answered nor aborted, the newest of each name.
    private var open: [String: BOSHRequest] = [:]
    private var aborted: Set<String> = []
    /// What the script calls a features or error element, and what it is called on the wire.
    private var aliases: [String: String] = [:]
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
        if script.lines.contains(where: { $0.kind == "U" && $0.words == ["end", "upstream-unreachable"] }) {
            server.stopListening()
        }
    }

    /// Plays one line.
    func play(_ line: DialogueScript.Line) throws {
        switch line.kind {
        case "P", "B": break
        case "C": try input { try send(line) }
        case "A": try input { try abort(line) }
        case "U" where line.words == ["end", "upstream-unreachable"]: break  // Refused since the beginning.
        case "U": try input { try actUpstream(line) }
        case "X": try input { stop() }
        case "S": try expectAnswer(line)
        case "F": try expectUpstream(line)
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
                throw TestFault("not expected: an answer to \(name), \(try request.answer())")
            }
        }
        guard let stream, try !stream.wire.isSilent else { return }
        guard case .bytes(let bytes) = try stream.wire.receive() else { return }
        throw TestFault("not expected by the server: \(bytes.text)")
    }

    private func input(_ act: () throws -> Void) throws {
        try finish()
        try act()
        if !isStopping { try daemon.settle() }
    }

    // MARK: Inputs

    private func send(_ line: DialogueScript.Line) throws {
        guard let name = line.words.first else { throw TestFault("a request without a name") }
        var attributes = client.sid.isEmpty ? "" : " sid='\(client.sid)'"
        for (key, value) in line.values {
            attributes +=
                key == "restart" ? " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='\(value)'" : " \(key)='\(value)'"
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
        switch line.words.first {
        case "open":
            let stream = try accepted()
            let id = line.values.first { $0.key == "id" }?.value ?? "s"
            try stream.send(ScriptedStream.header(id: id) + features(line))
        case "features":
            try accepted().send(ScriptedStream.header(id: "again") + features(line))
        case "resumable":
            try accepted().send("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>")
        case "end":
            try endUpstream(line)
        default:
            try accepted().send(line.payload)
        }
    }

    private func endUpstream(_ line: DialogueScript.Line) throws {
        switch line.words.last {
        case "upstream-lost":
            try accepted().wire.reset()
            stream = nil
        case "upstream-closed":
            try accepted().send("</stream:stream>")
        case "upstream-stream-error":
            for name in topLevelNames(line.payload) { aliases[name] = "stream:error" }
            try accepted().send(
                "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
            // Its own goodbye is no business of the script's.
            _ = try accepted().wire.readToEnd()
            stream = nil
        default:
            throw TestFault("no such end")
        }
    }

    private func features(_ line: DialogueScript.Line) -> String {
        for name in topLevelNames(line.payload) { aliases[name] = "stream:features" }
        return ScriptedStream.features
    }

    /// The server's end of the stream, its header read.
    private func accepted() throws -> ScriptedStream {
        if let stream { return stream }
        let accepted = try server.accept()
        _ = try accepted.readHeader()
        stream = accepted
        return accepted
    }

    // MARK: Expectations

    private func expectAnswer(_ line: DialogueScript.Line) throws {
        guard let name = line.words.first, !aborted.contains(name) else { return }
        guard let request = open.removeValue(forKey: name) else { throw TestFault("no such request") }
        let body = try request.answer()
        let words = line.words.dropFirst().filter { !$0.contains("=") }
        let kind = words.first ?? (line.payload.isEmpty ? "empty" : "")
        let fits =
            switch kind {
            case "empty": body.isEmpty
            case "create": body["sid"] != nil && !body.isTerminal
            case "error": body["type"] == "error"
            case "terminate": body.isTerminal && body.condition == line.values.first { $0.key == "condition" }?.value
            default: body["type"] == nil
            }
        guard fits else { throw TestFault("got \(body)") }
        if kind == "create" { try client.adopt(body) }
        let named = topLevelNames(line.payload).map { aliases[$0] ?? $0 }
        guard topLevelNames(body.payload) == named else { throw TestFault("got payload \(body.payload)") }
        // The shortest polling interval has no flag.
        for (key, value) in line.values where key != "polling" {
            let attribute = key == "version" ? "xmpp:version" : key
            guard body[attribute] == value else { throw TestFault("got \(key)=\(body[attribute] ?? "nothing")") }
        }
    }

    private func expectUpstream(_ line: DialogueScript.Line) throws {
        let stream = try accepted()
        switch line.words.first {
        case "restart":
            _ = try stream.readHeader()
        case "close":
            guard try stream.read(until: ">") == "</stream:stream>" else { throw TestFault("no end of the stream") }
        case "drop":
            guard try stream.wire.readToEnd() == "" else { throw TestFault("something before the drop") }
        default:
            for name in topLevelNames(line.payload) {
                let element = try stream.read(until: "/>")
                guard topLevelNames(element) == [name] else { throw TestFault("the server got \(element)") }
            }
        }
    }

    private func expectEnd(_ line: DialogueScript.Line) throws {
        let reason = line.words.first ?? ""
        guard isStopping else { return try daemon.wait(until: "sessions.ended.\(reason)", is: 1) }
        stream?.wire.close()
        guard try daemon.waitUntilEnded() == .code(0), try daemon.errors.contains("reason=\(reason)") else {
            throw TestFault("no end with \(reason)")
        }
    }
}
