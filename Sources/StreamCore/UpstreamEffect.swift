/// What is to be done for an upstream. Effects are executed in order.
///
/// One that leads to an input at once (a cached name, a refused connection, `doubt`, `dropConnection`) is followed by none that
/// the input could make wrong: the caller gives such inputs to the machine in their order once the list is done.
package enum UpstreamEffect: Sendable, Equatable {
    // MARK: The search

    /// Ask the DNS for the records of a service; answered by `services` or `servicesFailed`.
    case lookUpServices(ServiceKind, domain: String)
    /// Find a host's addresses; answered by `addresses` or `addressesFailed`. Whoever waited for those of an earlier host waits
    /// no more.
    case lookUpAddresses(host: String)
    /// Nothing that a name leads to is of use: have it looked up again when somebody asks. Answered by `doubted` at once.
    case doubt(UpstreamName)
    /// Connect to the address at this position of the last answer; answered by `connecting`, `connected`, `connectFailed` or
    /// `postponed`.
    case connect(attempt: Int, address: Int, port: UInt16)
    /// Close what was opened for this attempt; nothing more is heard of it.
    case abandon(attempt: Int)
    /// This attempt's connection is the stream's from here on; every other one was abandoned before.
    case adopt(attempt: Int)
    /// Close the connection and forget all that came and was to go over it; another server is tried. Answered by `dropped` at
    /// once.
    case dropConnection

    // MARK: The stream

    /// Send `<stream:stream …>`. `namesClient`: whether it may say by `from` who the client is.
    case sendHeader(namesClient: Bool)
    /// Send `<starttls/>`.
    case sendStartTLS
    /// Send `<compress/>` with the method zlib (XEP-0138 §3).
    case sendCompress
    /// Send a space, so that everybody on the way sees that the stream is alive (`X-17`).
    case sendSpace
    /// Send `</stream:stream>`.
    case sendStreamEnd
    /// Begin the TLS handshake; everything sent after it is protected. `isDirect`: from the first byte on (XEP-0368).
    case beginTLS(isDirect: Bool)
    /// Compress what is sent from here on, and take what comes for compressed: also bytes that were read with `<compressed/>`.
    case beginCompression
    /// Expect a new stream header; whatever the parser holds is dropped.
    case resetParser
    /// Write what is there, as far as the kernel takes it.
    case flush

    // MARK: The client side

    /// Give the client this element, and what it says of the stream's management and of the client's login.
    case deliver([UInt8], management: StreamManagement, login: LoginSign)
    /// Give this element back to its sender: its session is over.
    case giveBack([UInt8])
    /// An element was skipped; what becomes of it.
    indirect case skipped(SkippedStanza, SkippedFate)
    /// The stream belongs to the client: its header and its first features. `after`: how long it took from the connection on.
    indirect case opened(StreamHeader, features: [UInt8], after: Duration)
    /// The restarted stream has sent its features.
    case restarted(features: [UInt8])
    /// The stream has ended by itself. Comes once at most, shortly before `close`, and not once the session has left it.
    indirect case ended(StreamFailure)

    // MARK: The operator

    /// Count how a stream to one server ended, or the search for one; several times where several servers are tried.
    indirect case count(StreamFailure)
    /// Tell of a trouble. `isRepeated`: the same search has told the like; only what is counted by itself is told again.
    indirect case note(UpstreamTrouble, TroubleSubject, isRepeated: Bool)
    /// Tell what is probably set wrong; nil where no server is known.
    indirect case advise(StreamAdvice, UpstreamKey?)
    /// Tell that a server is left alone from now on, or no longer.
    indirect case breakerChanged(UpstreamKey, Breakers.Change)

    // MARK: The end

    /// Close everything. The last effect of every upstream, once.
    case close
}

/// A name in the DNS.
package enum UpstreamName: Sendable, Hashable {
    /// A host's addresses.
    case addresses(host: String)
    /// The records of a service of a domain.
    case services(ServiceKind, domain: String)
}

/// The effects of one input, in a buffer that can be used again for the next.
package struct UpstreamEffects: Sendable {
    /// What is to be done.
    package var list: [UpstreamEffect] = []
    /// What the stream's own machine asks for, before it is translated.
    var ofStream: [StreamEffect] = []

    /// A buffer without effects.
    package init() {}

    /// Empties the buffer, which keeps its room.
    package mutating func removeAll() {
        if !list.isEmpty { list.removeAll(keepingCapacity: true) }
    }
}
