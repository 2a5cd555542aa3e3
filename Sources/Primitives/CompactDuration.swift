/// A time of at most 49 days, to the millisecond, in four bytes instead of sixteen: a session keeps several, and its size
/// is the product. The attributes that such times come from are seconds of sixteen bits.
package struct CompactDuration: Sendable, Equatable {
    @usableFromInline let milliseconds: UInt32

    /// The nearest time there is: negative ones are zero, and those too long the longest.
    @inlinable package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        let whole = overflow ? .max : scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue
        milliseconds = duration < .zero ? 0 : UInt32(clamping: whole)
    }

    /// The time.
    @inlinable package var duration: Duration { .milliseconds(Int64(milliseconds)) }
}
