/// What a session holds, in bytes: for the worker's account, and for the bounds of a session.
extension Session {
    /// How many bytes the session has a worker hold, by what they are for.
    package var heldBytes: HeldBytes {
        HeldBytes(
            requests: earlyHeldBytes + inboundHeldBytes,
            stanzas: streams.reduce(0) { $0 + $1.outbound.heldBytes + $1.streamError.heldBytes },
            replays: replay.byteCount)
    }

    /// Bytes of a session by what they are for.
    package struct HeldBytes: Sendable, Equatable {
        /// Payload from the client that waits for its turn or for a stream to open.
        package let requests: Int
        /// What the client has not fetched.
        package let stanzas: Int
        /// Responses that are kept for a repeat.
        package let replays: Int

        /// Of a session that is over.
        package static let nothing = HeldBytes(requests: 0, stanzas: 0, replays: 0)
    }

    /// Payload of requests that came before their predecessors.
    var earlyByteCount: Int { early.isEmpty ? 0 : early.reduce(0) { $0 + $1.payload.count } }

    /// What early requests take.
    private var earlyHeldBytes: Int {
        early.isEmpty
            ? 0
            : early.reduce(early.capacity * MemoryLayout<ArrivedRequest>.stride) { $0 + $1.payload.heldBytes }
    }

    /// What payload takes that waits for streams to open.
    private var inboundHeldBytes: Int {
        var bytes = 0
        for index in streams.indices where !streams[index].inbound.isEmpty {
            bytes += streams[index].inbound.heldBytes(beside: streams[..<index])
        }
        return bytes
    }

    /// Payload that waits for streams to open; what several of them wait for counts once.
    var inboundByteCount: Int {
        var bytes = 0
        for index in streams.indices where !streams[index].inbound.isEmpty {
            bytes += streams[index].inbound.byteCount(beside: streams[..<index])
        }
        return bytes
    }
}
