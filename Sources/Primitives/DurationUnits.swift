/// Whole units of a duration in one multiplication or division of the processor. The library's own properties and
/// functions for this divide and multiply numbers of 128 bits out of line, and each turn of the loop needs several.
extension Duration {
    /// `count` units of so many attoseconds each.
    @inlinable init(_ count: UInt64, unit: UInt64) {
        let (high, low) = count.multipliedFullWidth(by: unit)
        self.init(attoseconds: Int128(truncatingIfNeeded: UInt128(high) << 64 | UInt128(low)))
    }

    /// How many whole units of so many attoseconds the duration has, whichever its sign, and the attoseconds that are left;
    /// the highest number for a duration that is too long. The unit is not 0.
    @inlinable func units(_ unit: UInt64) -> (quotient: UInt64, remainder: UInt64) {
        let length = attoseconds.magnitude
        let high = UInt64(truncatingIfNeeded: length >> 64)
        guard high < unit else { return (.max, 0) }
        return unit.dividingFullWidth((high, UInt64(truncatingIfNeeded: length)))
    }

    /// Milliseconds of a duration, rounded up; the highest number for one that is too long, 0 for one below zero.
    @inlinable package var millisecondsRoundedUp: UInt64 {
        guard attoseconds > 0 else { return 0 }
        let (quotient, remainder) = units(Self.attosecondsPerMillisecond)
        return remainder > 0 && quotient < .max ? quotient + 1 : quotient
    }

    /// Attoseconds of a nanosecond.
    @usableFromInline static let attosecondsPerNanosecond: UInt64 = 1_000_000_000
    /// Attoseconds of a millisecond.
    @usableFromInline static let attosecondsPerMillisecond: UInt64 = 1_000_000_000_000_000
}
