import Primitives

/// How long clients may take: each for one thing that has to come next.
package struct Patience: Sendable, Equatable {
    /// For the head of a request, and for the header of the PROXY protocol, from its first byte.
    package var head: Duration
    /// For a request from its first byte to the last of its body.
    package var body: Duration
    /// For the next request, while none is open.
    package var idle: Duration
    /// For the client to take any byte of an answer.
    package var send: Duration
    /// Bytes a second that a body has to come with, and an answer to be taken with; 0 where any rate will do.
    package var bodyRate: Int
    package var sendRate: Int

    /// Of its parts.
    package init(head: Duration, body: Duration, idle: Duration, send: Duration, bodyRate: Int, sendRate: Int) {
        self.head = head
        self.body = body
        self.idle = idle
        self.send = send
        self.bodyRate = bodyRate
        self.sendRate = sendRate
    }

    /// Over how long a body's rate is taken: a rate over all of `body` would say nothing before that is over.
    var bodyWindow: Duration { min(.seconds(10), body / 2) }

    /// For how long a client may go on sending after the last answer, so that it reads that before a reset.
    static let lingering = Duration.seconds(2)
}

/// What a connection waits for.
package enum Awaited: Sendable, Equatable {
    /// Our side is closed; the client is to read what it was sent, and to close its own.
    case lingering
    /// The client is to take bytes that wait for it.
    case room
    /// The header of the PROXY protocol.
    case prelude
    /// What this phase of its requests waits for; `owed`: how many requests wait for their answers.
    case request(HTTPConnection.Phase, owed: Int)
}

/// Since when a connection does what it does, and how fast that goes.
package struct Pace: Sendable, Equatable {
    /// When bytes last went through.
    package var phaseSince: MonotonicInstant
    /// When the first byte of the request that is being read came.
    package var requestSince: MonotonicInstant
    /// How fast its body comes, or its answers are taken. While it owes answers it is not read, so one is enough.
    package var rate = TransferRate()

    /// Of a connection that is made now.
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
            // Whatever is held before it has a deadline of its own.
            return nil
        case .request(.idle, let owed):
            return owed > 0 ? nil : phaseSince.advanced(by: patience.idle)
        case .request(.refusing, let owed), .request(.closing, let owed):
            // A request on a connection that will not be kept alive may be held as long as any other.
            return owed > 0 ? nil : phaseSince.advanced(by: patience.send)
        }
    }

    /// What follows from a deadline that has passed.
    package enum Verdict: Sendable, Equatable {
        /// It was only the window of a rate that ended, and enough has passed in it.
        case goesOn
        /// The connection is to be closed at once.
        case close
        /// The client does not take its answers; `isSlow`: it takes some, but too slowly.
        case deaf(isSlow: Bool)
        /// The request is to be answered with 408; `isSlow`: its body comes, but too slowly.
        case timeOut(isSlow: Bool)
        /// The connection is to end in good order.
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
