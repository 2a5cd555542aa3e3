/// A duration of at most 49 days, to the millisecond, in four bytes instead of sixteen. A session keeps several, so the
/// size of one counts. The attributes that set them are seconds of sixteen bits.
package struct CompactDuration: Sendable, Equatable {
    @usableFromInline let milliseconds: UInt32

    /// Rounds down to a millisecond. A negative duration becomes zero, one that is too long the longest there is.
    @inlinable package init(_ duration: Duration) {
        let whole = duration.units(Duration.attosecondsPerMillisecond).quotient
        milliseconds = duration.attoseconds < 0 ? 0 : UInt32(clamping: whole)
    }

    /// The time.
    @inlinable package var duration: Duration {
        Duration(UInt64(milliseconds), unit: Duration.attosecondsPerMillisecond)
    }
}
