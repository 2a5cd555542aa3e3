import Bridge

/// A request of a client, as its session knows it: an exchange on a connection.
package struct PollingExchange: Sendable, Hashable {
    /// The connection, by a number that is never used again.
    package let connection: UInt64
    /// The number of the exchange on its connection.
    package let number: UInt64

    /// An exchange on a connection.
    package init(connection: UInt64, number: UInt64) {
        self.connection = connection
        self.number = number
    }
}

/// A request for a session, without its XML.
package struct PollingRequest: Sendable, Equatable {
    /// The exchange that is to be answered.
    package var exchange: PollingExchange
    /// The key, if the request has one.
    package var key: PeerText?
    /// The first key of the next chain, if the request has one.
    package var newKey: PeerText?
    /// Base64 of the SHA-1 of the key's text; nil without a key, or when the session does not look at keys now.
    package var keyDigest: PeerText?
    /// What tells the request from another one with the same key.
    package var mark: BodyMark
    /// Whether there is anything but white space behind the head.
    package var hasContent: Bool

    /// A request made of its parts.
    package init(
        _ exchange: PollingExchange, key: PeerText? = nil, newKey: PeerText? = nil, keyDigest: PeerText? = nil,
        mark: BodyMark, hasContent: Bool
    ) {
        self.exchange = exchange
        self.key = key
        self.newKey = newKey
        self.keyDigest = keyDigest
        self.mark = mark
        self.hasContent = hasContent
    }
}

/// The identifiers that tell a client an error in place of its session's (XEP-0025 "Error Conditions", `Q-12`).
package enum PollingError: String, Sendable, CaseIterable {
    /// The session is not known, or it is over.
    case unknown
    /// This program has a fault or no room.
    case server
    /// The request is malformed.
    case badRequest = "bad-request"
    /// The key is wrong or missing.
    case keySequence = "key-sequence"

    /// The identifier.
    package var identifier: String {
        switch self {
        case .unknown: "0:0"
        case .server: "-1:0"
        case .badRequest: "-2:0"
        case .keySequence: "-3:0"
        }
    }
}

/// What a request is answered with.
package enum PollingAnswer: Sendable, Equatable {
    /// The next bytes of the stream to the client.
    case stream([UInt8])
    /// The bytes with which a request was answered that the client repeats.
    case again([UInt8])
    /// An error.
    case error(PollingError)
}

/// What a client's stream header asks for.
package struct PollingOpening: Sendable, Equatable {
    /// Where its `to` leads.
    package enum Target: Sendable, Equatable {
        /// To a domain that is served.
        case served(StreamRequest)
        /// Nowhere.
        case refused(AddressRefusal)
    }

    package let target: Target
    /// The language of the stream that the client asked for; nil when it named none, or nothing that is a tag.
    package let language: String?
    /// Whether the header has a version: old clients give none and expect no features (`Q-32`).
    package let hasVersion: Bool

    /// An opening made of its parts.
    package init(_ target: Target, language: String? = nil, hasVersion: Bool = true) {
        self.target = target
        self.language = language
        self.hasVersion = hasVersion
    }
}

/// What happens to a session over HTTP polling, besides its requests.
package enum PollingInput: Sendable, Equatable {
    /// A request brought a stream header.
    case header(PollingOpening)
    /// A request brought an element for the server, as bytes that stand alone.
    case element([UInt8])
    /// A request brought the end of the client's stream.
    case end
    /// A request brought something that is not to be forwarded.
    case refused(StreamCondition)
    /// Everything that a request brought was handed over.
    case bodyRead
    /// A request is larger than allowed before login.
    case tooLarge
    /// The connection of this request is gone before it was answered.
    case aborted(PollingExchange)
    /// This request is to be answered now, because its connection is needed for another one.
    case answerAwaited(PollingExchange)
    /// An event of the stream to the server.
    case upstream(UpstreamEvent)
    /// There is no memory for what the client sends.
    case outOfMemory
    /// `nextDeadline` has come.
    case deadlineReached
    /// There are too many sessions without login, and this one is the oldest.
    case displaced
    /// An operator ends the session.
    case endedByOperator
    /// The process is about to end.
    case shutdownRequested
}

/// What is to be done, in this order.
package enum PollingEffect: Sendable, Equatable {
    /// Answer this request.
    case answer(PollingExchange, PollingAnswer)
    /// Tell the stream to the server something. `open` comes first and once.
    case upstream(UpstreamCommand)
    /// The stream is over. The client may still fetch the last bytes.
    case ended(EndReason)
    /// The session is to be forgotten; nothing follows.
    case forgotten
}
