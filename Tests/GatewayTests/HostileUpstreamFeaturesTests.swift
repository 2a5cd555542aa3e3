import TestSupport
import Testing

/// Servers that do harm between the header and the features.
@Suite struct HostileUpstreamFeaturesTests {
    @Test("S-17 T-06: what a server does instead of features", arguments: HostileOpening.instead)
    func instead(opening: HostileOpening) throws {
        try opening.play()
    }

    @Test("S-17: features that are none", arguments: HostileOpening.features)
    func features(opening: HostileOpening) throws {
        try opening.play()
    }

    @Test("T-05: a server that sends its clients elsewhere is not followed there", arguments: ElsewherePlace.all)
    func elsewhere(place: ElsewherePlace) throws {
        let foreign = try ScriptedUpstream()
        let error = HostileOpening.error(
            "<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\(place.text(foreign.port))</see-other-host>")
        let opening = HostileOpening("", ScriptedStream.header() + error, reason: "upstream-stream-error", error: error)
        try opening.play()
        #expect(try foreign.isUntouched)
    }
}

/// The host to which a server redirects its clients.
struct ElsewherePlace: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: @Sendable (UInt16) -> String

    static let all = [
        Self(testDescription: "an IPv4 address and a port") { "127.0.0.1:\($0)" },
        Self(testDescription: "a name and a port") { "localhost:\($0)" },
        Self(testDescription: "an IPv6 address and a port") { "[::ffff:127.0.0.1]:\($0)" },
        Self(testDescription: "white space around it") { " \n127.0.0.1:\($0)\t" },
        Self(testDescription: "nothing") { _ in "" },
        Self(testDescription: "no host") { ":\($0)" },
        Self(testDescription: "no port that there is") { _ in "127.0.0.1:99999999999999999999" },
        Self(testDescription: "a URI") { "xmpp://127.0.0.1:\($0)/" },
        Self(testDescription: "a path") { _ in "unix:/run/holdfast.sock" },
        Self(testDescription: "a very long name") { _ in String(repeating: "a.", count: 5_000) + "example" },
    ]
}

extension HostileOpening {
    private static let header = ScriptedStream.header()
    private static let streams = "http://etherx.jabber.org/streams"
    private static let conditions = "urn:ietf:params:xml:ns:xmpp-streams"

    /// A stream error as the client gets it.
    fileprivate static func error(_ content: String) -> String {
        content.isEmpty ? "<stream:error/>" : "<stream:error>\(content)</stream:error>"
    }

    /// A server that sends this after the header.
    private static func says(_ name: String, _ text: String, reason: String = "upstream-malformed") -> Self {
        Self(name, header + text, reason: reason)
    }

    /// A server that sends a stream error after the header, and something else after that.
    private static func fails(_ name: String, _ content: String, _ rest: String = "") -> Self {
        Self(name, header + error(content) + rest, reason: "upstream-stream-error", error: error(content))
    }

    fileprivate static let instead = [
        Self("closes", reason: "upstream-lost") {
            try $0.send(header)
            $0.wire.close()
        },
        Self("resets", reason: "upstream-lost") {
            try $0.send(header)
            try $0.wire.reset()
        },
        Self("closes its side", reason: "upstream-lost") {
            try $0.send(header)
            try $0.wire.shutdownWrite()
        },
        says("ends the stream", "</stream:stream>", reason: "upstream-closed"),
        says("ends the stream after white space", "\n \n</stream:stream>\n", reason: "upstream-closed"),
        says("ends something else", "</stream:features>"),
        says("sends a stanza", "<message/>" + ScriptedStream.features),
        says("answers a request for nothing", "<iq type='result' id='1'/>" + ScriptedStream.features),
        says("lets somebody in", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" + ScriptedStream.features),
        says("sends another header", header + ScriptedStream.features),
        says("proceeds with TLS unasked", ScriptedStream.proceed),
        says("fails STARTTLS unasked", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        says("asks for TLS itself", ScriptedStream.startTLS),
        says("compresses unasked", "<compressed xmlns='http://jabber.org/protocol/compress'/>"),
        says("sends an element of streams that nobody knows", "<stream:flood/>"),
        says("sends features of no namespace", "<features xmlns=''/>"),
        says("sends text", "hello"),
        says("sends a comment", "<!-- -->" + ScriptedStream.features),
        says("sends an instruction", "<?php ?>" + ScriptedStream.features),
        says("declares again", "<?xml version='1.0'?>" + ScriptedStream.features),
        says("sends a DTD", "<!DOCTYPE a>" + ScriptedStream.features),
        says("sends NUL", "\u{0}" + ScriptedStream.features),
        fails("host-unknown", "<host-unknown xmlns='\(conditions)'/>", "</stream:stream>"),
        fails("a stream error without its end", "<undefined-condition xmlns='\(conditions)'/>"),
        fails("a stream error and a stanza", "<reset xmlns='\(conditions)'/>", "<message/></stream:stream>"),
        fails("a stream error and features", "<reset xmlns='\(conditions)'/>", ScriptedStream.features),
        fails("a stream error without a condition", ""),
        fails(
            "a stream error with a text",
            "<conflict xmlns='\(conditions)'/><text xmlns='\(conditions)' xml:lang='en'>Replaced &lt;by&gt; you</text>"),
        Self("a stream error without a header", "<stream:error xmlns:stream='\(streams)'/>"),
    ]

    fileprivate static let features = [
        says("without end", "<stream:features>" + String(repeating: "<a/>", count: 3_000_000)),
        says("too deep", "<stream:features>" + String(repeating: "<a>", count: 10_000)),
        says("with too many attributes", "<stream:features>" + "<a \((0..<1_025).map { "a\($0)='' " }.joined())/>"),
        says("that do not end as they begin", "<stream:features></stream:feature>"),
        says("with an entity", "<stream:features>&a;</stream:features>"),
        says("with a comment", "<stream:features><!-- --></stream:features>"),
        says("with a prefix that nobody declared", "<stream:features><a:a/></stream:features>"),
        says("whose prefix means something else", "<stream:features xmlns:stream='urn:example'/>"),
        Self("half of them and the end", reason: "upstream-lost") {
            try $0.send(header + "<stream:features><mechanisms")
            $0.wire.close()
        },
        Self(
            "behind a header with another meaning of the prefix",
            "<s:stream xmlns='jabber:client' xmlns:s='\(streams)' xmlns:stream='urn:example' version='1.0'>"
                + "<s:features><stream:a/></s:features>"),
    ]
}
