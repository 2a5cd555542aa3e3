/// What happened to an upstream: the network's part, the server's and the client side's.
///
/// What comes of a connection that was dropped, and answers that nobody waits for, are ignored where they can be told apart:
/// attempts by their number, names by themselves. The caller keeps the rest away.
package enum UpstreamInput: Sendable, Equatable {
    // MARK: The beginning. One of these comes first, once.

    /// Look for a server of `domain`. `route`: where; nil for a domain that leads nowhere, because its name cannot stand in the
    /// DNS. `seed`: decides between targets of one priority (RFC 2782); the caller draws it at random.
    case begin(domain: String, route: TargetRoute?, seed: UInt64)
    /// There is nothing left of our own to begin with.
    case beginRefused

    // MARK: Names

    /// The records of one service, as the DNS gave them.
    case services(ServiceKind, [ServiceRecord])
    /// There are none: the DNS said so, or it could not be asked (`isTemporary`); the resolver's words.
    case servicesFailed(ServiceKind, isTemporary: Bool, reason: String)
    /// The addresses of a host, in the resolver's order; their positions name them from here on.
    case addresses(host: String, [FoundAddress])
    /// The host has no address, or it could not be found out; the resolver's words.
    case addressesFailed(host: String, reason: String)
    /// Answers `doubt`. `isAskedAgain`: whether the name is looked up again if somebody asks now.
    case doubted(isAskedAgain: Bool)

    // MARK: Connections

    /// An attempt has begun; how it ends comes later.
    case connecting(attempt: Int)
    /// Its connection stands.
    case connected(attempt: Int)
    /// It could not be made: the system call and its `errno`. `wasAsked`: whether the server had a part in that.
    case connectFailed(attempt: Int, call: String, code: Int32, wasAsked: Bool)
    /// It was not made for want of something of our own.
    case postponed(attempt: Int, OwnShortage)
    /// Answers `dropConnection`.
    case dropped

    // MARK: The server

    /// The TLS handshake succeeded and the server proved its name.
    case tlsEstablished
    /// It failed, or what came later is not TLS as it has to be; the words of the codec.
    case tlsFailed(ProtectionFault, words: String)
    /// The server sent this.
    case item(UpstreamItem)
    /// Bytes stood behind `<proceed/>` in the same read.
    case bytesAfterProceed
    /// What the server sent is not zlib data, or becomes more than is allowed; or there was no memory to compress. The words
    /// of the codec.
    case compressionBroken(words: String)
    /// What was read is handled as far as it goes in one turn. `hasBacklog`: the rest waits. `hasPartial`: nothing waits, and
    /// the beginning of an element has come.
    case turnEnded(hasBacklog: Bool, hasPartial: Bool)
    /// The TCP connection is gone, whoever ended it.
    case connectionLost

    // MARK: Writing

    /// The kernel took so many bytes for the server. `isAll`: none is left in front of it.
    case wrote(Int, isAll: Bool)
    /// It takes none of those that are there.
    case blocked
    /// It never will. What the server sent before may still be there.
    case writingFailed
    /// So many of the bytes that the kernel was given are not acknowledged yet. `hasUnwritten`: others wait in front of it.
    case unacknowledged(Int, hasUnwritten: Bool)

    // MARK: The client side

    /// The client has logged in and begins a new stream over the same connection.
    case restart
    /// Whether the client fetches what there is: whether the server is read.
    case setReading(Bool)
    /// The session is over. `drops`: the connection is just dropped, so that the server keeps what can be resumed (`T-12` c).
    case leave(drops: Bool)

    // MARK: Time

    /// `nextDeadline` has passed. `unacknowledged`: as above, nil where there is no connection; asked only while
    /// `awaitsAcceptance`.
    case deadlineReached(unacknowledged: Int?, hasUnwritten: Bool)
}

/// An address that a name led to.
package struct FoundAddress: Sendable, Equatable {
    /// Its family.
    package var family: AddressFamily
    /// Whether anybody in the Internet may be told to connect to it.
    package var isPublic: Bool

    /// An address of these qualities.
    package init(family: AddressFamily, isPublic: Bool) {
        self.family = family
        self.isPublic = isPublic
    }
}
