import Primitives
import Testing

@Suite struct MonotonicInstantTests {
    @Test(
        "an instant moves by a duration of any sign",
        arguments: [
            (UInt64(0), Duration.seconds(1), UInt64(1_000_000_000)),
            (5, .nanoseconds(7), 12),
            (5, .zero, 5),
            (2_000_000_000, .seconds(-1), 1_000_000_000),
            (2_000_000_000, .milliseconds(-500), 1_500_000_000),
            (1, .milliseconds(1500), 1_500_000_001),
        ]) func advances(start: UInt64, step: Duration, end: UInt64)
    {
        #expect(MonotonicInstant(nanoseconds: start).advanced(by: step).nanoseconds == end)
    }

    @Test(
        "an instant saturates at the ends of the clock",
        arguments: [
            (UInt64.max, Duration.nanoseconds(1), UInt64.max),
            (UInt64.max - 1, .seconds(1), UInt64.max),
            (0, .nanoseconds(-1), 0),
            (10, .seconds(-1), 0),
            (10, .seconds(Int64.min), 0),
            (UInt64.max - 5, .seconds(Int64.max), UInt64.max),
        ]) func saturates(start: UInt64, step: Duration, end: UInt64)
    {
        #expect(MonotonicInstant(nanoseconds: start).advanced(by: step).nanoseconds == end)
    }

    @Test("a duration just over what 64 bits of nanoseconds hold moves forward, not back")
    func advancesBeyondInt64() {
        let start = MonotonicInstant(nanoseconds: 0)
        let length = Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 999_999_999_000_000_000)
        #expect(start.advanced(by: length).nanoseconds >= UInt64(Int64.max))
        let later = MonotonicInstant(nanoseconds: .max)
        #expect(later.advanced(by: .zero - length).nanoseconds <= UInt64.max - UInt64(Int64.max))
    }

    @Test("elapsed time is never negative and never overflows")
    func elapses() {
        let early = MonotonicInstant(nanoseconds: 10)
        let late = MonotonicInstant(nanoseconds: 3_000_000_010)
        #expect(late.elapsed(since: early) == .seconds(3))
        #expect(early.elapsed(since: late) == .zero)
        #expect(early.elapsed(since: early) == .zero)
        let end = MonotonicInstant(nanoseconds: .max)
        #expect(end.elapsed(since: MonotonicInstant(nanoseconds: 0)) == .nanoseconds(Int64.max))
    }

    @Test("instants order by time")
    func orders() {
        let instants = [3, 1, 2].map { MonotonicInstant(nanoseconds: $0) }
        #expect(instants.sorted().map(\.nanoseconds) == [1, 2, 3])
    }
}
