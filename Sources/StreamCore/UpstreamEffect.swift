/// What the caller has to do for an upstream. Effects are executed in order.
///
/// Some effects lead to an input at once (a cached name, a refused connection, `doubt`, `dropConnection`). No effect
/// that such an input could invalidate follows them in the list. The caller gives these inputs to the machine, in their
/// order, after the whole list is executed.
package enum UpstreamEffect: Sendable, Equatable {
    // MARK: The search

    /// Ask the DNS for the records of a service; answered by `services` or `servicesFailed`.
    case lookUpServices(ServiceKind, domain: String)
    /// Find a host's addresses; answered by `addresses` or `addressesFailed`. The upstream then no longer waits for the
    /// addresses of an earlier host.
    case lookUpAddresses(host: String)
    /// Nothing that a name leads to is of use: have the name looked up again when somebody asks for it. Answered by
    /// `doubted` at once.
    case doubt(UpstreamName)
    /// Connect to the address at this position in the last answer; answered by `connecting`, `connected`,
    /// `connectFailed` or `postponed`.
    case connect(attempt: Int, address: Int, port: UInt16)
    /// Close what was opened for this attempt; the machine ignores everything that still comes of it.
    case abandon(attempt: Int)
    /// Use the connection of this attempt for the stream; all other attempts were abandoned before.
    case adopt(attempt: Int)
    /// Close the connection, and forget all that came over it or waits to be sent over it; another server is tried.
    /// Answered by `dropped` at once.
    case dropConnection

    // MARK: The stream

    /// Send `<stream:stream …>`. `namesClient`: whether its `from` may name the client.
    case sendHeader(namesClient: Bool)
    /// Send `<starttls/>`.
    case sendStartTLS
    /// Send `<compress/>` with the method zlib (XEP-0138 §3).
    case sendCompress
    /// Send a space, so that everything on the way sees that the stream is alive (`X-17`).
    case sendSpace
    /// Send `</stream:stream>`.
    case sendStreamEnd
    /// Begin the TLS handshake; everything sent after that is protected. `isDirect`: TLS starts with the first byte
    /// (XEP-0368).
    case beginTLS(isDirect: Bool)
    /// From here on compress what is sent, and decompress what comes, including bytes that were read together with
    /// `<compressed/>`.
    case beginCompression
    /// Expect a new stream header, and drop whatever the parser holds.
    case resetParser
    /// Write the waiting bytes, as far as the kernel takes them.
    case flush

    // MARK: The client side

    /// Give this element to the client, with what it says about the management of the stream and the client's login.
    case deliver([UInt8], management: StreamManagement, login: LoginSign)
    /// Give this element back to its sender, because its session is over.
    case giveBack([UInt8])
    /// An element was skipped; the fate says what to do about it.
    indirect case skipped(SkippedStanza, SkippedFate)
    /// The stream belongs to the client: its header and its first features. `after`: the time since the connection was
    /// made.
    indirect case opened(StreamHeader, features: [UInt8], after: Duration)
    /// The restarted stream has sent its features.
    case restarted(features: [UInt8])
    /// The stream has ended by itself. Comes at most once, shortly before `close`, and never after the session has left
    /// the stream.
    indirect case ended(StreamFailure)

    // MARK: The operator

    /// Count how a stream to one server ended, or the search for one. Comes several times if several servers are tried.
    indirect case count(StreamFailure)
    /// Report a trouble. `isRepeated`: this search has reported a similar one; then only troubles with a counter of
    /// their own are reported again.
    indirect case note(UpstreamTrouble, TroubleSubject, isRepeated: Bool)
    /// Report a setting that is probably wrong; nil when no server is known.
    indirect case advise(StreamAdvice, UpstreamKey?)
    /// Report that a server is left alone from now on, or used again.
    indirect case breakerChanged(UpstreamKey, Breakers.Change)

    // MARK: The end

    /// Close everything. This is the last effect of every upstream and comes once.
    case close
}

/// A name in the DNS.
package enum UpstreamName: Sendable, Hashable {
    /// A host's addresses.
    case addresses(host: String)
    /// The records of a service of a domain.
    case services(ServiceKind, domain: String)
}

/// The effects of one input, in a buffer that is reused for the next input.
package struct UpstreamEffects: Sendable {
    /// The effects in the order of execution.
    package var list: [UpstreamEffect] = []
    /// The effects of the stream's own machine, before they are translated.
    var ofStream: [StreamEffect] = []

    /// Creates a buffer without effects.
    package init() {}

    /// Empties the buffer, but keeps its memory.
    package mutating func removeAll() {
        if !list.isEmpty { list.removeAll(keepingCapacity: true) }
    }
}
