/// How far a worker has come with the connections that another one has sent it over their mailbox. The receiver shows
/// it in one word of shared memory, which the sender looks at when it has time.
///
/// So a receipt costs neither side a system call, and wakes up nobody. Connections are answered in the order of their
/// numbers, and a refusal counts here only after its message was written: then a sender that has read that message knows
/// the fate of all connections below `answered`.
package struct Receipts: Sendable, Equatable {
    /// The number of the first connection that was neither taken nor refused. Numbers begin at 0 and go round.
    package var answered: UInt32 = 0
    /// How many of those before it were refused; the number goes round.
    package var refused: UInt32 = 0

    /// Nothing was answered yet.
    package init() {}

    /// Reads the word of a page.
    package init(word: UInt64) {
        answered = UInt32(truncatingIfNeeded: word)
        refused = UInt32(truncatingIfNeeded: word >> 32)
    }

    /// The word of a page.
    package var word: UInt64 { UInt64(refused) << 32 | UInt64(answered) }

    /// Notes that the next connection was taken.
    package mutating func take() { answered &+= 1 }

    /// Notes that the next connection was refused, and that the sender was told.
    package mutating func refuse() {
        answered &+= 1
        refused &+= 1
    }

    /// How many connections behind number `first` were taken, if the sender has read as many refusals as were made; nil
    /// when the message of a refusal is still on its way.
    ///
    /// - Parameters:
    ///   - first: the number of the first connection whose fate the sender does not know.
    ///   - refusals: how many refusals the sender has read.
    package func takenCount(from first: UInt32, refusals: UInt32) -> Int? {
        guard refused == refusals else { return nil }
        // A receiver cannot have answered less than the sender knows; a damaged one may show anything.
        return max(Int(Int32(truncatingIfNeeded: answered &- first)), 0)
    }

    /// How many words a page of receipts has: each of the two workers writes one.
    package static let words = 2

    /// Which word the worker with the tag `writer` writes, when the other one has the tag `reader`.
    package static func place(of writer: UInt32, for reader: UInt32) -> Int { writer < reader ? 0 : 1 }
}
