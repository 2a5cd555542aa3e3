/// When a server is read and answered. A server that does not take the bytes it caused cannot cause more of them.
extension UpstreamMachine {
    /// Whether the server is to be read now.
    ///
    /// - Parameters:
    ///   - hasBacklog: whether something that was read from it still waits to be handled; that is handled first.
    ///   - unwritten: how many bytes wait for the server to take them.
    ///   - replies: how many of those the server has caused itself: the answers of TLS, and errors for skipped stanzas.
    package func isToBeRead(hasBacklog: Bool, unwritten: Int, replies: Int, by rules: UpstreamRules) -> Bool {
        guard isRead, !hasBacklog, replies <= Self.mostReplies else { return false }
        return stream.phase != .returning || unwritten <= rules.mostReturning
    }

    /// Whether the bytes that were read may be handled: either the client fetches what there is, or a long element is
    /// being read, and the errors to other senders may be waiting for its end.
    package func mayGoOn(isReadingElement: Bool) -> Bool { isRead || isReadingElement }

    /// Whether the sender of a skipped stanza is still told, although `replies` bytes wait that the server has caused
    /// and not taken. A server with many such bytes is not read, so a single read brings fewer than the limit.
    package static func mayAnswer(behind replies: Int) -> Bool { replies <= mostAnswers }

    /// The server is not read while more bytes than this wait.
    private static let mostReplies = 64 * 1_024
    /// No error is written to the server while more bytes than this wait.
    private static let mostAnswers = 256 * 1_024
}
