import Primitives

extension Session {
    /// Handles a request whose client sends nothing more on its connection until the response comes. With `Expect:
    /// 100-continue` a client sends the body of its next request only after the answers to those before it (RFC 9110
    /// §10.1.1, `H-18`).
    ///
    /// The session cannot know what the client would send, so it releases the request as if another one had come: a
    /// held request together with those before it (`R-03`), one after a gap as at its deadline. It does not while the
    /// creation waits for the server, or while the server takes no bytes: then the client is to wait.
    mutating func handleAwaited(
        _ exchange: ExchangeID, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        if let awaited = held.first(where: { $0.exchange == exchange }) {
            guard !isCreating, !isCongested else { return }
            while let oldest = held.first, oldest.rid <= awaited.rid {
                answerOldest(with: .empty, now: now, policy: policy, into: &effects)
            }
        } else if let index = early.firstIndex(where: { $0.exchange == exchange }), index >= gaplessCount {
            answerEarly(index, into: &effects)
        }
    }

    /// Answers an early request with a recoverable error, which asks the client to repeat what is missing (XEP-0124
    /// §17.3). The session keeps the request's payload, so nothing is lost if the client repeats only the predecessor.
    mutating func answerEarly(_ index: Int, into effects: inout [SessionEffect]) {
        guard let exchange = early[index].exchange else { return }
        early[index].exchange = nil
        effects.append(.respond(exchange, acknowledging(.error, to: early[index].rid)))
    }
}
