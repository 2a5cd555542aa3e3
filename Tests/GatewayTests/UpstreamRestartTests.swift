import TestSupport
import Testing

/// Streams that a client restarts after its login, and servers that do not follow.
@Suite struct UpstreamRestartTests {
    /// Answers of a server to a restart, none of which is enough.
    private static let words = [
        "", "<?xml version='1.0'?>", "<?xml version='1.0'?><stream:stream xmlns='jabber:client'",
        ScriptedStream.header(id: "s2"), ScriptedStream.header(id: "s2") + "<stream:features>",
        ScriptedStream.header(id: "s2") + "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
    ]

    @Test("X-08: a server that never answers a restart", arguments: words)
    func neverAnswers(words: String) throws {
        let session = try OpenSession(environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "5"])
        let other = try OpenSession(on: session)
        let restart = try session.client.restart()
        _ = try session.stream.readHeader()
        try session.stream.send(words)
        #expect(try restart.answer().condition == "remote-connection-failed")
        try session.daemon.wait(until: "sessions.ended.upstream-timeout", is: 1)
        try session.stream.wire.drain()
        try session.daemon.wait(until: "upstream.streams_now", is: 1)
        // An open stream has no such deadline: two of them have passed for the other stream.
        try other.stream.send("<message id='m1'/>")
        #expect(try other.client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
    }

    @Test("X-07: a server that never answers the wish for compression")
    func neverCompresses() throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "5", "HOLDFAST_UPSTREAM_COMPRESSION": "zlib"])
        let restart = try session.client.restart()
        try session.stream.open(id: "s2", features: ScriptedStream.compressionFeatures)
        _ = try session.stream.read(until: "</compress>")
        #expect(try restart.answer().condition == "remote-connection-failed")
        try session.daemon.wait(until: "sessions.ended.upstream-timeout", is: 1)
        try session.stream.wire.drain()
    }

    @Test("X-07: a server that compresses and says nothing more")
    func neverOpensCompressed() throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "5", "HOLDFAST_UPSTREAM_COMPRESSION": "zlib"])
        let restart = try session.client.restart()
        try session.stream.open(id: "s2", features: ScriptedStream.compressionFeatures)
        _ = try session.stream.read(until: "</compress>")
        try session.stream.send(ScriptedStream.compressed)
        #expect(try restart.answer().condition == "remote-connection-failed")
        try session.daemon.wait(until: "sessions.ended.upstream-timeout", is: 1)
    }

    @Test("X-08: a restart that was answered has no deadline any more")
    func answered() throws {
        let session = try OpenSession(environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "5"])
        let restart = try session.client.restart()
        try session.stream.open(id: "s2")
        #expect(try restart.answer().payload == ScriptedStream.features)
        // Two others meet their deadlines, one after the other, and this stream goes on.
        for _ in 0..<2 {
            let other = BOSHClient(session.daemon)
            let request = try other.create()
            let silent = try session.server.accept()
            #expect(try request.isTurnedAway())
            withExtendedLifetime(silent) {}
        }
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
    }
}
