import DialogueScripts
import Testing

/// The scripts of Tests/Dialogues/WebSocket, played against the session core.
@Suite struct DialogueTests {
    @Test("a script holds", arguments: try DialogueScript.all(of: .webSocket))
    func holds(script: DialogueScript) {
        if let fault = script.fault(on: WebSocketStage()) { Issue.record("\(fault)") }
    }

    @Test(
        "a script fails when one of its expectations is left out or changed",
        arguments: try DialogueScript.all(of: .webSocket))
    func asserts(script: DialogueScript) {
        for spoiled in script.spoiled where spoiled.fault(on: WebSocketStage()) == nil {
            Issue.record("holds as well:\n\(spoiled.lines.map(\.description).joined(separator: "\n"))")
        }
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        #expect(try DialogueScript.all(of: .webSocket).count >= 40)
    }

    @Test(
        "the runner notices what does not hold",
        arguments: [
            ("S: open id=s <f/>", "expected S: open id=s <f/>, got S: open"),
            ("S: open id=t\nS: <f/>", "expected S: open id=t, got S: open"),
            ("S: open !id\nS: <f/>", "expected S: open !id, got S: open"),
            ("S: open\nS: <g/>", "expected S: <g/>, got S: <f/>"),
            ("S: open", "not expected at the end: S: <f/>"),
            ("S: open\nS: <f/>\nS: close", "expected S: close, nothing happened"),
            ("C: close\nS: close", "not expected before this line: S: open"),
            ("S: open\nS: <f/>\nC: binary\nF: close\nS: closed=1007\nE: malformed-frame", "got S: closed=1003"),
            ("S: open\nS: <f/>\nC: binary\nF: close\nS: closed\nE: malformed-frame", "got S: closed=1003"),
            ("S: open\nS: <f/>\nC: binary\nF: drop\nS: closed=1003\nE: malformed-frame", "got F: close"),
            ("S: open\nS: <f/>\nC: malformed\nS: error\nS: close", "got S: error condition=not-well-formed"),
            ("S: open\nS: <f/>\nU: <n1/><n2/>\nS: <n1/><n2/>", "got S: <n1/>"),
            ("S: open\nS: <f/>\nT: +26\nS: ping=2", "got S: ping=1"),
        ])
    func notices(rest: String, expected: String) throws {
        let start = "C: open to=example.org\nF: open to=example.org\nU: open id=s <f/>\n"
        let script = try DialogueScript(name: "test", text: start + rest, door: .webSocket)
        let fault = script.fault(on: WebSocketStage())
        #expect(fault?.contains(expected) == true, "\(rest) gave \(fault ?? "nothing")")
    }
}
