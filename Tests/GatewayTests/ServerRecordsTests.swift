import Primitives
import StreamCore
import TestSupport
import Testing

@testable import Gateway

/// The numbers by server.
@Suite struct ServerRecordsTests {
    private func target(_ host: String, _ port: UInt16 = 5222) -> UpstreamTarget {
        UpstreamTarget(host: host, port: port, tls: .none, priority: 0, weight: 0)
    }

    private func key(_ host: String, _ port: UInt16 = 5222, of domain: String = "a.test") -> UpstreamKey {
        UpstreamKey(target(host, port), of: domain)
    }

    @Test("a server of several domains has one row, and what no setting names is counted together")
    func rows() {
        var records = ServerRecords([
            ("a.test", [target("one.test"), target("::1", 1)]), ("b.test", [target("one.test")]),
        ])
        #expect(records.all.map(\.name) == ["one.test:5222", "[::1]:1", "other"])
        #expect(records.all.map(\.keys.count) == [2, 1, 0])
        records.count(at: records.place(of: key("one.test", of: "b.test"))) { $0.connects += 1 }
        records.count(at: records.place(of: key("one.test", 1))) { $0.connects += 2 }
        records.count(at: records.place(of: key("::1", 1))) { $0.connects += 4 }
        records.count(at: records.place(of: nil)) { $0.connects += 8 }
        #expect(records.all.map(\.health.connects) == [1, 4, 2])
    }

    @Test("there are never more rows than fit, however many servers the settings name")
    func bounded() {
        let servers = (1...100).map { target("host\($0).test") }
        var records = ServerRecords([("a.test", servers)])
        #expect(records.all.count == ServerRecords.most + 1)
        records.count(at: records.place(of: key("host100.test"))) { $0.connects += 1 }
        #expect(records.all.last?.health.connects == 1)
    }

    @Test("a server stands as it does for the domain that fares worst")
    func standing() {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        var breakers = Breakers(failures: 1, longestPause: .seconds(60))
        let keys = [key("one.test"), key("one.test", of: "b.test")]
        #expect(ServerStanding(keys, by: breakers, now: start).breaker == 0)
        _ = breakers.note(.broken, of: keys[1], now: start)
        let standing = ServerStanding(keys, by: breakers, now: start)
        #expect(standing.breaker == 2 && standing.pause == .seconds(1))
        let later = start.advanced(by: .seconds(2))
        let isProbe = breakers.admits(keys[1], now: later)
        #expect(isProbe)
        #expect(ServerStanding(keys, by: breakers, now: later).breaker == 1)
    }

    @Test("stats: what a server does is told by server, and that it is left alone")
    func daemon() throws {
        let session = try OpenSession(environment: [
            "HOLDFAST_UPSTREAM_BREAKER_FAILURES": "1", "HOLDFAST_UPSTREAM_BREAKER_PAUSE": "3600",
        ])
        let daemon = session.daemon
        let name = "127.0.0.1:\(session.server.port)"
        let open = try daemon.statistics()
        #expect(try open.number("streams_now", ofServer: name) == 1)
        #expect(try open.number("connects", ofServer: name) == 1)
        #expect(try open.number("connect_time.count", ofServer: name) == 1)
        #expect(try open.number("connects", ofServer: "other") == 0)
        #expect(try daemon.connectToAdmin().get("/readyz").body == "ready\n")
        session.stream.wire.close()
        try daemon.wait(until: "upstream.streams_now", is: 0)
        let ended = try daemon.statistics()
        #expect(try ended.number("streams_now", ofServer: name) == 0)
        #expect(try ended.number("failures.lost", ofServer: name) == 1)

        session.server.stopListening()
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        let down = try daemon.statistics()
        #expect(try down.number("failures.unreachable", ofServer: name) == 1)
        #expect(try down.number("breaker", ofServer: name) == 2)
        // The first pause takes a second, so the answer to the next question depends on the machine: ask what both are.
        let ready = try daemon.connectToAdmin().get("/readyz")
        if ready.status == 503 {
            #expect(ready.body.hasPrefix("every server of every domain is left alone after failures\nexample.org: "))
        } else {
            #expect(ready.body == "ready\n")
        }
    }
}
