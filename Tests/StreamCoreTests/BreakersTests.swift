import Primitives
import Testing

@testable import StreamCore

@Suite("Breakers: the servers that failed lately")
struct BreakersTests {
    private var breakers = Breakers(failures: 2, longestPause: .seconds(60))
    private let server = UpstreamKey.example("a")
    private var now = MonotonicInstant(nanoseconds: 5_000_000_000)

    @Test("failures in a row open a breaker, one is let through after its pause, and it works again")
    mutating func cycle() {
        #expect(breakers.admits(server, now: now) == true)
        #expect(breakers.note(.broken, of: server, now: now) == nil)
        now = now.advanced(by: .seconds(4))
        #expect(breakers.note(.broken, of: server, now: now) == .opened(pause: .seconds(1)))
        #expect(breakers.openCount == 1)
        #expect(breakers.admits(server, now: now) == false)
        now = now.advanced(by: .seconds(1))
        #expect(breakers.admits(server, now: now) == true)
        #expect(breakers.admits(server, now: now) == false)
        // Reported once: the next failures are more of the same.
        #expect(breakers.note(.broken, of: server, now: now) == nil)
        now = now.advanced(by: .seconds(2))
        #expect(breakers.admits(server, now: now) == true)
        #expect(breakers.note(.works, of: server, now: now) == .worksAgain(downtime: .seconds(7)))
        #expect(breakers.count == 0)
        #expect(breakers.note(.works, of: server, now: now) == nil)
        // The next time is counted from its own beginning.
        _ = breakers.note(.broken, of: server, now: now)
        _ = breakers.note(.broken, of: server, now: now.advanced(by: .seconds(1)))
        now = now.advanced(by: .seconds(2))
        #expect(breakers.admits(server, now: now) == true)
        #expect(breakers.note(.works, of: server, now: now) == .worksAgain(downtime: .seconds(2)))
    }

    @Test("nobody knows what became of the one that was let through: the next one is")
    mutating func unknown() {
        for _ in 0..<2 { _ = breakers.note(.broken, of: server, now: now) }
        now = now.advanced(by: .seconds(1))
        #expect(breakers.admits(server, now: now) == true)
        #expect(breakers.note(.unknown, of: server, now: now) == nil)
        #expect(breakers.phase(of: server) == .open)
        #expect(breakers.admits(server, now: now) == true)
    }

    @Test("a server is left alone from the failure that opened its breaker to the end of the pause")
    mutating func spares() {
        #expect(!breakers.spares(server, now: now))
        _ = breakers.note(.broken, of: server, now: now)
        #expect(!breakers.spares(server, now: now))
        _ = breakers.note(.broken, of: server, now: now)
        #expect(breakers.spares(server, now: now))
        #expect(!breakers.spares(.example("b"), now: now))
        #expect(!breakers.spares(server, now: now.advanced(by: .seconds(1))))
        let none = Breakers(failures: 0, longestPause: .seconds(60))
        #expect(!none.spares(server, now: now))
    }

    @Test("each domain has its own experience with a server, and each port")
    mutating func keys() {
        for _ in 0..<2 { _ = breakers.note(.broken, of: server, now: now) }
        let target = UpstreamTarget(host: "a", port: 5222, tls: .direct)
        #expect(breakers.admits(UpstreamKey(target, of: "other"), now: now) == true)
        #expect(breakers.admits(.example("a", port: 5223), now: now) == true)
        #expect(breakers.admits(UpstreamKey(target, of: "d"), now: now) == false)
        #expect("\(UpstreamKey.example("::1"))" == "[::1]:5222")
    }

    @Test("the table has a bound, and with 0 failures nothing is kept")
    mutating func bounds() {
        for number in 0..<Breakers.mostServers + 10 {
            _ = breakers.note(.broken, of: .example("h\(number)"), now: now)
        }
        #expect(breakers.count == Breakers.mostServers)
        // Known servers go on being counted.
        #expect(breakers.note(.broken, of: .example("h0"), now: now) == .opened(pause: .seconds(1)))
        var none = Breakers(failures: 0, longestPause: .seconds(60))
        for _ in 0..<9 { #expect(none.note(.broken, of: server, now: now) == nil) }
        #expect(none.admits(server, now: now) == true)
        #expect(none.count == 0)
    }
}
