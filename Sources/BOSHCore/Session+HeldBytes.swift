/// The bytes that a session holds, for the worker's account and for the session's own bounds.
extension Session {
    /// The bytes that the session holds, by purpose.
    package var heldBytes: HeldBytes {
        HeldBytes(
            requests: earlyHeldBytes + inboundHeldBytes,
            stanzas: streams.reduce(0) { $0 + $1.outbound.heldBytes + $1.streamError.heldBytes },
            replays: replay.byteCount)
    }

    /// The bytes of a session, by purpose.
    package struct HeldBytes: Sendable, Equatable {
        /// Payload from the client that waits for its turn or for a stream to open.
        package let requests: Int
        /// What the client has not fetched.
        package let stanzas: Int
        /// Responses that are kept for a repeat.
        package let replays: Int

        /// The bytes of a session that is over.
        package static let nothing = HeldBytes(requests: 0, stanzas: 0, replays: 0)
    }

    /// The payload of requests that came before their predecessors.
    var earlyByteCount: Int { early.isEmpty ? 0 : early.reduce(0) { $0 + $1.payload.count } }

    /// The memory of early requests.
    private var earlyHeldBytes: Int {
        early.isEmpty
            ? 0
            : early.reduce(early.capacity * MemoryLayout<ArrivedRequest>.stride) { $0 + $1.payload.heldBytes }
    }

    /// The memory of payload that waits for streams to open.
    private var inboundHeldBytes: Int {
        var bytes = 0
        for index in streams.indices where !streams[index].inbound.isEmpty {
            bytes += streams[index].inbound.heldBytes(beside: streams[..<index])
        }
        return bytes
    }

    /// The payload that waits for streams to open. Payload for several of them counts once.
    var inboundByteCount: Int {
        var bytes = 0
        for index in streams.indices where !streams[index].inbound.isEmpty {
            bytes += streams[index].inbound.byteCount(beside: streams[..<index])
        }
        return bytes
    }
}
