import DialogueScripts
import TestSupport
import Testing

/// The scripts of Tests/Dialogues/WebSocket, played against the program.
@Suite struct WebSocketDialogueTests {
    @Test("a script holds over sockets", arguments: try DialogueScript.playable(of: .webSocket))
    func holds(script: DialogueScript) throws {
        try WebSocketDialoguePlayer.play(script)
    }

    @Test("the scripts are found")
    func findsScripts() throws {
        #expect(try DialogueScript.playable(of: .webSocket).count >= 40)
    }

    @Test(
        "the player notices what does not hold",
        arguments: [
            "S: open id=t\nS: <f/>", "S: open !id\nS: <f/>", "S: open from=example.net\nS: <f/>", "S: open\nS: <g/>",
            "S: open\nS: <f/>\nC: <m1/>\nF: <m2/>", "S: open\nS: <f/>\nC: <m1/>\nC: close\nS: close",
            "S: open\nS: <f/>\nU: <n1/>\nS: <n2/>", "S: open\nS: <f/>\nU: <n1/><n2/>\nS: <n1/><n2/>",
            "S: open\nS: <f/>\nU: <n1/><n2/>\nS: <n1/>", "S: open\nS: <f/>\nC: close\nS: closed=1000",
            "S: open\nS: <f/>\nC: binary\nF: close\nS: closed=1002",
            "S: open\nS: <f/>\nC: binary\nF: drop\nS: closed=1003",
            "S: open\nS: <f/>\nC: malformed\nS: error condition=invalid-namespace", "S: <f/>",
            "S: open\nS: <f/>\nA: closed=1001\nF: close\nS: closed=1000", "C: close\nS: open",
            "S: open\nS: <f/>\nU: login <success/>\nS: <success/>\nC: pong=1\nU: <n1/>\nS: <n1/>\nA: lost\nR: <n2/>",
            "S: open\nS: <f/>\nU: login <success/>\nS: close",
        ])
    func notices(rest: String) throws {
        let start = "C: open to=example.org\nF: open to=example.org\nU: open id=s <f/>\n"
        let script = try DialogueScript(name: "test", text: start + rest, door: .webSocket)
        #expect(throws: TestFault.self) { try WebSocketDialoguePlayer.play(script) }
    }

    @Test(
        "the player notices another opening",
        arguments: ["F: open to=example.net\nU: open id=s <f/>", "F: open to=example.org lang=de\nU: open id=s <f/>"])
    func noticesOpening(rest: String) throws {
        let script = try DialogueScript(name: "test", text: "C: open to=example.org\n" + rest, door: .webSocket)
        #expect(throws: TestFault.self) { try WebSocketDialoguePlayer.play(script) }
    }
}
