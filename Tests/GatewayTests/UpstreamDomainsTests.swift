import TestSupport
import Testing

/// Several domains, each with a server of its own.
@Suite struct UpstreamDomainsTests {
    private let servers: [ScriptedUpstream]
    private let daemon: Daemon

    init() throws {
        let servers = try (0..<3).map { _ in try ScriptedUpstream() }
        self.servers = servers
        daemon = try Daemon(
            configuration: """
                default-domain = "example.org"
                [domains."example.org"]
                upstream = ["127.0.0.1:\(servers[0].port)"]
                [domains."Chat.Example.net"]
                upstream = ["127.0.0.1:\(servers[1].port)"]
                [domains."bücher.example"]
                upstream = ["127.0.0.1:\(servers[2].port)"]
                """)
    }

    /// The domains as clients may write them, the servers of their streams, and what the server gets.
    static let spellings: [(String?, Int, String)] = [
        ("example.org", 0, "example.org"),
        ("EXAMPLE.org", 0, "example.org"),
        (nil, 0, "example.org"),
        ("", 0, "example.org"),
        ("chat.example.net", 1, "chat.example.net"),
        ("CHAT.EXAMPLE.NET", 1, "chat.example.net"),
        ("bücher.example", 2, "bücher.example"),
        ("BÜCHER.example", 2, "bücher.example"),
        ("xn--bcher-kva.example", 2, "bücher.example"),
        ("XN--BCHER-KVA.Example", 2, "bücher.example"),
    ]

    @Test("S-16 X-02: each domain's streams go to its own server, however a client writes it", arguments: spellings)
    func goesToOwnServer(to: String?, index: Int, domain: String) throws {
        let client = BOSHClient(daemon)
        let request = try client.create(to: to)
        let stream = try servers[index].accept()
        let header = try stream.open()
        #expect(header.contains(" to='\(domain)'"))
        #expect(try client.adopt(try request.answer())["from"] != nil)
        for other in servers { #expect(try other.isUntouched) }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("streams_opened", ofSite: domain) == 1)
        #expect(try statistics.number("upstream.connects") == 1)
    }

    @Test(
        "S-16: what is not served is refused, and nothing is connected",
        arguments: [
            "example.com", "chat.example.org", "net", "example.org..", "127.0.0.1", "bucher.example", "*",
            "xn--bcher-kva.example.org", "example.org/resource", "user@example.org", "[::1]", " example.org",
        ])
    func refuses(domain: String) throws {
        #expect(try BOSHClient(daemon).create(to: domain).answer().condition == "host-unknown")
        for server in servers { #expect(try server.isUntouched) }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.refused.host-unknown") == 1)
        #expect(try statistics.number("sessions.ever") == 0)
        #expect(try statistics.number("upstream.connects") == 0)
    }

    @Test("S-15: without a default domain a client has to name one")
    func needsDomain() throws {
        let daemon = try Daemon(upstream: servers[0].port)
        for domain in [nil, ""] {
            #expect(try BOSHClient(daemon).create(to: domain).answer().condition == "improper-addressing")
        }
        #expect(try servers[0].isUntouched)
    }

    @Test("one domain's dead server is nothing to the others")
    func failsAlone() throws {
        servers[1].stopListening()
        #expect(try BOSHClient(daemon).create(to: "chat.example.net").isTurnedAway())
        let client = BOSHClient(daemon)
        let request = try client.create(to: "example.org")
        try servers[0].accept().open()
        try client.adopt(try request.answer())
        let statistics = try daemon.statistics()
        #expect(try statistics.number("failures.unreachable", ofSite: "chat.example.net") == 1)
        #expect(try statistics.number("failures.unreachable", ofSite: "example.org") == 0)
    }

    @Test("M-02: a stream that is added may be of another domain, on its server")
    func addsStream() throws {
        let client = BOSHClient(daemon)
        let request = try client.create(to: "example.org")
        try servers[0].accept().open()
        let created = try client.adopt(try request.answer())
        #expect(created["stream"] != nil)
        let more = try client.send("to='xn--bcher-kva.example'")
        let stream = try servers[2].accept()
        #expect(try stream.open().contains(" to='bücher.example'"))
        var answer = try more.answer()
        if answer.payload.isEmpty { answer = try client.exchange() }
        #expect(answer.payload == ScriptedStream.features)
        #expect(try servers[1].isUntouched)
    }

    @Test("X-18 X-19: each domain's table says how its server is spoken to")
    func ownTLS() throws {
        let authority = try TLSIdentity.authority()
        let file = try TemporaryFile(authority.pem)
        let daemon = try Daemon(
            configuration: """
                [domains."example.org"]
                upstream = ["127.0.0.1:\(servers[0].port)"]
                [domains."direct.example"]
                upstream = ["127.0.0.1:\(servers[1].port)"]
                upstream-tls = "direct"
                upstream-ca = "\(file.path)"
                [domains."bücher.example"]
                upstream = ["127.0.0.1:\(servers[2].port)"]
                upstream-tls = "starttls"
                upstream-ca = "\(file.path)"
                """)
        let direct = BOSHClient(daemon)
        var request = try direct.create(to: "direct.example")
        let first = try servers[1].accept().secure(as: try TLSIdentity(issuedBy: authority, for: "DNS:direct.example"))
        try first.send(ScriptedStream.header() + ScriptedStream.features)
        try direct.adopt(try request.answer())
        let started = BOSHClient(daemon)
        request = try started.create(to: "bücher.example")
        let stream = try servers[2].accept()
        try stream.proceed()
        // The certificate has the name in the form of the DNS.
        let second = try stream.secure(as: try TLSIdentity(issuedBy: authority, for: "DNS:xn--bcher-kva.example"))
        try second.send(ScriptedStream.header() + ScriptedStream.features)
        try started.adopt(try request.answer())
        let plain = BOSHClient(daemon)
        request = try plain.create(to: "example.org")
        try servers[0].accept().open()
        try plain.adopt(try request.answer())
        let statistics = try daemon.statistics()
        #expect(try statistics.number("handshake_time.count", ofSite: "direct.example") == 1)
        #expect(try statistics.number("handshake_time.count", ofSite: "bücher.example") == 1)
        #expect(try statistics.number("handshake_time.count", ofSite: "example.org") == 0)
        withExtendedLifetime((first, second)) {}
    }
}
