import TestSupport
import Testing

/// Servers that do harm when a client restarts its stream.
@Suite struct HostileUpstreamRestartTests {
    @Test("X-08 S-17: what a server answers to a restart", arguments: HostileEnd.restarts)
    func restarts(end: HostileEnd) throws {
        let scene = try HostileScene()
        let (client, stream) = try scene.join()
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        #expect(try client.exchange().payload == "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        let restart = try client.send("xmpp:restart='true' to='example.org' xmlns:xmpp='urn:xmpp:xbosh'")
        _ = try stream.readHeader()
        try end.act(stream)
        try end.expectEnd(of: client, from: restart, scene)
        withExtendedLifetime(stream) {}
    }
}

extension HostileEnd {
    private static let header = ScriptedStream.header()
    private static let error =
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    private static func says(_ name: String, _ text: String, reason: String = "upstream-malformed") -> Self {
        Self(name, text, reason: reason)
    }

    fileprivate static let restarts = [
        says("features without a header", ScriptedStream.features),
        says("a stanza without a header", "<message/>"),
        says("the end of the old stream", "</stream:stream>"),
        // Recorded in docs/decisions/0016: at this time the parser expects a header.
        says("a stream error on the old stream", error),
        says("text", "hello"),
        says("a DTD", "<!DOCTYPE a>" + header),
        says("a byte order mark", "\u{FEFF}" + header),
        says("another namespace", "<stream:stream xmlns='jabber:client' xmlns:stream='urn:example' version='1.0'>"),
        says(
            "a server's content",
            "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"),
        says("a stanza before the features", header + "<message/>" + ScriptedStream.features),
        says("a second header", header + header),
        says("<proceed/>", header + ScriptedStream.proceed),
        says("features that are not well-formed", header + "<stream:features></stream:feature>"),
        says("the end of the stream", header + "</stream:stream>", reason: "upstream-closed"),
        Self("a stream error", header + error + "</stream:stream>", reason: "upstream-stream-error", error: error),
        Self("nothing, and the end", reason: "upstream-lost") { $0.wire.close() },
        Self("nothing, and a reset", reason: "upstream-lost") { try $0.wire.reset() },
        Self("a header, and the end", reason: "upstream-lost") {
            try $0.send(header)
            $0.wire.close()
        },
        Self(
            "features, and a stanza, and no XML", header + ScriptedStream.features + "<message id='m1'/></hello>",
            reason: "upstream-malformed",
            pending: ScriptedStream.features + "<message xmlns='jabber:client' id='m1'/>"),
    ]
}
