/// One message between two processes of the program, as it travels.
///
/// On the wire: the length of all that follows (four bytes), the version (one), the kind (one), a number (four), the
/// payload. Numbers have their highest byte first.
///
/// The two processes may be of different versions of the program, so a kind may be unknown to its receiver, who skips
/// the frame.
package struct Frame: Sendable, Equatable {
    /// Says what the payload is. Each direction of each kind of socket has kinds of its own.
    package var kind: UInt8
    /// Links an answer to what it answers; 0 where nothing is answered.
    package var number: UInt32
    package var payload: [UInt8]

    /// A frame made of its parts.
    package init(kind: UInt8, number: UInt32 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.number = number
        self.payload = payload
    }

    /// Whether a descriptor comes with the frame's first byte. The receiver takes one out of its queue for each such
    /// frame, also for one of an unknown kind.
    package var carriesDescriptor: Bool { kind & Self.descriptorBit != 0 }

    /// The bit that kinds with a descriptor have.
    static let descriptorBit: UInt8 = 0x80
    /// The version of the layout above.
    static let version: UInt8 = 1
    /// Bytes of the length.
    package static let lengthSize = 4
    /// Bytes between the length and the payload.
    static let headSize = 6

    /// Bytes that a frame takes besides its payload.
    package static let overhead = lengthSize + headSize
}

/// Why the bytes of a stream are no frames. Nothing behind them can be read.
package enum FrameFault: Error, Sendable, Equatable {
    /// The length is above the reader's bound.
    case tooLong(Int)
    /// The length is below that of a frame without payload.
    case tooShort(Int)
    /// The layout is of another version.
    case unknownVersion(UInt8)
}

/// Why a frame is no message. The frames behind it can be read.
package enum MessageFault: Error, Sendable, Equatable {
    /// The kind is unknown: skip the frame. A newer program may have sent it.
    case unknownKind(UInt8)
    /// The connection is handed over for a purpose, or in a form, of a newer program. Refuse it.
    case unknownPurpose(UInt8)
    case unknownEnvelope(version: UInt8)
    /// The payload is cut off, or has a value that no program writes.
    case malformed
}
