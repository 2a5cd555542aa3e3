import Bridge
import Primitives

/// What the upstream sent and no request has fetched yet, in order.
package struct OutboundQueue: Sendable, Equatable {
    /// What may stand together in one response: features alone, or any number of stanzas (`X-01`).
    package enum Batch: Sendable, Equatable {
        /// The stream's features, with what became known of the stream when it was opened.
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

    /// How many bytes wait. Stanzas join those before them, so there are few batches to add up.
    package var byteCount: Int { batches.isEmpty ? 0 : batches.reduce(0) { $0 + $1.bytes.count } }

    /// What it takes of memory.
    package var heldBytes: Int { batches.isEmpty ? 0 : batches.reduce(0) { $0 + $1.bytes.heldBytes } }

    /// A queue with nothing in it.
    package init() {}

    /// Whether nothing waits.
    package var isEmpty: Bool { batches.isEmpty }

    /// Puts features behind everything that waits.
    package mutating func append(features: [UInt8], opening: Boxed<StreamIdentity>?) {
        batches.append(.features(opening, features))
    }

    /// Puts stanzas behind everything that waits; no bytes are nothing that waits.
    package mutating func append(stanzas: [UInt8]) {
        guard !stanzas.isEmpty else { return }
        // Taken out first: with two owners all that waits would be copied for each stanza more.
        guard case .stanzas? = batches.last, case .stanzas(var waiting) = batches.removeLast() else {
            batches.append(.stanzas(stanzas))
            return
        }
        waiting.append(contentsOf: stanzas)
        batches.append(.stanzas(waiting))
    }

    /// Takes what the next response shall hold; nil when nothing waits.
    package mutating func take() -> Batch? {
        guard !batches.isEmpty else { return nil }
        let batch = batches.removeFirst()
        // An idle session keeps no storage for a queue it rarely needs.
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

    /// Takes everything, and gives the stanzas among it: features mean nothing once a stream has ended.
    package mutating func takeAllStanzas() -> [UInt8] {
        var stanzas: [UInt8] = []
        while let batch = take() {
            if case .stanzas(let bytes) = batch { stanzas.append(contentsOf: bytes) }
        }
        return stanzas
    }

    /// Takes the stanzas at the front; nil when nothing waits or features stand there.
    package mutating func takeStanzas() -> [UInt8]? {
        guard case .stanzas? = batches.first, case .stanzas(let bytes)? = take() else { return nil }
        return bytes
    }
}
