/// What a client's connection takes along when it moves to another worker. The receiver goes on as if it had accepted
/// the connection and read the bytes itself.
///
/// A connection moves only with a complete request or with none of a request, and only while it owes no other answer and has
/// no unsent bytes. So no `100 Continue` is open, and no deadline runs but that of an idle connection, which goes on. The kernel
/// tells the receiver again when the client has ended its side. The receiver asks nothing of the descriptor but that it is a
/// stream.
package struct Envelope: Sendable, Equatable {
    /// Why the connection moves.
    package enum Purpose: Sendable, Equatable {
        /// The request is for a session of the worker with this tag.
        case session(tag: UInt32)
        /// The request begins a session, and the receiver has fewer.
        case creation
        /// The sender takes nothing new. The request is for no session, or there is none.
        case anything
    }

    /// The other end of the connection, or the client that a PROXY header named.
    package enum Peer: Sendable, Equatable {
        /// The client of a Unix socket, which has no address of its own.
        case unnamed
        /// The address as a number in host order (127.0.0.1 is 0x7F000001), and the port.
        case ipv4(UInt32, port: UInt16)
        /// The address as a number in host order, the port, and the number of the interface of a link-local address.
        case ipv6(UInt128, port: UInt16, scope: UInt32)
    }

    /// What a PROXY header said of the client's own connection.
    package enum Scheme: UInt8, Sendable, Equatable, CaseIterable {
        case unknown, http, https
    }

    package var purpose: Purpose
    /// The listener that accepted the connection, by its place in the list of all listeners: it says which rules hold.
    package var listener: UInt32
    package var peer: Peer
    /// Whether the connection came in where operators ask, and not clients.
    package var isForOperators: Bool
    /// Whether a PROXY header named nobody: then neither the peer nor any field says who the client is.
    package var isClientUnknown: Bool
    /// Whether the other end of the accepted connection is trusted when it names the client for whom it forwards.
    package var isFromProxy: Bool
    /// What a PROXY header said of the client's own connection. It comes last, so an older receiver goes without it.
    package var scheme: Scheme
    /// For how many milliseconds nothing has come, for a connection without a request: its time goes on.
    package var silence: UInt32
    /// The request with its decoded body, as HTTP/1.1, and behind it the bytes that were read after it.
    package var input: [UInt8]

    /// An envelope made of its parts.
    package init(
        purpose: Purpose, listener: UInt32, peer: Peer, isForOperators: Bool = false, isClientUnknown: Bool = false,
        isFromProxy: Bool = false, scheme: Scheme = .unknown,
        silence: UInt32 = 0, input: [UInt8]
    ) {
        self.purpose = purpose
        self.listener = listener
        self.peer = peer
        self.isForOperators = isForOperators
        self.isClientUnknown = isClientUnknown
        self.isFromProxy = isFromProxy
        self.scheme = scheme
        self.silence = silence
        self.input = input
    }

    /// The most bytes of a frame with an envelope, besides `input`.
    package static let overhead = Frame.overhead + mostFields

    /// Bytes of all that stands before the input, for the longest kind of address.
    private static let mostFields = 45
    /// The version of the layout. A field that every receiver has to understand makes a new one.
    private static let version: UInt8 = 1

    /// The most bytes that the envelope takes.
    var size: Int { Self.mostFields + input.count }

    func append(to bytes: inout [UInt8]) {
        append(to: &bytes) { $0.append(copying: input.span) }
    }

    /// Appends the envelope with what `appendInput` appends in place of its own input.
    func append(to bytes: inout [UInt8], appendInput: (inout [UInt8]) -> Void) {
        bytes.append(Self.version)
        switch purpose {
        case .session(let tag):
            bytes.append(PurposeCode.session)
            bytes.append(bigEndian: tag)
        case .creation:
            bytes.append(PurposeCode.creation)
            bytes.append(bigEndian: UInt32(0))
        case .anything:
            bytes.append(PurposeCode.anything)
            bytes.append(bigEndian: UInt32(0))
        }
        bytes.append(bigEndian: listener)
        bytes.append(flag: isForOperators)
        bytes.append(flag: isClientUnknown)
        bytes.append(flag: isFromProxy)
        bytes.append(bigEndian: silence)
        switch peer {
        case .unnamed:
            bytes.append(PeerCode.unnamed)
        case .ipv4(let address, let port):
            bytes.append(PeerCode.ipv4)
            bytes.append(bigEndian: address)
            bytes.append(bigEndian: port)
        case .ipv6(let address, let port, let scope):
            bytes.append(PeerCode.ipv6)
            bytes.append(bigEndian: address)
            bytes.append(bigEndian: port)
            bytes.append(bigEndian: scope)
        }
        // The number of the bytes is written when it is known.
        let place = bytes.count
        bytes.append(bigEndian: UInt32(0))
        appendInput(&bytes)
        bytes.replace(at: place, bigEndian: UInt32(clamping: bytes.count - place - 4))
        if scheme != .unknown { bytes.append(scheme.rawValue) }
    }

    init(reading reader: inout PayloadReader) throws(MessageFault) {
        let version = try reader.byte()
        guard version == Self.version else { throw .unknownEnvelope(version: version) }
        let code = try reader.byte()
        let tag = try reader.number32()
        switch code {
        case PurposeCode.session: purpose = .session(tag: tag)
        case PurposeCode.creation: purpose = .creation
        case PurposeCode.anything: purpose = .anything
        default: throw .unknownPurpose(code)
        }
        listener = try reader.number32()
        isForOperators = try reader.flag()
        isClientUnknown = try reader.flag()
        isFromProxy = try reader.flag()
        silence = try reader.number32()
        switch try reader.byte() {
        case PeerCode.unnamed: peer = .unnamed
        case PeerCode.ipv4: peer = .ipv4(try reader.number(), port: try reader.number())
        case PeerCode.ipv6: peer = .ipv6(try reader.number(), port: try reader.number(), scope: try reader.number())
        default: throw .malformed
        }
        input = try reader.bytes()
        scheme = reader.isAtEnd ? .unknown : Scheme(rawValue: try reader.byte()) ?? .unknown
    }

    /// The purposes on the wire.
    private enum PurposeCode {
        static let session: UInt8 = 0
        static let creation: UInt8 = 1
        static let anything: UInt8 = 2
    }

    /// The kinds of addresses on the wire.
    private enum PeerCode {
        static let unnamed: UInt8 = 0
        static let ipv4: UInt8 = 4
        static let ipv6: UInt8 = 6
    }
}
