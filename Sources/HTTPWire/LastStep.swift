/// The next step on a connection whose client sends no more.
///
/// Everything that came whole is served and answered, however much was open when the client closed its side (RFC 9112
/// §9.6). Waiting for a held request is useless, because its client has gone or waits for the end (`P-13`). But unread
/// requests are taken first, because each may bring the answer to a held one.
package enum LastStep: Sendable, Equatable {
    /// Wait: something is under way. Ask again when it is over.
    case wait
    /// Take in more of what came.
    case takeIn
    /// Release what is held: no more can be taken in before something is answered.
    case release
    /// Everything was taken in. Release what is held; after the answers the connection ends.
    case end
}

extension HTTPConnection {
    /// The next step towards the end, after `closeAfterAnswers` has announced all that the client sent.
    ///
    /// - Parameter isBusy: whether a request of the connection is being processed, or bytes of answers wait for the
    ///   client.
    package func lastStep(isBusy: Bool) -> LastStep {
        if isBusy || hasOutput { return .wait }
        guard expectsInput else { return .end }
        return mayRead ? .takeIn : .release
    }
}
