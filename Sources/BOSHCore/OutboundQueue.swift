import Bridge
import Primitives

/// What the upstream sent and no request has fetched, in order.
package struct OutboundQueue: Sendable, Equatable {
    /// What one response may hold: features alone, or any number of stanzas (`X-01`).
    package enum Batch: Sendable, Equatable {
        /// The stream's features, with what its header said.
        case features(Boxed<StreamIdentity>?, [UInt8])
        /// Stanzas, back to back.
        case stanzas([UInt8])

        var bytes: [UInt8] {
            switch self {
            case .features(_, let bytes), .stanzas(let bytes): bytes
            }
        }
    }

    private var batches: [Batch] = []

    /// The number of bytes that wait. Stanzas join those before them, so there are few batches to sum up.
    package var byteCount: Int { batches.isEmpty ? 0 : batches.reduce(0) { $0 + $1.bytes.count } }

    /// The memory that the queue takes.
    package var heldBytes: Int { batches.isEmpty ? 0 : batches.reduce(0) { $0 + $1.bytes.heldBytes } }

    /// An empty queue.
    package init() {}

    /// Whether nothing waits.
    package var isEmpty: Bool { batches.isEmpty }

    /// Adds features at the end.
    package mutating func append(features: [UInt8], opening: Boxed<StreamIdentity>?) {
        batches.append(.features(opening, features))
    }

    /// Adds stanzas at the end; does nothing for no bytes.
    package mutating func append(stanzas: [UInt8]) {
        guard !stanzas.isEmpty else { return }
        // The batch is taken out first: with two owners the append would copy all that waits.
        guard case .stanzas? = batches.last, case .stanzas(var waiting) = batches.removeLast() else {
            batches.append(.stanzas(stanzas))
            return
        }
        waiting.append(contentsOf: stanzas)
        batches.append(.stanzas(waiting))
    }

    /// Takes the content of the next response; nil when nothing waits.
    package mutating func take() -> Batch? {
        guard !batches.isEmpty else { return nil }
        let batch = batches.removeFirst()
        // An idle session keeps no storage for this queue.
        if batches.isEmpty { batches = [] }
        return batch
    }

    /// Whether nothing but stanzas waits, or nothing at all.
    package var holdsOnlyStanzas: Bool {
        batches.allSatisfy { batch in
            if case .stanzas = batch { return true }
            return false
        }
    }

    /// Takes everything and returns the stanzas. Features are dropped, because they mean nothing once the stream has
    /// ended.
    package mutating func takeAllStanzas() -> [UInt8] {
        var stanzas: [UInt8] = []
        while let batch = take() {
            if case .stanzas(let bytes) = batch { stanzas.append(contentsOf: bytes) }
        }
        return stanzas
    }

    /// Takes the stanzas at the front; nil when nothing waits or features are at the front.
    package mutating func takeStanzas() -> [UInt8]? {
        guard case .stanzas? = batches.first, case .stanzas(let bytes)? = take() else { return nil }
        return bytes
    }
}
