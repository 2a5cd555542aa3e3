import Bridge
import DialogueScripts
import Testing

/// What is a script, and how one is played.
@Suite struct DialogueScriptTests {
    /// A stage on which each input has the effects that its payload names: `C: a <S: x|E: y>`.
    private struct Echo: DialogueStage {
        func act(_ line: DialogueLine) -> [String]? {
            guard line.kind != "A" else { return nil }
            return line.payload.dropFirst().dropLast().split(separator: "|").map(String.init)
        }
    }

    private static func script(_ text: String, _ door: DialogueDoor = .webSocket) throws(ScriptFault) -> DialogueScript
    {
        try DialogueScript(name: "test", text: text, door: door)
    }

    @Test(
        "what asserts nothing, or has words that mean nothing, is no script",
        arguments: [
            ("", "nothing happens"), ("# W-01: a comment\n\n", "nothing happens"), ("P: ping=1\n", "nothing happens"),
            ("P: ping=1\nS: close\n", "nothing happens"), ("S: close\n", "nothing happens"),
            ("C: close\n", "asserts nothing"), ("C: open to=a\nU: login\nT: +1\n", "asserts nothing"),
            ("C: close\nS close\n", "test:2: cannot be read"), ("C: close\n S: close\n", "test:2: cannot be read"),
            ("Q: close\nS: close\n", "test:1: no line begins with Q"), ("C: close\nS: clsoe\n", "unknown word 'clsoe'"),
            ("C: opne to=a\nS: close\n", "unknown word 'opne'"), ("C: open too=a\nS: close\n", "unknown word 'too=a'"),
            ("C: close\nS: open !ids\n", "unknown word '!ids'"), ("P: pings=1\nC: close\nS: close\n", "'pings=1'"),
            ("C: close\nE: terminted\n", "unknown word 'terminted'"),
            ("U: end lost\nS: close\n", "unknown word 'lost'"),
            ("C: close\nF: closed\n", "unknown word 'closed'"), ("X: stop\nS: close\n", "unknown word 'stop'"),
            ("C: close\nB: start\n", "unknown word 'start'"), ("C: close\nR: on=1 <m/>\n", "unknown word 'on=1'"),
            ("T: 1\nS: close\n", "no time"), ("T: +1 +2\nS: close\n", "no time"), ("T: +x\nS: close\n", "no time"),
            ("T: +\nS: close\n", "no time"), ("T: +1 <m/>\nS: close\n", "no time"),
        ])
    func refuses(text: String, fault: String) {
        do {
            _ = try Self.script(text)
            Issue.record("\(text) is a script")
        } catch {
            #expect(error.description.contains(fault), "\(text)")
        }
    }

    @Test("each door has its own words", arguments: DialogueDoor.allCases)
    func knowsDoors(door: DialogueDoor) throws {
        let texts: [DialogueDoor: String] = [
            .bosh: "C: a rid=1 to=example.org\nS: a create wait=60 !ack <f/>\n",
            .webSocket: "C: open to=example.org\nS: open !to\nS: ping=1\n",
            .polling: "C: a key=a1 open to=example.org\nS: a open again close condition=host-unknown\nE: forgotten\n",
        ]
        for (other, text) in texts where other != door {
            #expect(throws: ScriptFault.self) { try Self.script(text, door) }
        }
        #expect(try Self.script(try #require(texts[door]), door).lines.count >= 2)
    }

    @Test("requests need names where there are several", arguments: [DialogueDoor.bosh, .polling])
    func needsNames(door: DialogueDoor) {
        for text in ["C:\nS: a empty\n", "C: key=x\nS: a empty\n", "C: a\nS: !id\n", "A:\nS: a empty\n"] {
            #expect(throws: ScriptFault.self, "\(text)") { try Self.script(text, door) }
        }
    }

    @Test("comments and empty lines are skipped, and counted")
    func numbers() throws {
        let script = try Self.script("# a\n\nC: close\n# b\nS: close\n")
        #expect(script.lines.map(\.number) == [3, 5])
        #expect(script.lines.map(\.description) == ["C: close", "S: close"])
    }

    @Test(
        "a script is played in order, and its first fault is told",
        arguments: [
            ("C: open <S: close>\nS: close\n", nil),
            ("C: open <S: close|E: terminated>\nS: close\nE: terminated\n", nil),
            ("C: open\nC: close <F: close>\nF: close\nT: +1\n", nil),
            ("C: open <S: close>\nF: close\n", "test:2: expected F: close, got S: close"),
            ("C: open <S: close>\nS: close\nE: terminated\n", "test:3: expected E: terminated, nothing happened"),
            ("C: open <S: close|E: terminated>\nS: close\n", "test: not expected at the end: E: terminated"),
            ("C: open <S: close>\nC: close\nS: close\n", "test:2: not expected before this line: S: close"),
            ("C: open <S: close|S: closed>\nS: closed\nS: close\n", "test:2: expected S: closed, got S: close"),
            ("C: open <?: wrong>\nS: close\n", "test:1: ?: wrong"),
            ("A: lost\nS: close\n", "test:1: means nothing: A: lost"),
        ] as [(String, String?)])
    func plays(text: String, fault: String?) throws {
        #expect(try Self.script(text).fault(on: Echo()) == fault)
    }

    @Test("the scripts of a door are those of its folder, by name", arguments: DialogueDoor.allCases)
    func findsScripts(door: DialogueDoor) throws {
        let names = try DialogueScript.all(of: door).map(\.name)
        #expect(names == names.sorted() && names.count >= 35 && names.allSatisfy { $0.hasSuffix(".txt") })
    }
}
