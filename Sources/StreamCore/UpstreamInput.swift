/// What happened to an upstream: in the network, at the server and on the client side.
///
/// The machine ignores late inputs of dropped connections, and answers that it does not expect, where it can recognize
/// them: attempts by their number, names by themselves. The caller keeps all other late inputs away.
package enum UpstreamInput: Sendable, Equatable {
    // MARK: The beginning. One of these comes first, once.

    /// Look for a server of `domain`. `route`: where to look; nil for a domain without any route, because its name
    /// cannot stand in the DNS. `seed` decides between targets of one priority (RFC 2782); the caller draws it at
    /// random.
    case begin(domain: String, route: TargetRoute?, seed: UInt64)
    /// This side has no resources left to begin with.
    case beginRefused

    // MARK: Names

    /// The records of one service, as the DNS gave them.
    case services(ServiceKind, [ServiceRecord])
    /// The service has no records, as the DNS said, or the DNS could not be asked (`isTemporary`). `reason`: the
    /// resolver's words.
    case servicesFailed(ServiceKind, isTemporary: Bool, reason: String)
    /// The addresses of a host, in the resolver's order; from here on their positions name them.
    case addresses(host: String, [FoundAddress])
    /// The host has no address, or the resolver could not find it out. `reason`: the resolver's words.
    case addressesFailed(host: String, reason: String)
    /// Answers `doubt`. `isAskedAgain`: whether the next question for the name causes a new look-up.
    case doubted(isAskedAgain: Bool)

    // MARK: Connections

    /// An attempt has begun; its result comes later.
    case connecting(attempt: Int)
    /// The connection of an attempt is made.
    case connected(attempt: Int)
    /// The connection of an attempt could not be made: the system call and its `errno`. `wasAsked`: whether the server
    /// was involved.
    case connectFailed(attempt: Int, call: String, code: Int32, wasAsked: Bool)
    /// The connection was not begun because this side lacks a resource.
    case postponed(attempt: Int, OwnShortage)
    /// Answers `dropConnection`.
    case dropped

    // MARK: The server

    /// The TLS handshake succeeded and the server proved its name.
    case tlsEstablished
    /// The TLS handshake failed, or later data is not proper TLS. `words`: the codec's description.
    case tlsFailed(ProtectionFault, words: String)
    /// The server sent this item.
    case item(UpstreamItem)
    /// Bytes stood after `<proceed/>` in the same read.
    case bytesAfterProceed
    /// What the server sent is not zlib data, or grows beyond the limit; or there was no memory to compress. `words`:
    /// the codec's description.
    case compressionBroken(words: String)
    /// The read bytes are handled as far as one turn allows. `hasBacklog`: the rest waits. `hasPartial`: nothing waits,
    /// and the beginning of an element has come.
    case turnEnded(hasBacklog: Bool, hasPartial: Bool)
    /// The TCP connection is lost, whichever side ended it.
    case connectionLost

    // MARK: Writing

    /// The kernel took this many bytes for the server. `isAll`: no byte is left in front of it.
    case wrote(Int, isAll: Bool)
    /// The kernel takes none of the waiting bytes.
    case blocked
    /// The kernel will take no more bytes. What the server sent before may still be there to read.
    case writingFailed
    /// The server has not acknowledged this many of the bytes that the kernel was given. `hasUnwritten`: further bytes
    /// wait in front of the kernel.
    case unacknowledged(Int, hasUnwritten: Bool)

    // MARK: The client side

    /// The client has logged in and begins a new stream over the same connection.
    case restart
    /// Whether the client fetches what there is, and so whether the server is read.
    case setReading(Bool)
    /// The session is over. `drops`: the connection is dropped without ending the stream, so that the server keeps what
    /// can be resumed (`T-12` c). `hasUnread`: the kernel has bytes of the server that were not read.
    case leave(drops: Bool, hasUnread: Bool = false)

    // MARK: Time

    /// `nextDeadline` has passed. `unacknowledged`: as above, nil when there is no connection; the caller asks for it
    /// only while `awaitsAcceptance`.
    case deadlineReached(unacknowledged: Int?, hasUnwritten: Bool)
}

/// An address that was found for a name.
package struct FoundAddress: Sendable, Equatable {
    /// Its family.
    package var family: AddressFamily
    /// Whether the address is public, so that strangers may have this program connect to it.
    package var isPublic: Bool

    /// Describes an address.
    package init(family: AddressFamily, isPublic: Bool) {
        self.family = family
        self.isPublic = isPublic
    }
}
