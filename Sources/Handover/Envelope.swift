import Primitives

/// What a client's connection takes along when it moves to another worker. The receiver goes on as if it had accepted
/// the connection and read the bytes itself.
///
/// A connection moves only while it owes no answer and has no unsent bytes. The receiver asks nothing of the descriptor
/// but that it is a stream.
package struct Envelope: Sendable, Equatable {
    /// Why the connection moves.
    package enum Purpose: Sendable, Equatable {
        /// The request is for a session of the worker with this tag.
        case session(tag: UInt32)
        /// The request begins a session, and the receiver has fewer.
        case creation
    }

    /// How far the client has ended its side.
    package enum ClientEnd: UInt8, Sendable, Equatable, CaseIterable {
        case none = 0
        /// The client's end stands after bytes in the kernel that are still to be read.
        case announced = 1
        /// The client's end was read: it sends no more, but may still read.
        case read = 2
        /// No answer reaches the client.
        case deaf = 3
    }

    /// What became of the interim answer `100 Continue` to the request.
    package enum Continue: UInt8, Sendable, Equatable, CaseIterable {
        /// The client does not wait for it.
        case none = 0
        /// The client waits for it.
        case owed = 1
        case sent = 2
    }

    package var purpose: Purpose
    /// The listener that accepted the connection, by its place in the list of all listeners: it says which rules hold.
    package var listener: UInt32
    /// The other end, or the client that a PROXY header named, as `SocketAddress` writes it; at most 255 bytes.
    package var peer: String
    /// Whether a PROXY header named nobody: then neither the peer nor any field says who the client is.
    package var isClientUnknown: Bool
    /// Whether the other end of the accepted connection is trusted when it names the client for whom it forwards.
    package var isFromProxy: Bool
    /// Whether the client came by `https`.
    package var isSecure: Bool
    package var clientEnd: ClientEnd
    package var continueState: Continue
    /// When the first byte of the request came. All processes since the machine started share the clock.
    package var requestSince: MonotonicInstant
    /// When bytes last went through.
    package var phaseSince: MonotonicInstant
    /// How many requests were served on the connection.
    package var served: UInt32
    /// The request, with its body, as HTTP/1.1; empty when the connection moves between two requests.
    package var request: [UInt8]
    /// The bytes that were read behind the request.
    package var behind: [UInt8]

    /// An envelope made of its parts.
    package init(
        purpose: Purpose, listener: UInt32, peer: String, isClientUnknown: Bool = false, isFromProxy: Bool = false,
        isSecure: Bool = false, clientEnd: ClientEnd = .none, continueState: Continue = .none,
        requestSince: MonotonicInstant,
        phaseSince: MonotonicInstant, served: UInt32, request: [UInt8], behind: [UInt8] = []
    ) {
        self.purpose = purpose
        self.listener = listener
        self.peer = peer
        self.isClientUnknown = isClientUnknown
        self.isFromProxy = isFromProxy
        self.isSecure = isSecure
        self.clientEnd = clientEnd
        self.continueState = continueState
        self.requestSince = requestSince
        self.phaseSince = phaseSince
        self.served = served
        self.request = request
        self.behind = behind
    }

    /// The most bytes of a frame with an envelope, besides `request` and `behind`.
    package static let overhead = Frame.overhead + fixedSize + longestPeer

    /// The most bytes of the other end's address.
    private static let longestPeer = 255
    /// Bytes of the fields that are always there, with the lengths of the others.
    private static let fixedSize = 47
    /// The version of the layout. A field that every receiver has to understand makes a new one.
    private static let version: UInt8 = 1

    /// Bytes that the envelope takes.
    var size: Int { Self.fixedSize + Self.longestPeer + request.count + behind.count }

    func append(to bytes: inout [UInt8]) {
        bytes.append(Self.version)
        switch purpose {
        case .session(let tag):
            bytes.append(PurposeCode.session)
            bytes.append(bigEndian: tag)
        case .creation:
            bytes.append(PurposeCode.creation)
            bytes.append(bigEndian: UInt32(0))
        }
        bytes.append(bigEndian: listener)
        bytes.append(counted: peer)
        bytes.append(flag: isClientUnknown)
        bytes.append(flag: isFromProxy)
        bytes.append(flag: isSecure)
        bytes.append(clientEnd.rawValue)
        bytes.append(continueState.rawValue)
        bytes.append(bigEndian: requestSince.nanoseconds)
        bytes.append(bigEndian: phaseSince.nanoseconds)
        bytes.append(bigEndian: served)
        bytes.append(counted: request)
        bytes.append(counted: behind)
    }

    init(reading reader: inout PayloadReader) throws(MessageFault) {
        let version = try reader.byte()
        guard version == Self.version else { throw .unknownEnvelope(version: version) }
        let code = try reader.byte()
        let tag = try reader.number32()
        switch code {
        case PurposeCode.session: purpose = .session(tag: tag)
        case PurposeCode.creation: purpose = .creation
        default: throw .unknownPurpose(code)
        }
        listener = try reader.number32()
        peer = try reader.text(atMost: Self.longestPeer)
        isClientUnknown = try reader.flag()
        isFromProxy = try reader.flag()
        isSecure = try reader.flag()
        guard let clientEnd = ClientEnd(rawValue: try reader.byte()),
            let continueState = Continue(rawValue: try reader.byte())
        else { throw .malformed }
        self.clientEnd = clientEnd
        self.continueState = continueState
        requestSince = MonotonicInstant(nanoseconds: try reader.number64())
        phaseSince = MonotonicInstant(nanoseconds: try reader.number64())
        served = try reader.number32()
        request = try reader.bytes()
        behind = try reader.bytes()
    }

    /// The purposes on the wire.
    private enum PurposeCode {
        static let session: UInt8 = 0
        static let creation: UInt8 = 1
    }
}
