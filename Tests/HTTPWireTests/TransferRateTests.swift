import HTTPWire
import Primitives
import Testing

/// A transfer that makes progress may go on; one that sends a byte now and then may not.
@Suite struct TransferRateTests {
    private static let start = MonotonicInstant(nanoseconds: 5_000_000_000)
    private static let window = Duration.seconds(10)

    private static func at(_ seconds: Int64) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    @Test("body-rate: a byte a second is too slow at the end of the window, not before")
    func endsTrickles() {
        var rate = TransferRate()
        rate.begin(now: Self.start)
        for second in 1...9 as ClosedRange<Int64> {
            rate.note(1)
            let isTooSlow = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(second))
            #expect(!isTooSlow)
        }
        #expect(rate.windowEnd(Self.window, least: 500) == Self.at(10))
        let isTooSlow = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(10))
        #expect(isTooSlow)
    }

    @Test("body-rate: exactly the least rate is enough, a byte less is not", arguments: [5_000, 4_999])
    func isExact(bytes: Int) {
        var rate = TransferRate()
        rate.begin(now: Self.start)
        rate.note(bytes)
        let isTooSlow = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(10))
        #expect(isTooSlow == (bytes < 5_000))
    }

    @Test("body-rate: each window counts for itself, a fast one earns nothing for the next")
    func countsWindows() {
        var rate = TransferRate()
        rate.begin(now: Self.start)
        rate.note(1_000_000)
        let first = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(10))
        let second = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(20))
        #expect(!first && second)
    }

    @Test("send-rate: beginning again while one is under way changes nothing, after an end it does")
    func begins() {
        var rate = TransferRate()
        #expect(!rate.isRunning && rate.windowEnd(Self.window, least: 500) == nil)
        rate.begin(now: Self.start)
        rate.begin(now: Self.at(9))
        #expect(rate.windowEnd(Self.window, least: 500) == Self.at(10))
        rate.end()
        let isTooSlow = rate.isTooSlow(window: Self.window, least: 500, now: Self.at(60))
        #expect(!isTooSlow)
        rate.begin(now: Self.at(60))
        #expect(rate.windowEnd(Self.window, least: 500) == Self.at(70))
    }

    @Test("body-rate: 0 is any rate")
    func mayBeOff() {
        var rate = TransferRate()
        rate.begin(now: Self.start)
        #expect(rate.windowEnd(Self.window, least: 0) == nil)
        let isTooSlow = rate.isTooSlow(window: Self.window, least: 0, now: Self.at(600))
        #expect(!isTooSlow)
    }

    @Test("body-rate: no number overflows")
    func doesNotOverflow() {
        var rate = TransferRate()
        rate.begin(now: Self.start)
        rate.note(.max)
        rate.note(.max)
        let isTooSlow = rate.isTooSlow(window: Self.window, least: 1_000_000, now: Self.at(10))
        #expect(!isTooSlow)
    }
}
