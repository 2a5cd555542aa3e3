/// What went wrong on the way to a server and is worth a line for the operator, though the stream may still come to be.
package enum UpstreamTrouble: Sendable, Equatable {
    /// A name could not be looked up; the resolver's words.
    case name(reason: String)
    /// A stranger's domain names a port where other services are.
    case strangePort
    /// A stranger's domain names a server that has no public address.
    case noPublicAddress
    /// A connection could not be made: the system call and its `errno`.
    case connection(call: String, code: Int32)
    /// A connection could not be begun, for want of something of our own.
    case shortage(OwnShortage)
    /// TLS failed, in the handshake or later; the words of the codec.
    case protection(ProtectionFault, words: String)
    /// What the server sent is not zlib data, or becomes more than is allowed; or there was no memory. The words of the codec.
    case compression(words: String)

    /// One short name for each kind of trouble, for a counter: nothing that a peer wrote is in it.
    package enum Label: Sendable, Equatable {
        case name, connection, forbidden, shortage, compression
        case protection(ProtectionFault)
    }

    /// Its name.
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
    /// All of them, in the order in which they are shown.
    package static let allCases: [Self] =
        [.name, .connection, .forbidden, .shortage, .compression] + ProtectionFault.allCases.map(Self.protection)

    /// The name as it is shown.
    package var rawValue: String {
        switch self {
        case .name: "dns"
        case .connection: "connect"
        case .forbidden: "forbidden"
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

/// What this program or its machine lacks for one more connection. No server had a part in it.
package enum OwnShortage: Sendable, Equatable {
    /// A descriptor: the rest is kept for the loop.
    case descriptors
    /// A place: there are as many connections to this server as there may be.
    case places
    /// A local port for a connection to this address.
    case ports
    /// Something else that the kernel has too little of: the system call and its `errno`.
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
