import Bridge

/// Names one HTTP request that waits for its response: a connection and the request's number on it.
package struct ExchangeID: Sendable, Hashable {
    /// The connection, as the caller numbers them.
    package let connection: UInt64
    /// The request's number on that connection.
    package let number: UInt64

    /// A name made of its two parts.
    package init(connection: UInt64, number: UInt64) {
        self.connection = connection
        self.number = number
    }
}

/// What happened to a session.
package enum SessionInput: Sendable {
    /// A complete and valid request for this session; `payload` holds its stanzas, ready for the upstream.
    case request(ExchangeID, BodyAttributes, payload: [UInt8])
    /// A request for this session that could not be understood, with the attributes of its start tag, which could.
    case malformedRequest(ExchangeID, BodyAttributes)
    /// A request larger than `loginBody` allows before login, with the attributes of its start tag; no more of it was
    /// read.
    case oversizedRequest(ExchangeID, BodyAttributes)
    /// Too many sessions have not logged in, and this is the oldest of them.
    case displaced
    /// An operator ends the session.
    case endedByOperator
    /// The client closed the connection of a request that waits for its response (`P-13`).
    case requestAborted(ExchangeID)
    /// The client sends nothing more on this request's connection until it has the response (`H-18`).
    case answerAwaited(ExchangeID)
    /// An upstream stream of the session tells something.
    case upstream(UpstreamEvent, on: StreamNumber = .first)
    /// Memory is short, and the session holds much of it: its servers are not read until its client has fetched all
    /// that waits.
    case memoryShort
    /// `nextDeadline` may have passed.
    case deadlineReached
    /// This program is being shut down.
    case shutdownRequested
}

/// What the caller has to do. Effects are executed in order.
package enum SessionEffect: Sendable, Equatable {
    /// Answer that HTTP request.
    case respond(ExchangeID, BodyResponse)
    /// Answer that HTTP request, a repeat, with the answer that was given before. A client can ask for it at little
    /// cost as often as it likes, so the caller should build nothing anew.
    case respondAgain(ExchangeID, BodyResponse)
    /// Answer that HTTP request with 503. Nothing of it was taken and its rid is not used up, so the client repeats it.
    case turnAway(ExchangeID)
    /// Give a command to an upstream stream.
    case upstream(UpstreamCommand, on: StreamNumber = .first)
    /// The session is over; no further input reaches it.
    case ended(EndReason)
}
