import Primitives
import Testing

@testable import Gateway

/// How long things take, by the instants of turns alone.
@Suite struct LatenciesTests {
    private let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    @Test("what is passed on in the turn that read it takes as long as the turn")
    func sameTurn() {
        var latencies = Latencies()
        for _ in 0..<3 {
            latencies.beginDelivery(readAt: start)
            latencies.notePassedOn(now: start)
            let isPassedOn = latencies.endDelivery()
            #expect(isPassedOn)
        }
        #expect(latencies.forward.count == 0)
        latencies.endTurn(after: .milliseconds(2))
        #expect(latencies.forward.count == 3 && latencies.forward.sum == .milliseconds(6))
        #expect(latencies.turn.count == 1 && latencies.turn.longest == .milliseconds(2))
        latencies.endTurn(after: .milliseconds(1))
        #expect(latencies.forward.count == 3 && latencies.turn.count == 2)
    }

    @Test("what waited for its turn counts from the turn that read it")
    func laterTurn() {
        var latencies = Latencies()
        latencies.beginDelivery(readAt: start)
        latencies.notePassedOn(now: start.advanced(by: .milliseconds(40)))
        #expect(latencies.forward.count == 1 && latencies.forward.sum == .milliseconds(40))
    }

    @Test("an answer without a delivery is not counted, and what no client waits for is not passed on")
    func nothingToPassOn() {
        var latencies = Latencies()
        latencies.notePassedOn(now: start)
        latencies.beginDelivery(readAt: start)
        let isPassedOn = latencies.endDelivery()
        #expect(!isPassedOn)
        latencies.notePassedOn(now: start)
        latencies.endTurn(after: .seconds(1))
        #expect(latencies.forward.count == 0)
    }

    @Test("short instants tell the time between two, also over the end of their range")
    func shortInstants() {
        #expect(ShortInstant(start).elapsed(until: start.advanced(by: .milliseconds(1_500))) == .milliseconds(1_500))
        let late = MonotonicInstant(nanoseconds: (1 << 24 - 2) * 1_000_000)
        #expect(ShortInstant(MonotonicInstant(nanoseconds: 0)) != .none)
        #expect(ShortInstant(late).elapsed(until: late.advanced(by: .seconds(10))) == .seconds(10))
    }

    @Test("what lasts at a slot counts from its own beginning, and once")
    func slots() {
        var times = SlotTimes()
        let later = start.advanced(by: .seconds(1))
        var time = times.end(2, now: start)
        #expect(time == nil)
        times.begin(2, now: start)
        times.beginUnlessBegun(2, now: later)
        time = times.end(2, now: later)
        #expect(time == .seconds(1))
        time = times.end(2, now: later)
        #expect(time == nil)
        times.beginUnlessBegun(2, now: start)
        times.begin(2, now: later)
        time = times.end(2, now: later)
        #expect(time == .zero)
    }
}
