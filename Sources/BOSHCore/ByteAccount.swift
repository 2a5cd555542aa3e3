/// What all peers together make a worker hold, by purpose, against one limit.
///
/// Each holder reports how its share has changed; nothing is ever summed up again. Above the first mark everything that
/// can wait has to wait; above the second nothing new begins. Each state is left somewhat below its mark, so that it
/// does not flutter.
package struct ByteAccount: Sendable {
    /// The purpose of the bytes.
    package enum Kind: Int, Sendable, CaseIterable {
        /// Requests that are half read, and the bytes after them.
        case bodies
        /// Answers that wait for earlier ones, or for the client to read.
        case answers
        /// Payload that waits for its turn or for a stream to open.
        case requests
        /// Responses kept for repeats.
        case replays
        /// What servers sent and clients have not fetched.
        case stanzas
        /// What waits to be sent to servers, and half-received elements from them.
        case upstream
        /// Questions about names that wait for an answer.
        case names
    }

    /// How near the limit is.
    package enum Pressure: Int, Sendable, Comparable {
        case none
        /// Everything that can wait has to.
        case high
        /// Nothing new begins.
        case full

        package static func < (one: Pressure, other: Pressure) -> Bool { one.rawValue < other.rawValue }
    }

    /// The most bytes that may be held.
    package let limit: Int
    /// The bytes that are held.
    package private(set) var total = 0
    /// How near the limit is.
    package private(set) var pressure = Pressure.none
    private var held = [Int](repeating: 0, count: Kind.allCases.count)

    /// An account of nothing.
    package init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// The bytes of one kind.
    package func held(_ kind: Kind) -> Int { held[kind.rawValue] }

    /// Replaces a holder's share of a kind, `charged`, by `bytes`, and updates `charged`.
    package mutating func settle(_ kind: Kind, _ bytes: Int, charged: inout UInt32) {
        let bytes = UInt32(clamping: bytes)
        guard bytes != charged else { return }
        let difference = Int(bytes) - Int(charged)
        charged = bytes
        held[kind.rawValue] += difference
        total += difference
        notePressure()
    }

    private mutating func notePressure() {
        if total > mark(90) {
            pressure = .full
        } else if pressure == .full, total <= mark(80) {
            pressure = .high
        }
        if total <= mark(60) {
            pressure = .none
        } else if pressure == .none, total > mark(70) {
            pressure = .high
        }
    }

    private func mark(_ hundredths: Int) -> Int { limit / 100 * hundredths }
}
