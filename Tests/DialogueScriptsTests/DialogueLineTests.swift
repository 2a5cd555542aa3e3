import Bridge
import DialogueScripts
import Testing

@Suite struct DialogueLineTests {
    private func line(_ text: String) throws -> DialogueLine { try #require(DialogueLine(parsing: text[...])) }

    @Test("the notation is read and written alike")
    func roundTrips() throws {
        for text in ["C: a rid=1 to=example.org <m1/><m2/>", "T: +1.5", "S: a empty", "U: <m a='b c'/>", "A:"] {
            #expect(try line(text).description == text)
        }
        for text in ["", "C", "C a", ":"] { #expect(DialogueLine(parsing: text[...]) == nil) }
    }

    @Test("words with a value and words without")
    func readsWords() throws {
        let line = try line("S: a open id=s=1 !to from= <m b='c'/>")
        #expect(line.plain == ["a", "open", "!to"])
        #expect(line["id"] == "s=1" && line["from"] == "" && line["to"] == nil && line["b"] == nil)
        #expect(line.values.map(\.key) == ["id", "from"])
        #expect(line.payload == "<m b='c'/>")
        #expect(line.isExpectation)
        #expect(try !self.line("C: a").isExpectation)
    }

    @Test("times are seconds with at most three decimals")
    func readsTimes() {
        #expect(Duration(dialogue: "1.5") == .milliseconds(1500))
        #expect(Duration(dialogue: "59.999") == .milliseconds(59_999))
        #expect(Duration(dialogue: "7") == .seconds(7))
        for text in ["1.2.3", "x", "", "1.2345", "."] { #expect(Duration(dialogue: text) == nil) }
    }

    @Test(
        "an expectation holds when all its words do, and when no important one is left out",
        arguments: [
            ("S: open", "S: open id=s1 from=a", true), ("S: open id=s1", "S: open id=s1 from=a", true),
            ("S: open id=s2", "S: open id=s1 from=a", false), ("S: open !id", "S: open id=s1", false),
            ("S: open !id", "S: open from=a", true), ("S: open", "S: close", false), ("F: close", "S: close", false),
            ("S: error", "S: error condition=x", false), ("S: error condition=x", "S: error condition=x", true),
            ("S:", "S: closed=1000", false), ("S: closed", "S: closed=1000", false), ("S:", "S: ping=1", false),
            ("S: a", "S: a error=0:0", false), ("S: a <m/>", "S: a <m/>", true), ("S: a <m/>", "S: a <n/>", false),
            ("S: a", "S: a <m/>", false), ("S: a <m/>", "S: a", false), ("S: a again empty", "S: a empty", false),
            ("S: a empty report=1", "S: a empty", false), ("S: a empty", "S: a empty report=1", false),
            ("S: a create", "S: a create stream=1", true), ("S: a", "S: a stream=1", false),
        ])
    func compares(expected: String, actual: String, isMet: Bool) throws {
        #expect(try line(expected).expects(line(actual)) == isMet)
    }

    @Test("what a server does is the same for every door")
    func readsServers() throws {
        #expect(
            try line("U: <n1/><n2><a/></n2>").upstreamEvents()
                == [.stanzas(Array("<n1/><n2><a/></n2>".utf8), borders: [5])])
        #expect(
            try line("U: resumable <e/>").upstreamEvents()
                == [.managed(isResumable: true), .stanzas(Array("<e/>".utf8))])
        #expect(try line("U: login").upstreamEvents() == [.loggedIn])
        #expect(
            try line("U: on=101 end upstream-lost <e/>").upstreamEvents()
                == [.ended(.upstreamLost, streamError: Array("<e/>".utf8))])
        for text in ["U:", "U: end", "U: on=101", "U: speak"] {
            #expect(throws: ScriptFault.self, "\(text)") { try line(text).upstreamEvents() }
        }
    }

    @Test("what a server is told, as lines")
    func writesCommands() {
        let commands: [(UpstreamCommand, String)] = [
            (.open(StreamRequest(domain: "a", account: "u@a", language: "de")), "F: open to=a lang=de for=u@a"),
            (.forward(Array("<m/>".utf8)), "F: <m/>"), (.restart, "F: restart"), (.leave(.close), "F: close"),
            (.leave(.drop), "F: drop"), (.pauseReading, "B: stop"), (.resumeReading, "B: go"),
            (.returnUnfetched(Array("<n/>".utf8)), "R: <n/>"),
        ]
        for (command, text) in commands { #expect(DialogueLine(command).description == text) }
    }

    @Test("the attributes of a start tag as words")
    func readsAttributes() {
        #expect(
            DialogueLine.attributes("xmlns='a' xmlns:b='c' id='s1' xml:lang='de' to=''", quote: "'")
                == ["id=s1", "lang=de", "to="])
    }

    @Test("Q-03: the head of a request over HTTP polling")
    func writesHeads() throws {
        #expect(try line("C: a").pollingHead("7") == "7,")
        #expect(try line("C: a key=x newkey=y").pollingHead("7") == "7;x;y,")
        #expect(try line("C: a headless id=").pollingHead("7") == "")
        #expect(try line("C: a key=f1").pollingHead("7") == "7;\(ChainKey.base64("f1")),")
    }

    @Test("elements and their names")
    func findsElements() {
        #expect(topLevelElements("<a/><b c='d'><e/>f</b> <g></g>") == ["<a/>", "<b c='d'><e/>f</b> ", "<g></g>"])
        #expect(topLevelNames("<a/><b id='x'><e id='y'/></b><c d='e'/>") == ["a", "x", "c"])
        #expect(topLevelNames("text").isEmpty)
    }
}
