extension [UInt8] {
    /// What the array takes of memory. From 128 KiB on it has pages of its own (`ProcessMemory.prepare`), and those behind its
    /// last byte were never touched: nothing is charged for room that costs nothing.
    package var heldBytes: Int {
        if capacity == 0 { return 0 }
        return capacity < 131_072 ? capacity + 48 : count + 4_096
    }
}

/// What all peers together have a worker hold, by what it is for, against one limit.
///
/// Whoever holds something tells how its share has changed; nothing is ever added up anew. Above one mark what can wait has
/// to wait, above the next one nothing new begins. Each mark is left only somewhat below it, so that nothing flutters.
package struct ByteAccount: Sendable {
    /// What the bytes are for.
    package enum Kind: Int, Sendable, CaseIterable {
        /// Requests that are half read, and bytes behind them.
        case bodies
        /// Answers that wait for others, or for the client to read.
        case answers
        /// Payload that waits for its turn or for a stream to open.
        case requests
        /// Responses kept for repeats.
        case replays
        /// What servers sent and no client has fetched.
        case stanzas
        /// What waits to be sent to servers, and half of what they send.
        case upstream
        /// Questions about names that wait for an answer.
        case names
    }

    /// How near the limit is.
    package enum Pressure: Int, Sendable, Comparable {
        case none
        /// What can wait has to.
        case high
        /// Nothing new begins.
        case full

        package static func < (one: Pressure, other: Pressure) -> Bool { one.rawValue < other.rawValue }
    }

    /// Bytes that are held at most.
    package let limit: Int
    /// Bytes that are held.
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

    /// Takes in that somebody holds so many bytes of a kind instead of those that were `charged`, and notes them there.
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
