import TestSupport
import Testing

/// Domains whose servers are found by DNS.
@Suite final class UpstreamNamesTests {
    /// The name servers; they answer as long as the test lasts.
    private var names: [NameServer] = []
    private let server: ScriptedUpstream

    init() throws {
        server = try ScriptedUpstream()
    }

    /// A daemon that finds `example.org` and others by DNS.
    private func daemon(
        _ names: NameServer, domains: [String] = ["example.org"], upstream: String = "dns", flags: [String] = []
    ) throws -> Daemon {
        self.names.append(names)
        return try Daemon(
            domains.flatMap { ["--domain", $0] } + ["--upstream", upstream] + flags,
            environment: ["HOLDFAST_NAMESERVER": names.address])
    }

    private func expectSession(_ daemon: Daemon, at server: ScriptedUpstream, _ domain: String = "example.org") throws {
        let client = BOSHClient(daemon)
        let request = try client.create(to: domain)
        let stream = try server.accept()
        try stream.open()
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
    }

    private func expectRefusal(_ daemon: Daemon, _ reason: String) throws {
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        #expect(try daemon.statistics().number("sessions.ended.\(reason)") == 1)
        #expect(try daemon.statistics().number("upstream.connects") == 0)
        #expect(try server.isUntouched)
    }

    // MARK: Services

