import COpenSSL
import TestSupport
import Testing

/// Servers that do harm before TLS is established, while it begins, and within it.
@Suite struct HostileUpstreamSTARTTLSTests {
    @Test("X-19 T-06: what a server does where TLS should begin", arguments: HostileTLS.before)
    func before(server: HostileTLS) throws {
        try server.play()
    }

    @Test("X-18 X-19: how a server breaks the handshake", arguments: HostileTLS.handshakes)
    func handshake(server: HostileTLS) throws {
        try server.play()
    }

    @Test(
        "X-18 X-19: a server that is not who it should be", arguments: HostileTLS.certificates, ["starttls", "direct"])
    func certificate(server: HostileTLS, mode: String) throws {
        try server.play(mode)
    }

    @Test("X-18 X-19: how a server breaks what TLS protects", arguments: HostileTLS.within, ["starttls", "direct"])
    func within(server: HostileTLS, mode: String) throws {
        try server.play(mode)
    }

    @Test("X-18: a server that speaks no TLS from the first byte on", arguments: HostileTLS.clear)
    func clear(server: HostileTLS) throws {
        try server.play("direct")
    }

    @Test("X-19: nothing that was said in the clear is believed", arguments: ["starttls", "direct"])
    func forgets(mode: String) throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene(mode, trusting: authority)
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.server.accept()
        if mode == "starttls" {
            _ = try stream.readHeader()
            try stream.send(
                ScriptedStream.header(id: "forged") + "<stream:features>" + ScriptedStream.startTLS
                    + "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>FORGED</mechanism></mechanisms>"
                    + "</stream:features>")
            _ = try stream.read(until: ScriptedStream.startTLS)
            try stream.send(ScriptedStream.proceed)
        }
        let secured = try stream.secure(as: try TLSIdentity(issuedBy: authority))
        // Each byte is in a record of its own.
        for byte in ScriptedStream.header(id: "real") + ScriptedStream.features { try secured.send(String(byte)) }
        let created = try client.adopt(try request.answer())
        #expect(created["authid"] == "real")
        #expect(created.payload == ScriptedStream.features)
        let poll = try client.send()
        // A second offer is of no use to anybody.
        try secured.send(ScriptedStream.startTLSFeatures)
        #expect(
            try poll.answer().payload
                == "<stream:features xmlns:stream='http://etherx.jabber.org/streams'></stream:features>")
        #expect(try client.exchange("type='terminate'").isTerminal)
        #expect(try secured.read(until: "</stream:stream>").hasSuffix("</stream:stream>"))
        stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
    }

    @Test("X-18 X-19: how a server breaks an open stream that TLS protects", arguments: HostileTLSEnd.all)
    func open(end: HostileTLSEnd) throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene("direct", trusting: authority)
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.server.accept()
        let secured = try stream.secure(as: try TLSIdentity(issuedBy: authority))
        try secured.send(ScriptedStream.header() + ScriptedStream.features)
        try client.adopt(try request.answer())
        try secured.send("<message id='m1'/>")
        try end.act(secured)
        let pending = "<message xmlns='jabber:client' id='m1'/>"
        let expected = HostileEnd("", "", reason: end.reason, pending: pending, error: end.error)
        try expected.expectEnd(of: client, from: try client.send(), scene)
        withExtendedLifetime(stream) {}
    }
}

