@testable import Resolver

/// Writes DNS messages for tests, correct and wrong ones.
struct DNSBuilder {
    /// One record; its owner is in wire form and may contain pointers.
    struct Record {
        var owner: [UInt8]
        var type: UInt16
        var family: UInt16 = 1
        var lifetime: UInt32 = 300
        var data: [UInt8]
        /// A length to write instead of the data's true one.
        var length: UInt16?
    }

    var id: UInt16 = 0
    /// A recursive response without an error.
    var flags: UInt16 = 0x8180
    var name: String
    var type: UInt16
    var family: UInt16 = 1
    var answers: [Record] = []
    var authorities: [Record] = []
    /// Counts to write instead of the true ones: questions, answers, authorities.
    var counts: (UInt16?, UInt16?, UInt16?) = (nil, nil, nil)

    /// Points to the name of the question.
    static let asked: [UInt8] = [0xC0, 12]

    var bytes: [UInt8] {
        Self.number(id) + Self.number(flags) + Self.number(counts.0 ?? 1)
            + Self.number(counts.1 ?? UInt16(answers.count)) + Self.number(counts.2 ?? UInt16(authorities.count))
            + [0, 0] + DNSName.wire(name) + Self.number(type) + Self.number(family)
            + (answers + authorities).flatMap(Self.bytes)
    }

    mutating func address(_ four: [UInt8], owner: [UInt8] = asked, lifetime: UInt32 = 300) {
        answers.append(Record(owner: owner, type: 1, lifetime: lifetime, data: four))
    }

    mutating func address6(_ last: UInt8, owner: [UInt8] = asked, lifetime: UInt32 = 300) {
        let data: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [last]
        answers.append(Record(owner: owner, type: 28, lifetime: lifetime, data: data))
    }

    mutating func alias(_ owner: String, _ target: String, lifetime: UInt32 = 300) {
        answers.append(Record(owner: DNSName.wire(owner), type: 5, lifetime: lifetime, data: DNSName.wire(target)))
    }

    mutating func service(
        _ priority: UInt16, _ weight: UInt16, _ port: UInt16, _ target: [UInt8], lifetime: UInt32 = 300
    ) {
        let data = Self.number(priority) + Self.number(weight) + Self.number(port) + target
        answers.append(Record(owner: Self.asked, type: 33, lifetime: lifetime, data: data))
    }

    mutating func authority(lifetime: UInt32, minimum: UInt32) {
        let data =
            DNSName.wire("ns.example") + DNSName.wire("root.example") + [UInt8](repeating: 0, count: 16)
            + Self.number(minimum)
        authorities.append(Record(owner: DNSName.wire("example"), type: 6, lifetime: lifetime, data: data))
    }

    static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
    }

    private static func bytes(_ record: Record) -> [UInt8] {
        record.owner + number(record.type) + number(record.family) + number(record.lifetime)
            + number(record.length ?? UInt16(record.data.count)) + record.data
    }
}

/// A sequence of numbers that follows from a seed (SplitMix64), so that a failing mutation can be repeated.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
