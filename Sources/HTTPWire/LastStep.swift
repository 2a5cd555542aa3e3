/// What comes next on a connection whose client sends no more.
///
/// All that came whole is served and answered, however much else was open when the client closed its side (RFC 9112 §9.6). A
/// request that is held would be waited for in vain, for its client has gone or waits for the end (`P-13`); but those that
/// still stand unread are taken first, because each may be what answers one that is held.
package enum LastStep: Sendable, Equatable {
    /// Something goes on: it is to be asked again when that is over.
    case wait
    /// More of what came is to be taken in.
    case takeIn
    /// No more is taken before something is answered: what is held is to be released.
    case release
    /// Everything was taken in. What is held is to be released; behind the answers the connection ends.
    case end
}

extension HTTPConnection {
    /// The next step towards the end, once `closeAfterAnswers` has named all that the client has sent.
    ///
    /// - Parameter isBusy: a request of it is being worked on, or bytes of answers wait for the client to read.
    package func lastStep(isBusy: Bool) -> LastStep {
        if isBusy || hasOutput { return .wait }
        guard expectsInput else { return .end }
        return mayRead ? .takeIn : .release
    }
}
