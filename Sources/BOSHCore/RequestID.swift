/// A request's `rid`: 1 to 2^53-1, increasing by one with each new request (XEP-0124 §14.1).
package struct RequestID: Sendable, Hashable, Comparable {
    /// The largest valid `rid`: 2^53-1.
    package static let maximum: UInt64 = 9_007_199_254_740_991

    /// The number itself.
    package let value: UInt64

    /// The `rid` with this number; nil for zero and above 2^53-1 (`S-19`).
    package init?(_ value: UInt64) {
        guard (1...Self.maximum).contains(value) else { return nil }
        self.value = value
    }

    private init(unchecked value: UInt64) {
        self.value = value
    }

    /// The `rid` that follows. It may be 2^53, which no request can carry: a session that has used all rids can only
    /// wait.
    package var next: RequestID { RequestID(unchecked: value + 1) }

    /// How far this `rid` is ahead of `other`; negative when it is behind.
    package func distance(from other: RequestID) -> Int64 {
        // Both are below 2^54, so neither conversion nor subtraction can overflow.
        Int64(value) - Int64(other.value)
    }

    package static func < (left: RequestID, right: RequestID) -> Bool { left.value < right.value }
}
