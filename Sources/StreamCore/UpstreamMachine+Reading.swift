/// When a server is read and answered. A server that does not take what it caused itself cannot have more of that made.
extension UpstreamMachine {
    /// Whether the server is to be read now.
    ///
    /// - Parameters:
    ///   - hasBacklog: whether something that it sent was read and waits to be handled: that comes first.
    ///   - unwritten: how many bytes wait for the server to take them.
    ///   - replies: how many of those it has caused itself: the answers of TLS, and errors for what was skipped.
    package func isToBeRead(hasBacklog: Bool, unwritten: Int, replies: Int, by rules: UpstreamRules) -> Bool {
        guard isRead, !hasBacklog, replies <= Self.mostReplies else { return false }
        return stream.phase != .returning || unwritten <= rules.mostReturning
    }

    /// Whether what was read may be handled: its client fetches what is there, or the reading of a long element goes on, for
    /// which the errors to other senders may be waiting.
    package func mayGoOn(isReadingElement: Bool) -> Bool { isRead || isReadingElement }

    /// Whether the sender of a skipped stanza is still told, behind `replies` bytes that the server has caused and not taken.
    /// A server with many of them is not read, so that one read brings fewer than these.
    package static func mayAnswer(behind replies: Int) -> Bool { replies <= mostAnswers }

    /// With more bytes than these the server is not read.
    private static let mostReplies = 64 * 1_024
    /// With more bytes than these no error is written for it.
    private static let mostAnswers = 256 * 1_024
}