/// What a server does on its way to TLS.
struct HostileTLS: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    /// The stream error that the client gets.
    var error = ""
    /// Gets the stream with its unread header, the way in which TLS begins, and the authority that the daemon trusts.
    let act: @Sendable (ScriptedStream, String, TLSIdentity) throws -> Void

    func play(_ mode: String = "starttls") throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene(mode, trusting: authority)
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.server.accept()
        try act(stream, mode, authority)
        let opening = HostileOpening("", reason: reason, error: error) { _ in }
        try opening.expectRefusal(request, scene)
        withExtendedLifetime(stream) {}
    }

    /// The server offers STARTTLS, waits for the request, and sends this.
    private static func answers(
        _ name: String, _ text: String, reason: String = "upstream-malformed", error: String = ""
    ) -> Self {
        Self(testDescription: name, reason: reason, error: error) { stream, _, _ in
            try stream.offerSTARTTLS()
            try stream.send(text)
        }
    }

    /// The server sends this instead of offering STARTTLS.
    private static func opens(_ name: String, _ text: String, reason: String = "upstream-malformed") -> Self {
        Self(testDescription: name, reason: reason) { stream, _, _ in
            _ = try stream.readHeader()
            try stream.send(ScriptedStream.header() + text)
        }
    }

    /// The server proceeds, and sends these bytes where its part of the handshake should be.
    private static func shakes(
        _ name: String, _ bytes: [UInt8], then end: @escaping @Sendable (ByteStream) throws -> Void = { _ in }
    ) -> Self {
        Self(testDescription: name, reason: "upstream-tls") { stream, mode, _ in
            if mode == "starttls" { try stream.proceed() }
            _ = try stream.wire.receive()
            try stream.wire.send(bytes)
            try end(stream.wire)
        }
    }

    /// The server has this certificate, which is not accepted.
    private static func certified(
        _ name: String, newest: Int32 = TLS1_3_VERSION, _ make: @escaping @Sendable (TLSIdentity) throws -> TLSIdentity
    ) -> Self {
        Self(testDescription: name, reason: "upstream-tls") { stream, mode, authority in
            if mode == "starttls" { try stream.proceed() }
            let secured = try SecuredStream(stream.wire, as: try make(authority), newest: newest)
            // With TLS 1.3 the server believes that all is well until the alert comes; the daemon ignores what it
            // sends.
            do {
                try secured.handshake()
                try secured.send(ScriptedStream.header() + ScriptedStream.features)
            } catch is TestFault {}
        }
    }

    /// The server completes the handshake and then does this.
    private static func secured(
        _ name: String, reason: String, error: String = "",
        act: @escaping @Sendable (SecuredStream) throws -> Void
    ) -> Self {
        Self(testDescription: name, reason: reason, error: error) { stream, mode, authority in
            if mode == "starttls" { try stream.proceed() }
            try act(try stream.secure(as: try TLSIdentity(issuedBy: authority)))
        }
    }

    private static let hostUnknown =
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    static let before = [
        opens("offers no STARTTLS", ScriptedStream.features, reason: "upstream-no-starttls"),
        opens("offers nothing", "<stream:features/>", reason: "upstream-no-starttls"),
        opens(
            "offers STARTTLS in another namespace",
            "<stream:features><starttls xmlns='urn:example'/></stream:features>",
            reason: "upstream-no-starttls"),
        opens(
            "offers STARTTLS too deep",
            "<stream:features><a xmlns='urn:example'>\(ScriptedStream.startTLS)</a></stream:features>",
            reason: "upstream-no-starttls"),
        opens("proceeds before it has offered", ScriptedStream.proceed),
        opens("sends a stanza before it has offered", "<message/>"),
        Self(testDescription: "is older than STARTTLS", reason: "upstream-no-starttls") { stream, _, _ in
            _ = try stream.readHeader()
            try stream.send(ScriptedStream.header(version: nil))
        },
        answers(
            "refuses", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>",
            reason: "upstream-no-starttls"),
        answers("answers with features", ScriptedStream.features),
        answers("answers with a stanza", "<message/>"),
        answers("lets somebody in", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
        answers("answers with a header", ScriptedStream.header()),
        answers("answers with what it was asked", ScriptedStream.startTLS),
        answers("proceeds in another namespace", "<proceed xmlns='urn:example'/>"),
        answers("proceeds in a prefix that nobody declared", "<tls:proceed/>"),
        answers("ends the stream", "</stream:stream>", reason: "upstream-closed"),
        answers("sends a stream error", hostUnknown, reason: "upstream-stream-error", error: hostUnknown),
        answers("proceeds and goes on in the clear", ScriptedStream.proceed + "<message/>", reason: "upstream-tls"),
        answers("proceeds twice", ScriptedStream.proceed + ScriptedStream.proceed, reason: "upstream-tls"),
        answers("proceeds with a line end", ScriptedStream.proceed + "\n", reason: "upstream-tls"),
        answers(
            "proceeds and sends what TLS should protect",
            ScriptedStream.proceed + ScriptedStream.header() + ScriptedStream.features, reason: "upstream-tls"),
        Self(testDescription: "closes", reason: "upstream-lost") { stream, _, _ in
            try stream.offerSTARTTLS()
            stream.wire.close()
        },
        Self(testDescription: "proceeds and closes", reason: "upstream-tls") { stream, _, _ in
            try stream.proceed()
            stream.wire.close()
        },
        Self(testDescription: "proceeds and resets", reason: "upstream-tls") { stream, _, _ in
            try stream.proceed()
            try stream.wire.reset()
        },
    ]

    static let handshakes = [
        shakes("text", Array("hello".utf8)),
        shakes("a stream header", Array(ScriptedStream.header().utf8)),
        shakes("an HTTP answer", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
        shakes("zero bytes", [UInt8](repeating: 0, count: 100_000)),
        shakes("an alert", [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]),
        shakes("an alert that is none", [0x15, 0x03, 0x03, 0x00, 0x02, 0xFF, 0xFF]),
        shakes("a goodbye", [0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00]),
        shakes("a ServerHello without content", [0x16, 0x03, 0x03, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00]),
        shakes("a ClientHello", [0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0x00, 0x00, 0x00]),
        shakes("data before the keys", [0x17, 0x03, 0x03, 0x00, 0x05] + Array("hello".utf8)),
        shakes("a record that is too long", [0x16, 0x03, 0x03, 0xFF, 0xFF] + [UInt8](repeating: 2, count: 65_535)),
        shakes("records without content", (0..<100).flatMap { _ in [0x16, 0x03, 0x03, 0x00, 0x00] }),
        shakes("SSL 2", [0x80, 0x2E, 0x04, 0x00, 0x01, 0x00, 0x02] + [UInt8](repeating: 0, count: 39)),
        shakes("half a record and a reset", [0x16, 0x03, 0x03, 0x00]) { try $0.reset() },
        shakes("half a record and the end", [0x16, 0x03, 0x03, 0x00]) { $0.close() },
        Self(testDescription: "half of its part and the end", reason: "upstream-tls") { stream, _, authority in
            try stream.proceed()
            let identity = try TLSIdentity(issuedBy: authority)
            let flight = try SecuredStream(stream.wire, as: identity, newest: TLS1_3_VERSION).firstFlight()
            try stream.wire.send(Array(flight[..<(flight.count / 2)]))
            stream.wire.close()
        },
        Self(testDescription: "its part with a bit changed", reason: "upstream-tls") { stream, _, authority in
            try stream.proceed()
            let identity = try TLSIdentity(issuedBy: authority)
            var flight = try SecuredStream(stream.wire, as: identity, newest: TLS1_3_VERSION).firstFlight()
            flight[flight.count - 1] ^= 1
            try stream.wire.send(flight)
        },
        Self(testDescription: "its part twice", reason: "upstream-tls") { stream, _, authority in
            try stream.proceed()
            let identity = try TLSIdentity(issuedBy: authority)
            let flight = try SecuredStream(stream.wire, as: identity, newest: TLS1_2_VERSION).firstFlight()
            try stream.wire.send(flight + flight)
        },
    ]

    static let certificates = [
        certified("another name") { try TLSIdentity(issuedBy: $0, for: "DNS:evil.example") },
        certified("a name below its own") { try TLSIdentity(issuedBy: $0, for: "DNS:www.example.org") },
        certified("a wildcard one level too low") { try TLSIdentity(issuedBy: $0, for: "DNS:*.example.org") },
        certified("a name with something behind it") {
            try TLSIdentity(issuedBy: $0, for: "DNS:example.org.evil.example")
        },
        certified("an IP address") { try TLSIdentity(issuedBy: $0, for: "IP:127.0.0.1") },
        certified("expired") { try TLSIdentity(issuedBy: $0, until: -3_600) },
        certified("signed by itself") { _ in try TLSIdentity(issuedBy: nil) },
        certified("signed by an authority of the same name") { _ in try TLSIdentity(issuedBy: try .authority()) },
        certified("signed by a server") { try TLSIdentity(issuedBy: try TLSIdentity(issuedBy: $0)) },
        certified("TLS 1.1 only", newest: TLS1_1_VERSION) { try TLSIdentity(issuedBy: $0) },
    ]

    static let within = [
        secured("closes", reason: "upstream-lost") { $0.wire.close() },
        secured("resets", reason: "upstream-lost") { try $0.wire.reset() },
        secured("says goodbye", reason: "upstream-lost") { try $0.wire.send($0.goodbye()) },
        secured("says goodbye and goes on", reason: "upstream-lost") {
            try $0.wire.send($0.goodbye())
            try $0.wire.sendUntilCut(Array((ScriptedStream.header() + ScriptedStream.features).utf8))
        },
        secured("goes on in the clear", reason: "upstream-lost") {
            try $0.wire.send(Array((ScriptedStream.header() + ScriptedStream.features).utf8))
        },
        secured("changes a bit", reason: "upstream-lost") {
            var record = $0.records(ScriptedStream.header() + ScriptedStream.features)
            record[record.count / 2] ^= 1
            try $0.wire.send(record)
        },
        secured("sends a record twice", reason: "upstream-lost") {
            let record = $0.records(ScriptedStream.header())
            try $0.wire.send(record + record)
        },
        secured("sends no XML", reason: "upstream-malformed") { try $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") },
        secured("proceeds with TLS again", reason: "upstream-malformed") {
            try $0.send(ScriptedStream.header() + ScriptedStream.proceed)
        },
        secured("ends the stream", reason: "upstream-closed") {
            try $0.send(ScriptedStream.header() + "</stream:stream>")
        },
        secured("sends a stream error", reason: "upstream-stream-error", error: hostUnknown) {
            try $0.send(ScriptedStream.header() + hostUnknown)
        },
        secured("sends a stream error and says goodbye", reason: "upstream-stream-error", error: hostUnknown) {
            try $0.wire.send($0.records(ScriptedStream.header() + hostUnknown + "</stream:stream>") + $0.goodbye())
        },
        secured("sends a stream error and resets", reason: "upstream-stream-error", error: hostUnknown) {
            try $0.send(ScriptedStream.header() + hostUnknown + "</stream:stream>")
            try $0.wire.reset()
        },
        secured("sends a stream error, says goodbye and resets", reason: "upstream-stream-error", error: hostUnknown) {
            try $0.wire.send($0.records(ScriptedStream.header() + hostUnknown + "</stream:stream>") + $0.goodbye())
            try $0.wire.reset()
        },
    ]

    static let clear = [
        shakes("a stream", Array((ScriptedStream.header() + ScriptedStream.features).utf8)),
        shakes("an offer of STARTTLS", Array((ScriptedStream.header() + ScriptedStream.startTLSFeatures).utf8)),
        shakes("an HTTP answer", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
        shakes("nothing, and the end", []) { $0.close() },
        shakes("nothing, and a reset", []) { try $0.reset() },
    ]
}

/// What a server does to an open stream that TLS protects.
struct HostileTLSEnd: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var reason = "upstream-lost"
    /// The stream error that the client gets.
    var error = ""
    let act: @Sendable (SecuredStream) throws -> Void

    static let all = [
        Self(testDescription: "closes without a goodbye") { $0.wire.close() },
        Self(testDescription: "closes with a goodbye") {
            try $0.wire.send($0.goodbye())
            $0.wire.close()
        },
        Self(testDescription: "resets") { try $0.wire.reset() },
        Self(testDescription: "sends half a record and closes") {
            try $0.wire.send($0.records("<message id='m2'/>").dropLast(3).map { $0 })
            $0.wire.close()
        },
        Self(testDescription: "sends a stanza in the clear") { try $0.wire.send("<message id='m2'/>") },
        Self(testDescription: "changes a bit") {
            var record = $0.records("<message id='m2'/>")
            record[8] ^= 1
            try $0.wire.send(record)
        },
        Self(testDescription: "sends an alert in the clear") {
            try $0.wire.send([0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00])
        },
        Self(testDescription: "begins another handshake in the clear") {
            try $0.wire.send([0x16, 0x03, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00])
        },
        Self(testDescription: "sends what is not well-formed", reason: "upstream-malformed") {
            try $0.send("<message></presence><message id='m2'/>")
        },
        Self(
            testDescription: "sends a stream error and half a record", reason: "upstream-stream-error",
            error: "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ) {
            let error = "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            try $0.wire.send($0.records(error) + $0.records("<message id='m2'/>").dropLast(3))
            $0.wire.close()
        },
    ]
}
