import TestSupport
import Testing

/// The open proxy: it serves any domain, but no private address, and no name that cannot stand in the DNS.
@Suite final class UpstreamOpenProxyTests {
    /// The name servers; they answer as long as the test lasts.
    private var names: [NameServer] = []
    private let server: ScriptedUpstream
    /// The server of the only configured domain.
    private let own: ScriptedUpstream

    init() throws {
        server = try ScriptedUpstream()
        own = try ScriptedUpstream()
    }

    private func daemon(_ names: NameServer, isOn: Bool = true) throws -> Daemon {
        self.names.append(names)
        return try Daemon(
            ["--upstream", "127.0.0.1:\(own.port)"],
            environment: ["HOLDFAST_NAMESERVER": names.address, "HOLDFAST_OPEN_PROXY": isOn ? "on" : "off"])
    }

    /// Addresses to which strangers must not lead the daemon.
    static let forbidden: [[String]] = [
        ["127.0.0.1"], ["127.8.8.8"], ["0.0.0.0"], ["10.1.2.3"], ["172.16.0.1"], ["192.168.1.1"], ["169.254.169.254"],
        ["100.64.0.1"], ["192.0.2.2"], ["198.18.0.1"], ["224.0.0.1"], ["240.0.0.1"], ["255.255.255.255"], ["::1"],
        ["::"], ["::ffff:127.0.0.1"], ["::ffff:10.1.2.3"], ["::127.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"],
        ["fe80::1"], ["fc00::1"], ["fd00::2"], ["ff02::1"], ["2001:db8::1"], ["127.0.0.1", "::1", "10.1.2.3"],
    ]

    @Test(
        "open proxy: a domain that leads to a private address is refused, and nothing is connected",
        arguments: forbidden)
    func refusesPrivate(addresses: [String]) throws {
        let records = NameServer.Entry.records(addresses.map { .address($0) })
        let names = try NameServer([
            // The domain leads there by its services, and by itself.
            "_xmpp-client._tcp.evil.example": .records([.service(0, 0, server.port, "target.example")]),
            "target.example": records, "plain.example": records,
        ])
        let daemon = try daemon(names)
        for domain in ["evil.example", "plain.example"] {
            #expect(try BOSHClient(daemon).create(to: domain).answer().condition == "host-unknown")
        }
        #expect(names.questions.contains("A target.example"))
        try expectNothingConnected(daemon)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.ended.upstream-forbidden") == 2)
        #expect(try statistics.number("failures.refused-target", ofSite: "*") == 2)
    }

