import Testing

@Suite struct DialogueTests {
    @Test("a script holds", arguments: try Dialogue.all())
    func holds(dialogue: Dialogue) {
        if let fault = dialogue.run() { Issue.record("\(fault)") }
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        let scripts = try Dialogue.all()
        #expect(scripts.count >= 200)
        // A script without expectations would pass whatever happens.
        for script in scripts {
            #expect(script.text.split(separator: "\n").contains { $0.hasPrefix("S: ") }, "\(script.name)")
        }
    }

    @Test("the runner notices what does not hold")
    func notices() {
        let start = "C: a rid=1 to=example.org\nU: open id=s <f/>\n"
        let faults = [
            "": "not expected at the end: S: a create",
            "S: a create <g/>\n": "expected S: a create <g/>, got",
            "S: a empty\n": "expected S: a empty, got",
            "S: a create wait=61 <f/>\n": "expected S: a create wait=61 <f/>, got",
            "T: +1\n": "not expected before this line",
            "S: a create <f/>\nS: b empty\n": "nothing happened",
            "S: a create <f/>\nC: b rid=9\nS: b terminate\n": "expected S: b terminate, got",
            "Q\n": "cannot be read",
            "Q: x\n": "not expected before this line",
        ]
        for (rest, fault) in faults {
            let found = Dialogue(name: "test", text: start + rest).run()
            #expect(found?.contains(fault) == true, "\(rest) gave \(found ?? "nothing")")
        }
        #expect(Dialogue(name: "test", text: start + "S: a create wait=60 <f/>\n").run() == nil)
    }

    @Test("the notation is read and written alike")
    func roundTrips() {
        for text in ["C: a rid=1 to=example.org <m1/><m2/>", "T: +1.5", "S: a empty", "U: <m a='b c'/>"] {
            #expect(DialogueLine(parsing: text[...])?.description == text)
        }
        #expect(Duration(dialogue: "1.5") == .milliseconds(1500))
        #expect(Duration(dialogue: "59.999") == .milliseconds(59_999))
        #expect(Duration(dialogue: "7") == .seconds(7))
        #expect(Duration(dialogue: "1.2.3") == nil)
        #expect(Duration(dialogue: "x") == nil)
    }
}
