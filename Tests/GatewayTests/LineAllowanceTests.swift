import BOSHCore
import Primitives
import Testing

@testable import Gateway

/// Strangers do not fill the log.
@Suite struct LineAllowanceTests {
    private static let start = MonotonicInstant(nanoseconds: 5)

    private func take(_ lines: inout LineAllowance, _ kind: String, _ now: MonotonicInstant) -> UInt64? {
        lines.take(kind, now: now)
    }

    @Test("log-level: the first lines of a kind are written, then so many a second, and those left out are told")
    func allows() {
        var lines = LineAllowance()
        for _ in 0..<LineAllowance.burst { #expect(take(&lines, "a", Self.start) == 0) }
        for _ in 0..<7 { #expect(take(&lines, "a", Self.start) == nil) }
        #expect(take(&lines, "b", Self.start) == 0)
        let later = Self.start.advanced(by: .seconds(1))
        #expect(take(&lines, "a", later) == 7)
        for _ in 1..<LineAllowance.perSecond { #expect(take(&lines, "a", later) == 0) }
        #expect(take(&lines, "a", later) == nil)
        #expect(take(&lines, "a", Self.start.advanced(by: .seconds(1_000_000))) == 1)
    }
}
