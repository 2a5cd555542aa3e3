import TestSupport
import Testing

/// Servers other than the configured one: a client asks for one (`route`), or a server redirects to one
/// (see-other-host).
@Suite struct UpstreamRouteTests {
    private let own: ScriptedUpstream
    private let listed: ScriptedUpstream
    private let other: ScriptedUpstream

    init() throws {
        own = try ScriptedUpstream()
        listed = try ScriptedUpstream()
        other = try ScriptedUpstream()
    }

    private func daemon(routes: Bool = true, flags: [String] = []) throws -> Daemon {
        let environment = routes ? ["HOLDFAST_ROUTE": "127.0.0.1:\(listed.port), localhost:\(listed.port)"] : [:]
        return try Daemon(["--upstream", "127.0.0.1:\(own.port)"] + flags, environment: environment)
    }

    private func expectSession(_ request: BOSHRequest, at server: ScriptedUpstream) throws {
        let stream = try server.accept()
        #expect(try stream.open().contains(" to='example.org'"))
        #expect(try request.answer().payload == ScriptedStream.features)
        withExtendedLifetime(stream) {}
    }

    // MARK: route

    @Test(
        "S-18: without a list a route means nothing",
        arguments: [
            "xmpp:127.0.0.1:LISTED", "xmpp:10.0.0.1:22", "xmpp:[::1]:25", "http://example.org/", "nonsense", "",
        ])
    func ignored(route: String) throws {
        let daemon = try daemon(routes: false)
        let route = route.replacing("LISTED", with: "\(listed.port)")
        let request = try BOSHClient(daemon).create(to: "example.org", "route='\(route)'")
        try expectSession(request, at: own)
        #expect(try listed.isUntouched)
    }

    @Test("S-18: a route of the list is taken", arguments: ["127.0.0.1", "localhost", "LOCALHOST"])
    func allowed(host: String) throws {
        let daemon = try daemon()
        let request = try BOSHClient(daemon).create(to: "example.org", "route='xmpp:\(host):\(listed.port)'")
        try expectSession(request, at: listed)
        #expect(try own.isUntouched)
    }

    @Test("S-18: with a list, who asks for no route gets the configured server", arguments: ["", "route=''"])
    func notAsked(attribute: String) throws {
        let daemon = try daemon()
        try expectSession(try BOSHClient(daemon).create(to: "example.org", attribute), at: own)
        #expect(try listed.isUntouched)
    }

