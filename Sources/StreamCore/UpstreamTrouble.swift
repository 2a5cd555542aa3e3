/// A trouble on the way to a server that the operator should see, though the stream may still be opened.
package enum UpstreamTrouble: Sendable, Equatable {
    /// A name could not be looked up. `reason`: the resolver's words.
    case name(reason: String)
    /// A stranger's domain names a port that belongs to other services.
    case strangePort
    /// A stranger's domain names a server that has no public address.
    case noPublicAddress
    /// A connection could not be made: the system call and its `errno`.
    case connection(call: String, code: Int32)
    /// A connection could not be begun because this side lacks a resource.
    case shortage(OwnShortage)
    /// TLS failed, in the handshake or later. `words`: the codec's description.
    case protection(ProtectionFault, words: String)
    /// What the server sent is not zlib data, or grows beyond the limit; or there was no memory. `words`: the codec's
    /// description.
    case compression(words: String)

    /// A short name for each kind of trouble, for log lines: the words of `StreamFailure` where a stream fails by it. It
    /// contains nothing that a peer wrote.
    package enum Label: Sendable, Hashable {
        case name, connection, forbidden, shortage, compression
        case protection(ProtectionFault)
    }

    /// The name of this trouble.
    package var label: Label {
        switch self {
        case .name: .name
        case .strangePort, .noPublicAddress: .forbidden
        case .connection: .connection
        case .shortage: .shortage
        case .protection(let fault, _): .protection(fault)
        case .compression: .compression
        }
    }
}

extension UpstreamTrouble.Label: CaseIterable, RawRepresentable {
    /// All names, in the order in which they are shown.
    package static let allCases: [Self] =
        [.name, .connection, .forbidden, .shortage, .compression] + ProtectionFault.allCases.map(Self.protection)

    /// The name as it is shown.
    package var rawValue: String {
        switch self {
        case .name: "unresolved"
        case .connection: "unreachable"
        case .forbidden: "refused-target"
        case .shortage: "shortage"
        case .compression: "compression"
        case .protection(let fault): fault.rawValue
        }
    }

    /// The label that is shown as `rawValue`; nil for any other text.
    package init?(rawValue: String) {
        guard let label = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = label
    }
}

/// What this program or its machine lacks for another connection. No server is to blame.
package enum OwnShortage: Sendable, Equatable {
    /// A descriptor: the remaining ones are reserved for the loop.
    case descriptors
    /// A place: as many connections to this server exist as are allowed.
    case places
    /// A local port for a connection to this address.
    case ports
    /// Another resource of the kernel: the system call and its `errno`.
    case kernel(call: String, code: Int32)
}

/// What a trouble is about.
package enum TroubleSubject: Sendable, Equatable {
    /// A name that was looked up.
    case name(String)
    /// A server.
    case server(UpstreamKey)
    /// An attempt to connect.
    case attempt(Int)
    /// The stream itself, whose server is known to work or was never looked for.
    case stream
}