    @Test(
        "open proxy: a service whose target is a number or a name of this machine is refused",
        arguments: ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
    func refusesNumericTarget(target: String) throws {
        let names = try NameServer([
            "_xmpp-client._tcp.evil.example": .records([.service(0, 0, server.port, target)]),
            "localhost": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names)
        let condition = try BOSHClient(daemon).create(to: "evil.example").answer().condition
        #expect(condition == "host-unknown" || condition == "remote-connection-failed")
        try expectNothingConnected(daemon)
    }

    @Test("open proxy: one good target does not open the way to a bad one")
    func mixedTargets() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.evil.example": .records([
                .service(0, 0, server.port, "missing.example"), .service(1, 0, server.port, "target.example"),
            ]),
            "target.example": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names)
        #expect(try BOSHClient(daemon).create(to: "evil.example").answer().isTerminal)
        try expectNothingConnected(daemon)
    }

    @Test(
        "open proxy: what is no ASCII name of DNS is refused, and nobody is asked",
        arguments: [
            "bücher.example", "127.0.0.1", "[::1]", "::1", "localhost", "example", "10.0.0.1", "1.2.3", "a..example",
            ".example", "evil.example..", "evil_x.example", "-a.example", "a b.example", "evil.example:22",
            "a/b.example",
            "xn--a\u{1}.example", String(repeating: "a", count: 64) + ".example",
        ])
    func refusesNames(domain: String) throws {
        let names = try NameServer([:])
        let daemon = try daemon(names)
        let condition = try BOSHClient(daemon).create(to: domain).answer().condition
        #expect(condition == (domain.contains("\u{1}") ? "bad-request" : "host-unknown"))
        #expect(names.questions == [])
        try expectNothingConnected(daemon)
    }

    @Test("open proxy: a domain that does not exist")
    func missing() throws {
        let names = try NameServer([:])
        let daemon = try daemon(names)
        for _ in 0..<3 {
            #expect(
                try BOSHClient(daemon).create(to: "nowhere.example").answer().condition == "remote-connection-failed")
        }
        #expect(names.questions.filter { $0 == "SRV _xmpp-client._tcp.nowhere.example" }.count == 1)
        try expectNothingConnected(daemon)
    }

    @Test("open proxy: the domain that is configured is reached as the operator says, private or not")
    func configured() throws {
        let daemon = try daemon(try NameServer([:]))
        let client = BOSHClient(daemon)
        let request = try client.create()
        try own.accept().open()
        try client.adopt(try request.answer())
        #expect(try daemon.statistics().number("streams_opened", ofSite: "example.org") == 1)
    }

    @Test("open proxy: strangers' names that take long do not keep the operator's own waiting", arguments: [1, 2])
    func slowNames(workers: Int) throws {
        let slow = (0..<12).map { "r\($0).slow.example" }
        var table: [String: NameServer.Entry] = ["own.example": .records([.address("127.0.0.1")])]
        for name in slow { table["_xmpp-client._tcp.\(name)"] = .silence }
        let names = try NameServer(table)
        self.names.append(names)
        let daemon = try Daemon(
            ["--upstream", "own.example:\(own.port)"],
            environment: [
                "HOLDFAST_NAMESERVER": names.address, "HOLDFAST_OPEN_PROXY": "on", "HOLDFAST_WORKERS": "\(workers)",
            ])
        let strangers = try slow.map { try BOSHClient(daemon).create(to: $0) }
        try daemon.settle()
        let client = BOSHClient(daemon)
        let request = try client.create()
        try own.accept().open()
        try client.adopt(try request.answer())
        // Some of the strangers' names were looked up, and most still wait for their turn.
        let asked = names.questions.filter { $0.hasPrefix("SRV ") }
        #expect(Set(asked).count < slow.count)
        #expect(try strangers.last?.isHeld == true)
    }

    @Test("open proxy: services that are not XMPP's are left alone", arguments: [UInt16(22), 25, 80, 1_023])
    func ports(port: UInt16) throws {
        let names = try NameServer([
            "_xmpp-client._tcp.evil.example": .records([.service(0, 0, port, "target.example")]),
            "target.example": .records([.address("8.8.8.8")]),
        ])
        let daemon = try daemon(names)
        #expect(try BOSHClient(daemon).create(to: "evil.example").answer().condition == "host-unknown")
        #expect(!names.questions.contains("A target.example"))
    }

    @Test("open proxy: off unless it is asked for")
    func off() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.evil.example": .records([.service(0, 0, server.port, "target.example")]),
            "target.example": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names, isOn: false)
        #expect(try BOSHClient(daemon).create(to: "evil.example").answer().condition == "host-unknown")
        #expect(names.questions == [])
        try expectNothingConnected(daemon)
    }

    @Test("open proxy: a route leads nowhere")
    func route() throws {
        let daemon = try daemon(try NameServer([:]))
        let request = try BOSHClient(daemon).create(to: "nowhere.example", "route='xmpp:127.0.0.1:\(server.port)'")
        #expect(try request.answer().isTerminal)
        try expectNothingConnected(daemon)
    }

    private func expectNothingConnected(_ daemon: Daemon) throws {
        #expect(try server.isUntouched)
        #expect(try own.isUntouched)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("upstream.connects") == 0)
        #expect(try statistics.number("upstream.streams_now") == 0)
        #expect(try statistics.number("sessions.now") == 0)
    }
}
