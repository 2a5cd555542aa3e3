import DialogueScripts
import TestSupport
import Testing

/// The scripts of Tests/Dialogues for BOSH, played against the program.
@Suite struct DialogueTests {
    @Test("a script holds over sockets", arguments: try DialogueScript.playable(of: .bosh))
    func holds(script: DialogueScript) throws {
        try DialoguePlayer.play(script.modern)
    }

    @Test(
        "T-10: a script holds for a legacy client, which is told of its end by an HTTP status",
        arguments: try DialogueScript.legacy())
    func holdsForLegacy(script: DialogueScript) throws {
        try DialoguePlayer.play(script)
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        #expect(try DialogueScript.playable(of: .bosh).count >= 150)
        #expect(try DialogueScript.legacy().count >= 8)
    }

    @Test(
        "the player notices what does not hold",
        arguments: [
            "S: a create <f/><g/>", "S: a empty", "S: a create wait=61 <f/>", "S: a terminate condition=bad-request",
            "S: a create <f/>\nU: <n1/>\nC: b rid=2\nS: b <n2/>", "S: a create <f/>\nC: b rid=2 <m1/>\nF: <m2/>",
            "S: a create <f/>\nC: b rid=2 <m1/>\nC: c rid=3", "S: a create !stream <f/>",
            "S: a create <f/>\nC: b rid=2 to=example.org\nF: open to=example.org lang=de on=2",
            "S: a create <f/>\nU: <n1/>\nC: b rid=2 type=terminate\nR: <n2/>",
            "S: a create <f/>\nC: b rid=9\nS: b terminate condition=bad-request", "C: b rid=2\nS: b empty",
        ])
    func notices(rest: String) throws {
        let script = try DialogueScript(
            name: "test", text: "C: a rid=1 to=example.org\nU: open id=s <f/>\n" + rest, door: .bosh)
        #expect(throws: TestFault.self) { try DialoguePlayer.play(script) }
    }
}
