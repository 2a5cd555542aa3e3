import TestSupport
import Testing

/// Servers that end an open stream, in order or not.
@Suite struct HostileUpstreamEndTests {
    @Test("S-17 T-07: how a connection ends", arguments: HostileEnd.lost, Listening.allCases)
    func lost(end: HostileEnd, listening: Listening) throws {
        try end.play(listening)
    }

    @Test("T-07: how a stream is closed", arguments: HostileEnd.closed, Listening.allCases)
    func closed(end: HostileEnd, listening: Listening) throws {
        try end.play(listening)
    }

    @Test("T-05 T-06: how a stream fails", arguments: HostileEnd.errors, Listening.allCases)
    func fails(end: HostileEnd, listening: Listening) throws {
        try end.play(listening)
    }

    @Test("T-05: a server that sends an open session elsewhere is not followed there", arguments: ElsewherePlace.all)
    func elsewhere(place: ElsewherePlace) throws {
        let foreign = try ScriptedUpstream()
        let error =
            "<stream:error><see-other-host xmlns='\(HostileEnd.conditions)'>\(place.text(foreign.port))"
            + "</see-other-host></stream:error>"
        try HostileEnd("", error, reason: "upstream-stream-error", error: error).play(.absent)
        #expect(try foreign.isUntouched)
    }

    @Test("S-17: a server that reads nothing and resets", arguments: Listening.allCases)
    func readsNothing(listening: Listening) throws {
        let scene = try HostileScene(receiveBuffer: 4_096)
        let (client, stream) = try scene.join()
        let stanza = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 50_000))</body></message>"
        // Repeats until the server takes no more: then a request is not answered when the next one comes.
        var held: [BOSHRequest] = []
        while held.count < 2 {
            held.append(try client.send("", stanza))
            try scene.daemon.settle()
            if held.count == 2, try !held[0].isHeld { #expect(try held.removeFirst().answer().isEmpty) }
        }
        try stream.wire.reset()
        // One of the two requests gets the end, and the other one is answered as well.
        let answers = try held.map { try $0.answer() }
        let ends = answers.filter(\.isTerminal)
        #expect(!ends.isEmpty && ends.allSatisfy { $0.condition == "remote-connection-failed" })
        #expect(try client.exchange().condition == "item-not-found")
        try scene.expectOneEnded("upstream-lost")
    }

    @Test("T-01: what a server does when its client has left", arguments: HostileFarewell.all)
    func farewell(farewell: HostileFarewell) throws {
        let scene = try HostileScene()
        let (client, stream) = try scene.join()
        let answer = try client.exchange("type='terminate'")
        #expect(answer.isTerminal)
        #expect(answer.condition == nil)
        _ = try stream.read(until: "</stream:stream>")
        try farewell.act(stream)
        #expect(try client.exchange().condition == "item-not-found")
        try scene.expectOneEnded("terminated")
        withExtendedLifetime(stream) {}
    }
}

/// What a server does after the end of a stream.
struct HostileFarewell: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let act: @Sendable (ScriptedStream) throws -> Void

    static let all = [
        Self(testDescription: "nothing") { _ in },
        Self(testDescription: "resets") { try $0.wire.reset() },
        Self(testDescription: "sends no XML") { try $0.send("</hello>") },
        Self(testDescription: "sends stanzas until it is cut off") { stream in
            let stanzas = Array(String(repeating: "<message/>", count: 6_000).utf8)
            while try !stream.wire.sendUntilCut(stanzas) {}
        },
        Self(testDescription: "sends half a stanza") { try $0.send("<message>") },
        Self(testDescription: "sends a stream error") {
            try $0.send("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
        },
        Self(testDescription: "opens another stream") { try $0.send(ScriptedStream.header()) },
    ]
}

extension HostileEnd {
    fileprivate static let conditions = "urn:ietf:params:xml:ns:xmpp-streams"
    private static let m1 = "<message xmlns='jabber:client' id='m1'/>"

    fileprivate static let lost = [
        Self("closed", reason: "upstream-lost") { $0.wire.close() },
        Self("half-closed", reason: "upstream-lost") { try $0.wire.shutdownWrite() },
        Self("reset", reason: "upstream-lost") { try $0.wire.reset() },
        Self("closed behind a stanza", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/>")
            $0.wire.close()
        },
        Self("half-closed behind a stanza", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/>")
            try $0.wire.shutdownWrite()
        },
        Self("reset behind a stanza", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/>")
            try $0.wire.reset()
        },
        Self("reset behind the second half of a stanza", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id=")
            try $0.send("'m1'/>")
            try $0.wire.reset()
        },
        Self("closed behind half a stanza", reason: "upstream-lost") {
            try $0.send("<message id='m1'><body>")
            $0.wire.close()
        },
        Self("closed behind a stanza and a half", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/><message id='m2'>")
            $0.wire.close()
        },
        Self("reset behind half a stanza", reason: "upstream-lost") {
            try $0.send("<message id='m1'/")
            try $0.wire.reset()
        },
        Self("closed behind half a character", reason: "upstream-lost") {
            try $0.wire.send(Array("<message><body>".utf8) + [0xE2, 0x82])
            $0.wire.close()
        },
        Self("closed behind a <", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/><")
            $0.wire.close()
        },
        Self("closed behind white space", reason: "upstream-lost", pending: m1) {
            try $0.send("<message id='m1'/> \r\n\t")
            $0.wire.close()
        },
        Self("closed behind the half of the stream's end", reason: "upstream-lost") {
            try $0.send("</stream:str")
            $0.wire.close()
        },
        Self(
            "reset behind two hundred stanzas", reason: "upstream-lost",
            pending: (0..<200).map { "<message xmlns='jabber:client' id='\($0)'/>" }.joined()
        ) {
            // All in one segment, because a reset drops what was not sent yet.
            try $0.send((0..<200).map { "<message id='\($0)'/>" }.joined())
            try $0.wire.reset()
        },
    ]

