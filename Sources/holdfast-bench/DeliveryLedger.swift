/// The mark in the body of every measured message.
struct Mark: Equatable {
    /// The sending session's number.
    let sender: Int
    /// Counts the sender's messages from 0.
    let sequence: Int
    /// When the message was due, in nanoseconds of the monotonic clock; waiting inside the client counts as latency.
    let due: UInt64

    /// The text form, which `all(in:)` finds again.
    var text: [UInt8] { Array("hf|\(sender)|\(sequence)|\(due)|".utf8) }

    /// The marks in received stanza bytes, in order.
    static func all(in bytes: ArraySlice<UInt8>) -> [Mark] {
        var marks: [Mark] = []
        var rest = bytes
        while let index = Markup.firstIndex(of: prefix, in: rest) {
            rest = rest[(index + prefix.count)...]
            if let sender = number(&rest), let sequence = number(&rest), let due = number(&rest) {
                marks.append(Mark(sender: Int(sender), sequence: Int(sequence), due: due))
            }
        }
        return marks
    }

    private static let prefix = Array("hf|".utf8)

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = rest.popFirst(), digits < 19 {
            if byte == UInt8(ascii: "|") { return digits > 0 ? value : nil }
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
            digits += 1
        }
        return nil
    }
}

/// Counts the messages from one session to another: each must come once and in order.
struct DeliveryLedger: Equatable {
    /// Messages sent.
    private(set) var sent = 0
    /// Messages that came for the first time.
    private(set) var received = 0
    /// Messages that came again.
    private(set) var doubled = 0
    /// Messages that came after a later one.
    private(set) var outOfOrder = 0

    private let first: Int
    private var expected: Int
    private var missing: Set<Int> = []

    init() {
        self.init(from: 0)
    }

    private init(from first: Int) {
        self.first = first
        expected = first
    }

    /// The ledger that begins when one of the two sessions has ended and another takes its place. It does not count the
    /// messages of this one, however late they come.
    var successor: DeliveryLedger { DeliveryLedger(from: first + sent) }

    /// Messages that have not come.
    var lost: Int { sent - received }
    /// Messages that have not come although a later one has.
    var overtaken: Int { missing.count }

    /// Counts a message about to be sent and returns its sequence number.
    mutating func send() -> Int {
        sent += 1
        return first + sent - 1
    }

    /// Counts a message that came. Returns whether it is new.
    mutating func receive(_ sequence: Int) -> Bool {
        guard sequence >= first else { return false }
        if sequence >= expected {
            for skipped in expected..<sequence { missing.insert(skipped) }
            expected = sequence + 1
        } else if missing.remove(sequence) != nil {
            outOfOrder += 1
        } else {
            doubled += 1
            return false
        }
        received += 1
        return true
    }
}
