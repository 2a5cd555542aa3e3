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
    /// The server has let the client in.
    case loggedIn
    /// The server lets the client register an account (XEP-0077), which takes a person some time.
    case registrationOffered
    /// Too many sessions have not logged in, and this is the oldest.
    case displaced
    /// The connection of a request that waits for its response was closed by the client (`P-13`).
    case requestAborted(ExchangeID)
    /// The upstream stream is open and has sent its first features.
    case streamOpened(StreamIdentity, features: [UInt8], on: StreamNumber = .first)
    /// The upstream stream was restarted and has sent its features.
    case streamRestarted(features: [UInt8], on: StreamNumber = .first)
    /// The upstream sent stanzas, back to back.
    case stanzas([UInt8], on: StreamNumber = .first)
    /// The upstream said that client and server count stanzas (XEP-0198), in what comes next as `stanzas`; `isResumable`: and
    /// that it keeps the stream for a resumption.
    case streamManaged(isResumable: Bool, on: StreamNumber = .first)
    /// The upstream is further behind with what it was sent than before, or less far.
    case upstreamCongested(Congestion, on: StreamNumber = .first)
    /// The upstream stream is gone; the bytes of its stream error, or nothing.
    case streamEnded(EndReason, streamError: [UInt8], on: StreamNumber = .first)
    /// There is little memory, and the session holds much of it: its servers are read again when its client has fetched all
    /// that waits.
    case memoryShort
    /// `nextDeadline` may have passed.
    case deadlineReached
    /// This program is being shut down.
    case shutdownRequested
}

/// How an upstream stream is left.
package enum StreamFarewell: Sendable, Equatable {
    /// With `</stream:stream>`: the server announces the user as gone.
    case close
    /// By dropping the connection: the server keeps a resumable stream for the client (`T-12` c).
    case drop
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
    /// Connect to a server and open a stream.
    case openStream(StreamRequest, on: StreamNumber = .first)
    /// Send these stanzas to the upstream.
    case forward([UInt8], on: StreamNumber = .first)
    /// Open a new stream over the upstream's connection (XEP-0206 §5).
    case restartStream(on: StreamNumber = .first)
    /// Stop reading from the upstream: the client does not fetch what is there.
    case pauseReading(on: StreamNumber = .first)
    /// Read from the upstream again.
    case resumeReading(on: StreamNumber = .first)
    /// Tell the senders of these stanzas, back to back, that they were not delivered (XEP-0206 §7, `T-12`).
    case returnUnfetched([UInt8], on: StreamNumber = .first)
    /// Leave the upstream stream.
    case leaveStream(StreamFarewell, on: StreamNumber = .first)
    /// The session is over; no further input reaches it.
    case ended(EndReason)
}
