import Primitives

extension Session {
    /// The client waits for this request's response with all that it wants to send on the same connection: with
    /// `Expect: 100-continue` it sends the body of its next request only behind the answers to those before it (RFC 9110
    /// §10.1.1, `H-18`).
    ///
    /// What it would send cannot be known, so the request is released as if a further one had come: a held one together with
    /// those before it (`R-03`), one behind a gap as at its deadline. Not so while the creation waits for the server, or while the
    /// server takes no bytes: then the client is to wait.
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

    /// Answers a request whose turn has not come: a recoverable error asks the client to repeat what is missing (XEP-0124
    /// §17.3). Its payload is kept, so nothing is lost if only the predecessor is repeated.
    mutating func answerEarly(_ index: Int, into effects: inout [SessionEffect]) {
        guard let exchange = early[index].exchange else { return }
        early[index].exchange = nil
        effects.append(.respond(exchange, acknowledging(.error, to: early[index].rid)))
    }
}
