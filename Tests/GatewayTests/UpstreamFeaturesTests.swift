import TestSupport
import Testing

/// The parts of a server's features for this program itself: limits of the stream, and a way to log in that is not for
/// clients.
@Suite struct UpstreamFeaturesTests {
    private func limits(_ maxBytes: Int?, idle: Int? = nil) -> String {
        "<limits xmlns='urn:xmpp:stream-limits:0'>" + (maxBytes.map { "<max-bytes>\($0)</max-bytes>" } ?? "")
            + (idle.map { "<idle-seconds>\($0)</idle-seconds>" } ?? "") + "</limits>"
    }

    /// A session with a server that has these features.
    private func session(
        _ features: String, flags: [String] = []
    ) throws -> (daemon: Daemon, client: BOSHClient, stream: ScriptedStream, created: BOSHBody) {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(["--upstream", "127.0.0.1:\(server.port)"] + flags)
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        try stream.open(features: "<stream:features>\(features)</stream:features>")
        return (daemon, client, stream, try client.adopt(try request.answer()))
    }

    @Test(
        "X-17: the largest stanza is lowered to what a request may have",
        arguments: [(10_000, 10_000), (20_000, 20_000), (20_001, 20_000), (10_000_000, 20_000)])
    func largestStanza(offered: Int, expected: Int) throws {
        let (_, client, stream, created) = try session(limits(offered), flags: ["--max-body", "20000"])
        #expect(created.payload == "<stream:features>\(limits(expected))</stream:features>")
        // This also holds after a restart.
        let restart = try client.restart()
        try stream.open(id: "s2", features: "<stream:features>\(limits(offered))</stream:features>")
        #expect(try restart.answer().payload == "<stream:features>\(limits(expected))</stream:features>")
    }

    @Test("X-17: a server that closes idle streams gets a space in time", arguments: [1, 2])
    func idle(seconds: Int) throws {
        let (daemon, _, stream, created) = try session(limits(nil, idle: seconds))
        #expect(created.payload.contains("<idle-seconds>\(seconds)</idle-seconds>"))
        for _ in 0..<2 { #expect(try stream.wire.read(count: 1) == [0x20]) }
        #expect(daemon.isRunning)
    }

    @Test("X-17: limits that come with the login hold from then on")
    func idleAfterRestart() throws {
        let (_, client, stream, _) = try session("")
        let restart = try client.restart()
        try stream.open(id: "s2", features: "<stream:features>\(limits(nil, idle: 1))</stream:features>")
        #expect(try !restart.answer().isTerminal)
        #expect(try stream.wire.read(count: 1) == [0x20])
    }

    @Test("X-06: EXTERNAL is never offered to a client")
    func offersNoEXTERNAL() throws {
        let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        let (_, client, stream, created) = try session(
            "<mechanisms xmlns='\(sasl)'><mechanism>EXTERNAL</mechanism><mechanism>PLAIN</mechanism></mechanisms>"
                + "<authentication xmlns='urn:xmpp:sasl:2'><mechanism> EXTERNAL </mechanism>"
                + "<mechanism>PLAIN</mechanism></authentication>")
        let expected =
            "<mechanisms xmlns='\(sasl)'><mechanism>PLAIN</mechanism></mechanisms>"
            + "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>"
        #expect(created.payload == "<stream:features>\(expected)</stream:features>")
        let restart = try client.restart()
        let only = "<mechanisms xmlns='\(sasl)'><mechanism>EXTERNAL</mechanism></mechanisms>"
        try stream.open(id: "s2", features: "<stream:features>\(only)</stream:features>")
        #expect(try !restart.answer().payload.contains("EXTERNAL"))
    }

    @Test(
        "X-06: a client that tries EXTERNAL all the same does not reach the server",
        arguments: [
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='external'/>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism=' EXTERNAL '/>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERN&#65;L'/>",
            "<a:auth xmlns:a='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>",
            "<presence xmlns='jabber:client'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>",
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='EXTERNAL'><initial-response>=</initial-response>"
                + "</authenticate>",
        ])
    func refusesEXTERNAL(payload: String) throws {
        let (daemon, client, stream, _) = try session("")
        #expect(try client.exchange("", payload).condition == "bad-request")
        // Only the end of the stream comes.
        #expect(try stream.read(until: "</stream:stream>") == "</stream:stream>")
        stream.wire.close()
        try daemon.wait(until: "upstream.streams_now", is: 0)
        #expect(try daemon.statistics().number("sessions.ended.malformed-request") == 1)
    }

    @Test("X-06: other mechanisms reach the server as they are")
    func passesOthers() throws {
        let (_, client, stream, _) = try session("")
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL-ISH'>AGEAYg==</auth>"
        let poll = try client.send("", auth)
        #expect(try stream.read(until: "</auth>") == auth)
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        #expect(try poll.answer().payload == "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    }
}