    @Test("DNS: the server that the domain names is found, at a loopback address too, for the operator says so")
    func findsServer() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([.service(5, 0, server.port, "xmpp.example.net")]),
            "xmpp.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names)
        try expectSession(daemon, at: server)
        // Without TLS, the daemon does not ask for servers that want TLS.
        #expect(!names.questions.contains { $0.contains("_xmpps-client") })
        #expect(names.questions.first == "SRV _xmpp-client._tcp.example.org")
        // The answer is kept for a while.
        let count = names.questions.count
        for _ in 0..<5 { try expectSession(daemon, at: server) }
        #expect(names.questions.count == count)
    }

    @Test("nameserver: a server that moved is found, however long its old address was to hold")
    func moved() throws {
        let (server, elsewhere) = try ScriptedUpstream.withOnePort { try ScriptedUpstream(on: 0x7F00_0002, port: $0) }
        let names = try NameServer(["xmpp.example.net": .records([.address("127.0.0.1")])])
        let daemon = try daemon(names, upstream: "xmpp.example.net:\(server.port)")
        try expectSession(daemon, at: server)
        names.change("xmpp.example.net", to: .records([.address("127.0.0.2")]))
        server.stopListening()
        // A second later not even the first client notices anything; an answer with a short lifetime is looked up once.
        Patience.pause(milliseconds: 1_100)
        let count = names.questions.count
        for _ in 0..<3 { try expectSession(daemon, at: elsewhere) }
        #expect(names.questions.count == count + 2)
    }

    @Test("nameserver: an answer that has just come is not doubted")
    func doubtsOnceASecond() throws {
        let names = try NameServer(["xmpp.example.net": .records([.address("127.0.0.1")])])
        let daemon = try daemon(names, upstream: "xmpp.example.net:\(server.port)")
        server.stopListening()
        let start = ContinuousClock.now
        for _ in 0..<20 { #expect(try BOSHClient(daemon).create().isTurnedAway()) }
        // The daemon asks for both address families, at first and after each second that has passed.
        let seconds = Int(start.duration(to: .now).components.seconds)
        #expect(names.questions.count <= 2 * (seconds + 2))
    }

    @Test("DNS: so is one that has another name now")
    func renamed() throws {
        let elsewhere = try ScriptedUpstream()
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([.service(5, 0, server.port, "a.example.net")]),
            "a.example.net": .records([.address("127.0.0.1")]), "b.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names)
        try expectSession(daemon, at: server)
        names.change("_xmpp-client._tcp.example.org", to: .records([.service(5, 0, elsewhere.port, "b.example.net")]))
        server.stopListening()
        try expectFoundAgain(daemon, at: elsewhere)
        // A server that cannot be reached is not looked up again for every session.
        elsewhere.stopListening()
        let count = names.questions.count
        let start = ContinuousClock.now
        for _ in 0..<20 { #expect(try BOSHClient(daemon).create().isTurnedAway()) }
        // There are four questions each time: the services, and the addresses of what they name.
        let seconds = Int(start.duration(to: .now).components.seconds)
        #expect(names.questions.count <= count + 4 * (seconds + 2))
    }

    /// Expects that a client gets a session after some attempts; by then the name server's answer is a second old.
    private func expectFoundAgain(_ daemon: Daemon, at server: ScriptedUpstream) throws {
        let end = ContinuousClock.now + .milliseconds(Patience.milliseconds)
        while try server.isUntouched, ContinuousClock.now < end {
            let request = try BOSHClient(daemon).create()
            while try request.isHeld, try server.isUntouched { Patience.pause() }
            guard try server.isUntouched else {
                let stream = try server.accept()
                try stream.open()
                #expect(try !request.answer().isTerminal)
                return
            }
            #expect(try request.isTurnedAway())
            Patience.pause(milliseconds: 50)
        }
        Issue.record("not found again")
    }

    @Test("DNS: the one with the lowest priority, then the next")
    func priorities() throws {
        let second = try ScriptedUpstream()
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([
                .service(20, 0, second.port, "b.example.net"), .service(10, 0, server.port, "a.example.net"),
            ]),
            "a.example.net": .records([.address("127.0.0.1")]), "b.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names)
        try expectSession(daemon, at: server)
        #expect(try second.isUntouched)
        server.stopListening()
        try expectSession(daemon, at: second)
    }

    @Test(
        "DNS: a target without an address, or that cannot be asked for now, is passed over", arguments: [true, false])
    func targetWithoutAddress(isTemporary: Bool) throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([
                .service(10, 0, 1, "a.example.net"), .service(20, 0, server.port, "b.example.net"),
            ]),
            "a.example.net": isTemporary ? .serverFailure : .records([]),
            "b.example.net": .records([.address("127.0.0.1")]),
        ])
        try expectSession(try daemon(names), at: server)
    }

    @Test("DNS: direct TLS and STARTTLS are merged by priority, and each server is spoken to in its way")
    func mergesServices() throws {
        let authority = try TLSIdentity.authority()
        let file = try TemporaryFile(authority.pem)
        let direct = try ScriptedUpstream()
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([.service(20, 0, server.port, "a.example.net")]),
            "_xmpps-client._tcp.example.org": .records([.service(10, 0, direct.port, "a.example.net")]),
            "a.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names, flags: ["--upstream-tls", "starttls", "--upstream-ca", file.path])
        let client = BOSHClient(daemon)
        var request = try client.create()
        let first = try direct.accept().secure(as: try TLSIdentity(issuedBy: authority))
        try first.send(ScriptedStream.header() + ScriptedStream.features)
        try client.adopt(try request.answer())
        direct.stopListening()
        let other = BOSHClient(daemon)
        request = try other.create()
        let stream = try server.accept()
        try stream.proceed()
        let second = try stream.secure(as: try TLSIdentity(issuedBy: authority))
        try second.send(ScriptedStream.header() + ScriptedStream.features)
        try other.adopt(try request.answer())
        withExtendedLifetime((first, second)) {}
    }

    @Test("DNS: a domain that says '.' offers no service, and nothing else is tried")
    func notOffered() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .records([.service(0, 0, 0, ".")]),
            "example.org": .records([.address("127.0.0.1")]),
        ])
        try expectRefusal(try daemon(names), "upstream-unresolved")
        #expect(names.questions == ["SRV _xmpp-client._tcp.example.org"])
    }

    @Test("DNS: without services the domain itself is the server, on port 5222", arguments: [true, false])
    func fallsBack(existsNot: Bool) throws {
        // It has its own address, because other programs may listen on that port of other addresses.
        let address = UInt32.random(in: 0x7F40_0001..<0x7F80_0000)
        let server: ScriptedUpstream
        do {
            server = try ScriptedUpstream(on: address, port: 5222)
        } catch {
            try Test.cancel("port 5222 is taken: \(error)")
        }
        let text = [24, 16, 8, 0].map { "\(address >> $0 & 0xFF)" }.joined(separator: ".")
        var table: [String: NameServer.Entry] = ["example.org": .records([.address(text)])]
        if !existsNot { table["_xmpp-client._tcp.example.org"] = .records([]) }
        try expectSession(try daemon(try NameServer(table)), at: server)
    }

    @Test("DNS: what does not exist is asked for once")
    func remembersNothing() throws {
        let names = try NameServer([:])
        let daemon = try daemon(names)
        try expectRefusal(daemon, "upstream-unresolved")
        let count = names.questions.count
        #expect(names.questions.contains("SRV _xmpp-client._tcp.example.org"))
        #expect(names.questions.contains("A example.org"))
        for _ in 0..<5 {
            #expect(try BOSHClient(daemon).create().isTurnedAway())
        }
        #expect(names.questions.count == count)
    }

    @Test("DNS: a name server that fails")
    func serverFailure() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .serverFailure, "example.org": .records([.address("127.0.0.1")]),
        ])
        try expectRefusal(try daemon(names), "upstream-unresolved")
        // If the services cannot be looked up, the domain may have some: the domain itself is not tried instead.
        #expect(!names.questions.contains("A example.org"))
    }

    @Test("DNS: internationalised domains are asked for in their ASCII form")
    func internationalised() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.xn--bcher-kva.example": .records([.service(0, 0, server.port, "a.example.net")]),
            "a.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names, domains: ["bücher.example"])
        for spelling in ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"] {
            try expectSession(daemon, at: server, spelling)
        }
        #expect(names.questions.contains("SRV _xmpp-client._tcp.xn--bcher-kva.example"))
    }

    @Test("DNS: a client that leaves while a name server is silent takes everything with it")
    func leavesWhileAsking() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .silence,
            "_xmpp-client._tcp.other.example": .records([.service(0, 0, server.port, "a.example.net")]),
            "a.example.net": .records([.address("127.0.0.1")]),
        ])
        let daemon = try daemon(names, domains: ["example.org", "other.example"])
        let request = try BOSHClient(daemon).create()
        try daemon.wait(until: "upstream.streams_now", is: 1)
        // Meanwhile other domains find their server.
        try expectSession(daemon, at: server, "other.example")
        request.abort()
        try daemon.wait(until: "sessions.ended.creation-aborted", is: 1)
        try daemon.wait(until: "upstream.streams_now", is: 0)
    }

    // MARK: Both families

    /// The server to which a connection comes first.
    private func first(of servers: [ScriptedUpstream]) throws -> ScriptedUpstream {
        try Patience.value("there is a connection", pause: 1) { try servers.first { try !$0.isUntouched } }
    }

    /// A server on 127.0.0.1 and one on ::1 with the same port.
    private func bothFamilies(
        backlog: Int32 = 1_024, ofIPv6: Int32 = 1_024
    ) throws -> (ScriptedUpstream, ScriptedUpstream) {
        do {
            return try ScriptedUpstream.withOnePort(backlog: backlog) {
                try ScriptedUpstream(onIPv6: $0, backlog: ofIPv6)
            }
        } catch {
            try Test.cancel("no ::1 here: \(error)")
        }
    }

    @Test("DNS: of a server's two addresses the one that answers gets the stream, alone", arguments: [true, false])
    func races(isIPv6Dead: Bool) throws {
        let (v4, v6) = try bothFamilies(backlog: isIPv6Dead ? 1_024 : 0, ofIPv6: isIPv6Dead ? 0 : 1_024)
        // The filler takes the only place in the queue of the dead server, which then does not answer other attempts.
        let filler = isIPv6Dead ? try ByteStream(onIPv6: v6.port) : try ByteStream(port: v4.port)
        let names = try NameServer(["both.example.net": .records([.address("127.0.0.1"), .address("::1")])])
        let daemon = try daemon(names, upstream: "both.example.net:\(v4.port)")
        let live = isIPv6Dead ? v4 : v6
        let client = BOSHClient(daemon)
        // The resolver's process, which the first name starts, exists from the first session on.
        let first = try client.create()
        try live.accept().open()
        try client.adopt(try first.answer())
        let before = try daemon.descriptorCount()
        let connection = try daemon.connect()
        for count in 1...3 {
            try connection.send(RawClient.post(BOSHClient(daemon).nextBody("to='example.org' wait='60' hold='1'")))
            try live.accept().open()
            #expect(try connection.answer().status == 200)
            #expect(try daemon.statistics().number("upstream.connects") == count + 1)
            #expect(try live.isUntouched)
        }
        // One is for this client, the others are for the streams: nothing is left of the attempts that lost.
        try daemon.settle()
        #expect(try daemon.descriptorCount() <= before + 1 + 3 + 1)
        withExtendedLifetime(filler) {}
    }

    @Test("DNS: two addresses that work, and one stream")
    func bothWork() throws {
        let (v4, v6) = try bothFamilies()
        let names = try NameServer(["both.example.net": .records([.address("127.0.0.1"), .address("::1")])])
        let daemon = try daemon(names, upstream: "both.example.net:\(v4.port)")
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try first(of: [v4, v6]).accept()
        try stream.open()
        try client.adopt(try request.answer())
        #expect(try v4.isUntouched && v6.isUntouched)
        #expect(try daemon.statistics().number("upstream.connects") == 1)
    }

    @Test("an IPv6 address of the configuration")
    func numericIPv6() throws {
        let server: ScriptedUpstream
        do {
            server = try ScriptedUpstream(onIPv6: 0)
        } catch {
            try Test.cancel("no ::1 here: \(error)")
        }
        let daemon = try Daemon(["--upstream", "[::1]:\(server.port)"])
        try expectSession(daemon, at: server)
    }
}
