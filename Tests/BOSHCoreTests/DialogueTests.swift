import DialogueScripts
import Testing

/// The scripts of Tests/Dialogues, played against the session core.
@Suite struct DialogueTests {
    @Test("a script holds", arguments: try DialogueScript.all(of: .bosh))
    func holds(script: DialogueScript) {
        if let fault = script.fault(on: SessionHarness()) { Issue.record("\(fault)") }
    }

    @Test(
        "a script fails when one of its expectations is left out or changed",
        arguments: try DialogueScript.all(of: .bosh))
    func asserts(script: DialogueScript) {
        for spoiled in script.spoiled where spoiled.fault(on: SessionHarness()) == nil {
            Issue.record("holds as well:\n\(spoiled.lines.map(\.description).joined(separator: "\n"))")
        }
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        let scripts = try DialogueScript.all(of: .bosh)
        #expect(scripts.count >= 200)
        for script in scripts { #expect(script.lines.contains { $0.kind == "S" }, "\(script)") }
    }

    @Test("the runner notices what does not hold")
    func notices() throws {
        let start = "C: a rid=1 to=example.org\nU: open id=s <f/>\n"
        func fault(_ rest: String) throws -> String? {
            try DialogueScript(name: "test", text: start + rest, door: .bosh).fault(on: SessionHarness())
        }
        let faults = [
            "S: a create <f/>\nT: +1\nC: b rid=2 type=terminate\n": "not expected at the end: S: b terminate",
            "S: a create <g/>\n": "expected S: a create <g/>, got",
            "S: a empty\n": "expected S: a empty, got",
            "S: a create wait=61 <f/>\n": "expected S: a create wait=61 <f/>, got",
            "T: +1\nS: a empty\n": "not expected before this line",
            "S: a create <f/>\nS: b empty\n": "nothing happened",
            "S: a create <f/>\nC: b rid=9\nS: b terminate\n": "expected S: b terminate, got",
            "S: a create <f/>\nA: c\nE: inactive\n": "no request c",
            "S: a create <f/>\nU: on=7 <n1/>\nE: inactive\n": "no such stream",
        ]
        for (rest, expected) in faults {
            let found = try fault(rest)
            #expect(found?.contains(expected) == true, "\(rest) gave \(found ?? "nothing")")
        }
        #expect(try fault("S: a create wait=60 <f/>\n") == nil)
    }
}