    @Test(
        "S-18: any other route is refused, and nothing is connected",
        arguments: [
            "xmpp:127.0.0.1:OTHER", "xmpp:127.0.0.1:OWN", "xmpp:127.0.0.1", "xmpp:127.1:LISTED",
            "http:127.0.0.1:LISTED",
            "127.0.0.1:LISTED", "xmpp:127.0.0.1:LISTED/", "xmpp:127.0.0.1:0LISTED", "xmpp:[::ffff:127.0.0.1]:LISTED",
            "xmpp://127.0.0.1:LISTED", " xmpp:127.0.0.1:LISTED", "xmpp:2130706433:LISTED", "nonsense",
        ])
    func refused(route: String) throws {
        let daemon = try daemon()
        let places = ["OTHER": other, "OWN": own, "LISTED": listed]
        let route = places.reduce(route) { $0.replacing($1.key, with: "\($1.value.port)") }
        let answer = try BOSHClient(daemon).create(to: "example.org", "route='\(route)'").answer()
        #expect(answer.condition == "host-unknown")
        for server in [own, listed, other] { #expect(try server.isUntouched) }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("upstream.connects") == 0)
        #expect(try statistics.number("sessions.now") == 0)
    }

    @Test("S-18 S-16: a route opens no other domain")
    func otherDomain() throws {
        let daemon = try daemon()
        let request = try BOSHClient(daemon).create(to: "example.com", "route='xmpp:127.0.0.1:\(listed.port)'")
        #expect(try request.answer().condition == "host-unknown")
        #expect(try listed.isUntouched)
    }

    // MARK: see-other-host

    /// Reads the header on the next connection and redirects the client.
    private func redirect(_ server: ScriptedUpstream, to place: String) throws -> ScriptedStream {
        let stream = try server.accept()
        _ = try stream.readHeader()
        let error = ScriptedStream.error("see-other-host", place)
        try stream.wire.sendUntilCut(Array((ScriptedStream.header() + error + "</stream:stream>").utf8))
        return stream
    }

    @Test(
        "see-other-host: a listed place is gone to", arguments: ["127.0.0.1", "localhost", "LocalHost", " 127.0.0.1"])
    func followed(host: String) throws {
        let daemon = try daemon()
        let client = BOSHClient(daemon)
        let request = try client.create()
        let left = try redirect(own, to: "\(host):\(listed.port)")
        let stream = try listed.accept()
        #expect(try stream.open(id: "s2").contains(" to='example.org'"))
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
        try left.wire.drain()
        try stream.send("<message id='m1'/>")
        #expect(try client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
        #expect(try daemon.statistics().number("upstream.streams_now") == 1)
    }

    @Test("see-other-host: the domain's other servers are listed by themselves")
    func followedToOwnAddress() throws {
        let scene = try TargetScene(count: 3)
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let left = try redirect(scene.servers[0], to: "127.0.0.1:\(scene.servers[2].port)")
        try scene.servers[2].accept().open()
        try client.adopt(try request.answer())
        #expect(try scene.servers[1].isUntouched)
        withExtendedLifetime(left) {}
    }

    @Test(
        "see-other-host: no other place is gone to",
        arguments: [
            "127.0.0.1:OTHER", "127.0.0.1", "127.1:LISTED", "[::ffff:127.0.0.1]:LISTED", "localhost..:LISTED",
            "nowhere.invalid:LISTED", "127.0.0.1:LISTED:1", "xmpp:127.0.0.1:LISTED", "user@127.0.0.1:LISTED", "",
        ])
    func notFollowed(place: String) throws {
        let daemon = try daemon()
        let place = place.replacing("OTHER", with: "\(other.port)").replacing("LISTED", with: "\(listed.port)")
        let request = try BOSHClient(daemon).create()
        let stream = try redirect(own, to: place)
        let answer = try request.answer()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload == ScriptedStream.error("see-other-host", place))
        for server in [own, listed, other] { #expect(try server.isUntouched) }
        try daemon.wait(until: "upstream.streams_now", is: 0)
        withExtendedLifetime(stream) {}
    }

    @Test("see-other-host: without a list none is gone to")
    func noList() throws {
        let daemon = try daemon(routes: false)
        let request = try BOSHClient(daemon).create()
        let stream = try redirect(own, to: "127.0.0.1:\(listed.port)")
        #expect(try request.answer().condition == "remote-stream-error")
        #expect(try listed.isUntouched)
        withExtendedLifetime(stream) {}
    }

    @Test("see-other-host: whoever is sent on by the second one too is told so", arguments: [true, false])
    func onlyOnce(sendsBack: Bool) throws {
        let daemon = try daemon()
        let request = try BOSHClient(daemon).create()
        let first = try redirect(own, to: "127.0.0.1:\(listed.port)")
        let place = "127.0.0.1:\(sendsBack ? own.port : listed.port)"
        let second = try redirect(listed, to: place)
        let answer = try request.answer()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload == ScriptedStream.error("see-other-host", place))
        #expect(try own.isUntouched)
        #expect(try listed.isUntouched)
        try daemon.wait(until: "upstream.streams_now", is: 0)
        withExtendedLifetime((first, second)) {}
    }

    @Test("see-other-host: where we are sent and cannot get to is what the client is told, each failure counted once")
    func leadsNowhere() throws {
        let nobody = try ScriptedUpstream().port
        let daemon = try Daemon(
            configuration: "route = [\"127.0.0.1:\(nobody)\"]", flags: ["--upstream", "127.0.0.1:\(own.port)"])
        let request = try BOSHClient(daemon).create()
        let left = try redirect(own, to: "127.0.0.1:\(nobody)")
        #expect(try request.isTurnedAway())
        let statistics = try daemon.statistics()
        #expect(try statistics.number("failures.redirected", ofSite: "example.org") == 1)
        #expect(try statistics.number("failures.unreachable", ofSite: "example.org") == 1)
        #expect(try statistics.number("failures.stream-error", ofSite: "example.org") == 0)
        withExtendedLifetime(left) {}
    }

    @Test("see-other-host: a server that sends everybody to itself")
    func toItself() throws {
        let daemon = try daemon()
        let request = try BOSHClient(daemon).create()
        let streams = try (0..<2).map { _ in try redirect(own, to: "127.0.0.1:\(own.port)") }
        #expect(try request.answer().condition == "remote-stream-error")
        #expect(try own.isUntouched)
        withExtendedLifetime(streams) {}
    }

    @Test("T-06: see-other-host on an open stream is for the client, as a whole")
    func afterOpen() throws {
        let daemon = try daemon()
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try own.accept()
        try stream.open()
        try client.adopt(try request.answer())
        let error = ScriptedStream.error("see-other-host", "127.0.0.1:\(listed.port)")
        let poll = try client.send()
        try daemon.settle()
        try stream.send(error + "</stream:stream>")
        let answer = try poll.answer()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload == error)
        #expect(try listed.isUntouched)
    }
}
