/// Tells the streams of one session apart, inside this program; never reused within a session.
package struct StreamNumber: Sendable, Hashable {
    /// 0 for the stream that the session began with, then one more each.
    package let value: UInt16

    /// A number.
    package init(_ value: UInt16) {
        self.value = value
    }

    /// The stream that the session began with.
    package static let first = StreamNumber(0)
}
