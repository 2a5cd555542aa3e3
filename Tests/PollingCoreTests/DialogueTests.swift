import DialogueScripts
import Testing

/// The scripts of Tests/Dialogues/Polling, played against the session core.
@Suite struct DialogueTests {
    @Test("a script holds", arguments: try DialogueScript.all(of: .polling))
    func holds(script: DialogueScript) {
        if let fault = script.fault(on: PollingStage()) { Issue.record("\(fault)") }
    }

    @Test(
        "a script fails when one of its expectations is left out or changed",
        arguments: try DialogueScript.all(of: .polling))
    func asserts(script: DialogueScript) {
        for spoiled in script.spoiled where spoiled.fault(on: PollingStage()) == nil {
            Issue.record("holds as well:\n\(spoiled.lines.map(\.description).joined(separator: "\n"))")
        }
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        #expect(try DialogueScript.all(of: .polling).count >= 35)
    }

    @Test(
        "the runner notices what does not hold",
        arguments: [
            ("S: b open <f/>", "expected S: b open <f/>, got S: a open"),
            ("S: a open <g/>", "expected S: a open <g/>, got S: a open"),
            ("S: a <f/>", "expected S: a <f/>, got S: a open"),
            ("S: a open id=t <f/>", "expected S: a open id=t <f/>, got S: a open"),
            ("S: a open !id <f/>", "expected S: a open !id <f/>, got S: a open"),
            ("S: a open close <f/>", "expected S: a open close <f/>, got S: a open"),
            ("T: +1\nS: a open <f/>", "not expected before this line: S: a open"),
            ("S: a open <f/>\nC: b\nS: b again empty", "got S: b empty"),
            ("S: a open <f/>\nC: b\nS: b error=0:0", "got S: b empty"),
            ("S: a open <f/>\nC: b id=s-2\nS: b error=-1:0", "got S: b error=0:0"),
            ("S: a open <f/>\nC: b id=s-2\nS: b", "got S: b error=0:0"),
            (
                "S: a open <f/>\nC: b close\nF: close\nE: terminated\nS: b condition=x close\nE: forgotten",
                "got S: b close"
            ),
            (
                "S: a open <f/>\nC: b malformed\nF: close\nE: malformed-request\nS: b close",
                "got S: b condition=not-well"
            ),
            ("S: a open <f/>\nA: c\nE: inactive", "no such request"),
        ])
    func notices(rest: String, expected: String) throws {
        let start = "C: a open to=example.org version=1.0\nF: open to=example.org\nU: open id=s <f/>\n"
        let script = try DialogueScript(name: "test", text: start + rest, door: .polling)
        let fault = script.fault(on: PollingStage())
        #expect(fault?.contains(expected) == true, "\(rest) gave \(fault ?? "nothing")")
    }
}
