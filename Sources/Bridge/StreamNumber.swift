/// Tells the streams of one session apart within this program. Never reused within a session.
package struct StreamNumber: Sendable, Hashable {
    /// 0 for the stream with which the session began; each further stream has the next number.
    package let value: UInt16

    /// A number.
    package init(_ value: UInt16) {
        self.value = value
    }

    /// The stream with which the session began.
    package static let first = StreamNumber(0)
}
