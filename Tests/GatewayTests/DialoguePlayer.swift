import DialogueScripts
import TestSupport

/// Plays a script of BOSH: its client's lines become HTTP requests, its servers' lines go over scripted streams.
final class DialoguePlayer: ScriptPlayer {
    let upstream: DialogueUpstream
    let daemon: Daemon
    private let client: BOSHClient
    private let isLegacy: Bool
    /// The names of streams on the wire by their names in the script, as far as the client has learned them.
    private var streamNames: [String: String] = [:]
    /// The requests that are sent and neither answered nor aborted, the newest of each name.
    private var open: [String: BOSHRequest] = [:]
    private var aborted: Set<String> = []
    private var creationRID = ""
    var hasEnded = false
    var isStopping = false

    init(_ script: DialogueScript) throws {
        upstream = try DialogueUpstream(script)
        var settings = ["max-wait": "60", "max-hold": "3", "inactivity": "30", "domains": "example.org"]
        for line in script.lines where line.kind == "P" {
            for (key, value) in line.values { settings[key] = value }
        }
        var flags = ["--upstream", "127.0.0.1:\(upstream.server.port)"]
        for (key, value) in settings {
            for value in value.split(separator: ",") {
                flags += [key == "domains" ? "--domain" : "--\(key)", String(value)]
            }
        }
        daemon = try Daemon(flags)
        client = BOSHClient(daemon)
        isLegacy = script.isLegacy
    }

    // MARK: Inputs

    func send(_ line: DialogueLine) throws {
        guard let name = line.plain.first else { throw TestFault("a request without a name") }
        if creationRID.isEmpty { creationRID = line["rid"] ?? "?" }
        let asked = creationRID == line["rid"] ? "" : line["rid"] ?? ""
        upstream.prepare(asked)
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
        let content = line.plain.contains("malformed") ? "<a></b>" : line.payload
        open[name] = try client.send(
            text: "<body xmlns='http://jabber.org/protocol/httpbind'\(attributes)>\(content)</body>")
        aborted.remove(name)
    }

    func abort(_ line: DialogueLine) throws {
        guard let name = line.plain.first, let request = open.removeValue(forKey: name) else {
            throw TestFault("no such request")
        }
        request.abort()
        aborted.insert(name)
    }

    // MARK: Expectations

    func expect(_ line: DialogueLine) throws {
        guard let name = line.plain.first, !aborted.contains(name) else { return }
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
        let words = line.plain.dropFirst().filter { !$0.hasPrefix("!") }
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
        let named = upstream.wireNames(line.payload)
        guard topLevelNames(body.payload) == named else { throw TestFault("got payload \(body.payload)") }
        try expectAttributes(line, of: body, in: answer)
    }

    /// The HTTP status that tells a legacy client of its end (`T-10`). After the session the daemon no longer knows
    /// that the client was a legacy one.
    private func legacyStatus(_ line: DialogueLine) -> Int? {
        guard isLegacy, !hasEnded, line.plain.contains("terminate"), let condition = line["condition"] else {
            return nil
        }
        return ["bad-request": 400, "policy-violation": 403, "item-not-found": 404][condition]
    }

    private func expectAttributes(_ line: DialogueLine, of body: BOSHBody, in answer: HTTPAnswer) throws {
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
        let isCreation = line.plain.contains("create")
        for key in ["stream", "report", "time"] where !isCreation && line[key] == nil {
            guard body[key] == nil else { throw TestFault("got \(body)") }
        }
        for word in line.plain where word.hasPrefix("!") {
            let isAbsent =
                word == "!content"
                ? answer.field("Content-Type") == "text/xml; charset=utf-8" : body[String(word.dropFirst())] == nil
            guard isAbsent else { throw TestFault("got \(body)") }
        }
    }

    func expectSilence() throws {
        for (name, request) in open {
            guard try request.isHeld else {
                throw TestFault("not expected: an answer to \(name), \(try request.httpAnswer().body)")
            }
        }
    }
}
