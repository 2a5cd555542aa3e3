import Effort
import Testing

@testable import Primitives

/// Compares with what the library's own properties say.
@Suite struct DurationUnitsTests {
    private static let units: [UInt64] = [1, 1_000_000_000, 1_000_000_000_000_000, 1_000_000_000_000_000_000, .max]

    /// Durations of all sizes and both signs, and those at the borders of what 64 bits hold.
    private static func samples(_ generator: inout some RandomNumberGenerator) -> [Duration] {
        let borders = units.flatMap { unit -> [Duration] in
            let border = Duration(attoseconds: Int128(UInt128(UInt64.max) * UInt128(unit) >> 1))
            return [border, border - Duration(attoseconds: 1), border + Duration(attoseconds: 1)]
        }
        let extremes = [Duration(attoseconds: .max), Duration(attoseconds: .min), .zero]
        let random = (0..<2_000).map { _ in
            let bits = UInt128(generator.next()) << 64 | UInt128(generator.next())
            return Duration(
                attoseconds: Int128(truncatingIfNeeded: bits) >> Int128.random(in: 0..<128, using: &generator))
        }
        return borders + extremes + random
    }

    @Test("whole units and the rest are those of a division of 128 bits, up to what 64 bits hold")
    func divides() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for duration in Self.samples(&generator) {
            for unit in Self.units {
                let (quotient, remainder) = duration.attoseconds.magnitude.quotientAndRemainder(
                    dividingBy: UInt128(unit))
                let found = duration.units(unit)
                if quotient > UInt128(UInt64.max) {
                    #expect(found == (.max, 0), "\(duration) / \(unit), seed \(seed)")
                } else {
                    #expect(found == (UInt64(quotient), UInt64(remainder)), "\(duration) / \(unit), seed \(seed)")
                }
            }
        }
    }

    @Test("a count of units is the library's duration of as many")
    func multiplies() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            let count =
                Int64.random(in: 0...Int64.max, using: &generator) >> Int64.random(in: 0..<63, using: &generator)
            #expect(
                Duration(UInt64(count), unit: Duration.attosecondsPerNanosecond) == .nanoseconds(count), "seed \(seed)")
            #expect(
                Duration(UInt64(count), unit: Duration.attosecondsPerMillisecond) == .milliseconds(count),
                "seed \(seed)")
        }
    }

    @Test("milliseconds are rounded up, and neither below zero nor beyond the highest number")
    func roundsUp() {
        let cases: [(Duration, UInt64)] = [
            (.zero, 0), (.nanoseconds(-1), 0), (.seconds(Int64.min), 0), (Duration(attoseconds: 1), 1),
            (.milliseconds(1), 1), (.milliseconds(1) + Duration(attoseconds: 1), 2), (.seconds(60), 60_000),
            (Duration(attoseconds: .max), .max),
            (Duration(attoseconds: Int128(UInt128(UInt64.max) * 1_000_000_000_000_000) + 1), .max),
        ]
        for (duration, milliseconds) in cases {
            #expect(duration.millisecondsRoundedUp == milliseconds, "\(duration)")
        }
    }
}
