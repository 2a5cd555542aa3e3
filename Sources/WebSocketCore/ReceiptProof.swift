import Primitives

/// Which of the stanzas sent to a client have provably come, by the answers to pings (`W-38`).
///
/// The payload of a ping is its number. A client answers it after it has read everything before it, so the answer
/// proves that. Bytes that the kernel has accepted prove nothing behind a proxy.
struct ReceiptProof: Sendable, Equatable {
    /// How many of the unproven bytes were sent before a ping.
    private struct Mark: Sendable, Equatable {
        let ping: UInt32
        var end: Int
    }

    /// The stanzas whose receipt nothing proves, back to back.
    private(set) var unproven: [UInt8] = []
    private var marks: [Mark] = []

    /// Whether some of the stanzas were sent behind the last ping.
    var wantsPing: Bool { unproven.count > (marks.last?.end ?? 0) }

    /// Whether the answer to a ping is awaited that would prove something.
    var isAwaited: Bool { !marks.isEmpty }

    /// The memory that the unproven stanzas take, in bytes.
    var heldBytes: Int { unproven.heldBytes }

    /// Notes that these stanzas were sent.
    mutating func noteSent(_ stanzas: [UInt8]) { unproven.append(contentsOf: stanzas) }

    /// Notes that the ping of this number was sent behind everything so far.
    mutating func notePing(_ number: UInt32) {
        if wantsPing { marks.append(Mark(ping: number, end: unproven.count)) }
    }

    /// Notes that the ping of this number was answered. Pings are answered in order, and some may be left out (RFC 6455
    /// §5.5.3).
    mutating func noteAnswer(to number: UInt32) {
        let answered = marks.prefix { number &- $0.ping < .max / 2 }
        guard let end = answered.last?.end else { return }
        marks.removeFirst(answered.count)
        if end == unproven.count {
            forget()
        } else {
            unproven.removeFirst(end)
            for index in marks.indices { marks[index].end -= end }
        }
    }

    /// Forgets all stanzas, because nobody asks for them, and gives their memory back.
    mutating func forget() {
        unproven = []
        marks = []
    }
}
