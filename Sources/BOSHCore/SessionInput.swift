import Bridge

/// Names one HTTP request that waits for its response: a connection and the request's number on it.
package struct ExchangeID: Sendable, Hashable {
    /// The connection, as the caller numbers them.
    package let connection: UInt64
    /// The request's number on that connection.
    package let number: UInt64

    /// A name of its two parts.
    package init(connection: UInt64, number: UInt64) {
        self.connection = connection
        self.number = number
    }
}

/// What happened to a session.
package enum SessionInput: Sendable {
    /// A complete and valid request for this session came; `payload` holds its stanzas, ready for the upstream.
    case request(ExchangeID, BodyAttributes, payload: [UInt8])
    /// A request for this session could not be understood; the attributes of its start tag, which could.
    case malformedRequest(ExchangeID, BodyAttributes)
    /// A request is larger than `loginBody` allows before login; the attributes of its start tag, no more of it was read.
    case oversizedRequest(ExchangeID, BodyAttributes)
    /// Too many sessions have not logged in, and this is the oldest.
    case displaced
    /// The connection of a request that waits for its response was closed by the client (`P-13`).
    case requestAborted(ExchangeID)
    /// The client sends nothing more on this request's connection before it has the response (`H-18`).
    case answerAwaited(ExchangeID)
    /// What an upstream stream of the session's has to tell.
    case upstream(UpstreamEvent, on: StreamNumber = .first)
    /// There is little memory, and the session holds much of it: its servers are read again when its client has fetched all
    /// that waits.
    case memoryShort
    /// `nextDeadline` may have passed.
    case deadlineReached
    /// This program is being shut down.
    case shutdownRequested
}

/// What is to be done about it. Effects are executed in order.
package enum SessionEffect: Sendable, Equatable {
    /// Answer that HTTP request.
    case respond(ExchangeID, BodyResponse)
    /// Answer that HTTP request, which is a repeat, with the answer that was given before. It costs a client a hundred bytes to
    /// ask for it as often as it likes, so nothing should be made anew for it.
    case respondAgain(ExchangeID, BodyResponse)
    /// Answer that HTTP request with 503: nothing of it was taken, and its rid is not used up, so the client repeats it.
    case turnAway(ExchangeID)
    /// Have an upstream stream do something.
    case upstream(UpstreamCommand, on: StreamNumber = .first)
    /// The session is over; no further input reaches it.
    case ended(EndReason)
}