    fileprivate static let closed = [
        Self("alone", "</stream:stream>", reason: "upstream-closed"),
        Self("behind a stanza", "<message id='m1'/></stream:stream>", reason: "upstream-closed", pending: m1),
        Self("with white space", " </stream:stream \n>\n", reason: "upstream-closed"),
        Self("twice", "</stream:stream></stream:stream>", reason: "upstream-closed"),
        Self("with a stanza behind it", "</stream:stream><message id='m1'/>", reason: "upstream-closed"),
        Self("with another stream behind it", "</stream:stream>" + ScriptedStream.header(), reason: "upstream-closed"),
        Self("with no XML behind it", "</stream:stream></<&\u{0}", reason: "upstream-closed"),
        Self("with a stream error behind it", "</stream:stream><stream:error/>", reason: "upstream-closed"),
        Self("and reset", reason: "upstream-closed") {
            try $0.send("</stream:stream>")
            try $0.wire.reset()
        },
    ]

    /// A stream error with this content, and with the given text before and after it.
    private static func fails(
        _ name: String, _ content: String, before: String = "", behind: String = "</stream:stream>",
        pending: String = ""
    ) -> Self {
        let error = content.isEmpty ? "<stream:error/>" : "<stream:error>\(content)</stream:error>"
        return Self(name, before + error + behind, reason: "upstream-stream-error", pending: pending, error: error)
    }

    fileprivate static let errors = [
        fails("with a condition", "<conflict xmlns='\(conditions)'/>"),
        fails("behind a stanza", "<reset xmlns='\(conditions)'/>", before: "<message id='m1'/>", pending: m1),
        fails(
            "behind two hundred stanzas", "<reset xmlns='\(conditions)'/>",
            before: (0..<200).map { "<message id='\($0)'/>" }.joined(),
            pending: (0..<200).map { "<message xmlns='jabber:client' id='\($0)'/>" }.joined()),
        fails("without the stream's end", "<reset xmlns='\(conditions)'/>", behind: ""),
        fails("with stanzas behind it", "<reset xmlns='\(conditions)'/>", behind: "<message id='m1'/><message/>"),
        fails("with half a stanza behind it", "<reset xmlns='\(conditions)'/>", behind: "<message"),
        fails("with no XML behind it", "<reset xmlns='\(conditions)'/>", behind: "</hello><!DOCTYPE a>"),
        fails("with another one behind it", "<reset xmlns='\(conditions)'/>", behind: "<stream:error/>"),
        fails("without a condition", ""),
        fails("with text alone", "<text xmlns='\(conditions)'>Because.</text>"),
        fails("with a condition that nobody knows", "<bad-day xmlns='\(conditions)'/>"),
        fails("with a condition of another namespace", "<conflict xmlns='urn:example'/>"),
        fails(
            "with a condition of its own besides", "<undefined-condition xmlns='\(conditions)'/><bad xmlns='urn:a'/>"),
        fails("with two conditions", "<conflict xmlns='\(conditions)'/><reset xmlns='\(conditions)'/>"),
        fails(
            "with text",
            "<conflict xmlns='\(conditions)'/><text xmlns='\(conditions)' xml:lang='de'>Nämlich &lt;so&gt;</text>"),
        fails("with another meaning of the prefix inside", "<stream:a xmlns:stream='urn:example'/>"),
        fails("with a BOSH body inside", "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"),
        fails("with much text", "<text xmlns='\(conditions)'>\(String(repeating: "x", count: 500_000))</text>"),
        Self(
            "and is reset", reason: "upstream-stream-error", pending: m1,
            error: "<stream:error><reset xmlns='\(conditions)'/></stream:error>"
        ) {
            try $0.send("<message id='m1'/><stream:error><reset xmlns='\(conditions)'/></stream:error>")
            try $0.wire.reset()
        },
        Self(
            "in two halves", reason: "upstream-stream-error",
            error: "<stream:error><reset xmlns='\(conditions)'/></stream:error>"
        ) {
            try $0.send("<stream:error><reset xmlns='\(conditions)'")
            try $0.send("/></stream:error>")
            $0.wire.close()
        },
        Self(
            "without a prefix",
            "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='\(conditions)'/></error>",
            reason: "upstream-stream-error",
            error:
                "<stream:error xmlns='http://etherx.jabber.org/streams'><reset xmlns='\(conditions)'/></stream:error>"),
        Self("half", reason: "upstream-lost") {
            try $0.send("<stream:error><reset xmlns='\(conditions)'/>")
            $0.wire.close()
        },
        Self(
            "but not well-formed", "<stream:error><reset></stream:error></reset>", reason: "upstream-malformed"),
    ]
}
