import Primitives

/// How long clients may take for each step.
package struct Patience: Sendable, Equatable {
    /// For the head of a request, and for the header of the PROXY protocol, from its first byte.
    package var head: Duration
    /// For a request from its first byte to the last of its body.
    package var body: Duration
    /// For the next request, while no request is open.
    package var idle: Duration
    /// For the client to take the next byte of an answer.
    package var send: Duration
    /// The lowest rates, in bytes a second, at which a body has to come and an answer has to be taken; 0 for no lowest
    /// rate.
    package var bodyRate: Int
    package var sendRate: Int

    /// Limits made of their parts.
    package init(head: Duration, body: Duration, idle: Duration, send: Duration, bodyRate: Int, sendRate: Int) {
        self.head = head
        self.body = body
        self.idle = idle
        self.send = send
        self.bodyRate = bodyRate
        self.sendRate = sendRate
    }

    /// The window for a body's rate: a rate over all of `body` would say nothing until that is over.
    var bodyWindow: Duration { min(.seconds(10), body / 2) }

    /// How long a client may go on sending after the last answer, so that it reads the answer before a reset.
    static let lingering = Duration.seconds(2)
}

/// What a connection waits for.
package enum Awaited: Sendable, Equatable {
    /// For the client to read what it was sent and to close its side; this side is closed.
    case lingering
    /// For the client to take bytes that wait for it.
    case room
    /// The header of the PROXY protocol.
    case prelude
    /// For what this phase of its requests needs; `owed` is the number of requests that wait for answers.
    case request(HTTPConnection.Phase, owed: Int)
}

/// Since when a connection has been in its state, and how fast its transfer goes.
package struct Pace: Sendable, Equatable {
    /// When bytes last went through.
    package var phaseSince: MonotonicInstant
    /// When the first byte of the current request came.
    package var requestSince: MonotonicInstant
    /// The rate of the body that comes or of the answers that leave. The connection is not read while it owes answers,
    /// so one rate is enough.
    package var rate = TransferRate()

    /// The pace of a new connection.
    package init(now: MonotonicInstant) {
        phaseSince = now
        requestSince = now
    }

    /// When something has to happen; nil while a session decides that.
    package func deadline(awaiting awaited: Awaited, by patience: Patience) -> MonotonicInstant? {
        switch awaited {
        case .lingering:
            return phaseSince.advanced(by: Patience.lingering)
        case .room:
            let silence = phaseSince.advanced(by: patience.send)
            return min(silence, rate.windowEnd(patience.send, least: patience.sendRate) ?? silence)
        case .prelude, .request(.readingHead, _):
            return requestSince.advanced(by: patience.head)
        case .request(.readingBody, _):
            let late = requestSince.advanced(by: patience.body)
            return min(late, rate.windowEnd(patience.bodyWindow, least: patience.bodyRate) ?? late)
        case .request(.owingContinue, _):
            // The answers before it have deadlines of their own.
            return nil
        case .request(.idle, let owed):
            return owed > 0 ? nil : phaseSince.advanced(by: patience.idle)
        case .request(.refusing, let owed), .request(.closing, let owed):
            // A request on a connection that will not be kept alive may be held as long as any other.
            return owed > 0 ? nil : phaseSince.advanced(by: patience.send)
        }
    }

    /// What follows from a passed deadline.
    package enum Verdict: Sendable, Equatable {
        /// Only the window of a rate ended, and enough has passed in it.
        case goesOn
        /// Close the connection at once.
        case close
        /// The client does not take its answers. `isSlow`: it takes some, but too slowly.
        case deaf(isSlow: Bool)
        /// Answer the request with 408. `isSlow`: its body comes, but too slowly.
        case timeOut(isSlow: Bool)
        /// End the connection in order.
        case end
    }

    /// Judges a connection whose deadline has passed.
    package mutating func judge(awaiting awaited: Awaited, by patience: Patience, now: MonotonicInstant) -> Verdict {
        switch awaited {
        case .lingering:
            return .close
        case .room:
            guard phaseSince.advanced(by: patience.send) > now else { return .deaf(isSlow: false) }
            let isSlow = rate.isTooSlow(window: patience.send, least: patience.sendRate, now: now)
            return isSlow ? .deaf(isSlow: true) : .goesOn
        case .request(.readingBody, _):
            guard requestSince.advanced(by: patience.body) > now else { return .timeOut(isSlow: false) }
            let isSlow = rate.isTooSlow(window: patience.bodyWindow, least: patience.bodyRate, now: now)
            return isSlow ? .timeOut(isSlow: true) : .goesOn
        case .request(.readingHead, _):
            return .timeOut(isSlow: false)
        case .prelude, .request:
            return .end
        }
    }
}
