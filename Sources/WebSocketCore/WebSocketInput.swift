import Bridge

/// What happens to a session over WebSocket.
package enum WebSocketInput: Sendable, Equatable {
    /// The client sent `<open/>` (RFC 7395 §3.4).
    case open(StreamOpening)
    /// The client sent `<close/>` (RFC 7395 §3.6).
    case close
    /// The client sent an element for the server, as bytes that stand alone.
    case element([UInt8])
    /// The client sent a message that is not to be forwarded.
    case refused(StreamCondition)
    /// The client sent a message that is larger than allowed.
    case tooLarge
    /// The client broke the framing; the socket is to be closed with this code.
    case frameFault(SocketEnd)
    /// The client began to close the socket without `<close/>`. The socket is closed with its own code.
    case socketClosed
    /// The client's connection is gone for this reason.
    case lost(EndReason)
    /// The client answered the ping of this number.
    case pong(UInt32)
    /// An event of the stream to the server.
    case upstream(UpstreamEvent)
    /// There is no memory for the rest of a message.
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

/// What a client's `<open/>` asks for.
package struct StreamOpening: Sendable, Equatable {
    /// Where its `to` leads.
    package enum Target: Sendable, Equatable {
        /// To a domain that is served.
        case served(StreamRequest)
        /// Nowhere.
        case refused(AddressRefusal)
    }

    package let target: Target
    /// The address that the client gave as its own, if it is one at the domain.
    package let account: PeerText?
    /// The language of the stream that the client asked for; nil when it named none, or nothing that is a tag.
    package let language: String?

    /// An opening made of its parts.
    package init(_ target: Target, account: PeerText? = nil, language: String? = nil) {
        self.target = target
        self.account = account
        self.language = language
    }
}

/// What is to be done, in this order.
package enum WebSocketEffect: Sendable, Equatable {
    /// Send this text as one message.
    case send([UInt8])
    /// Send these elements of the server, each as one message; `borders` as in `UpstreamEvent.stanzas`.
    case deliver([UInt8], borders: [Int])
    /// Send a ping with this number.
    case ping(UInt32)
    /// Tell the stream to the server something. `open` comes first and once.
    case upstream(UpstreamCommand)
    /// Close the socket with this code, behind what was sent; nil when the client has begun to close it.
    case close(SocketEnd?)
    /// Drop the client's connection: nothing reaches it any more.
    case abandon
    /// The session is over; nothing follows.
    case ended(EndReason)
}
