import DialogueScripts
import TestSupport
import Testing

/// The scripts of Tests/Dialogues/Polling, played against the program.
@Suite struct PollingDialogueTests {
    @Test("a script holds over sockets", arguments: try DialogueScript.playable(of: .polling))
    func holds(script: DialogueScript) throws {
        try PollingDialoguePlayer.play(script)
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        #expect(try DialogueScript.playable(of: .polling).count >= 40)
    }

    @Test(
        "the player notices what does not hold",
        arguments: [
            "S: b open <f/>", "S: a open <g/>", "S: a <f/>", "S: a open id=t <f/>", "S: a open !id <f/>",
            "S: a open close <f/>", "S: a open condition=host-unknown <f/>", "S: a error=0:0", "S: a empty",
            "C: b\nS: b empty", "S: a open <f/>\nC: b key=a8\nS: b <n1/>",
            "S: a open <f/>\nC: b key=a7\nS: b error=-2:0",
            "S: a open <f/>\nC: b key=a7\nS: b empty", "S: a open <f/>\nC: b key=a8\nS: b error=-3:0",
            "S: a open <f/>\nC: b key=a8 <m1/>\nF: <m2/>", "S: a open <f/>\nC: b key=a8 <m1/>\nC: c key=a7\nS: b empty",
            "S: a open <f/>\nU: <n1/>\nC: b key=a8\nC: c key=a7\nS: b <n1/>",
            "S: a open <f/>\nC: b key=a8\nS: b again empty",
            "S: a open <f/>\nC: b key=a8 close\nF: drop\nS: b close",
            "S: a open <f/>\nC: b key=a8 close\nF: close\nS: b empty",
        ])
    func notices(rest: String) throws {
        let start = "C: a key=a9 open to=example.org version=1.0\nF: open to=example.org\nU: open id=s <f/>\n"
        let script = try DialogueScript(name: "test", text: start + rest, door: .polling)
        #expect(throws: TestFault.self) { try PollingDialoguePlayer.play(script) }
    }
}
