import Primitives

/// Reads the numbers and names of a DNS message in order; nil for anything that is incomplete.
struct DNSReader {
    private let bytes: [UInt8]
    private var place = 0

    /// The longest name on the wire (RFC 1035 §2.3.4).
    private static let maximumNameLength = 255

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Skips `count` bytes; false if there are not as many.
    mutating func skip(_ count: Int) -> Bool {
        guard let end = position(after: count) else { return false }
        place = end
        return true
    }

    /// The end of the next `count` bytes (0 or more); nil if there are not as many.
    func position(after count: Int) -> Int? {
        count <= bytes.count - place ? place + count : nil
    }

    /// Moves to `end`, a result of `position(after:)`. With `isExactlyAt` the reader must already be there; otherwise
    /// the result is false.
    @discardableResult
    mutating func move(to end: Int, isExactlyAt: Bool = false) -> Bool {
        guard !isExactlyAt || place == end else { return false }
        place = end
        return true
    }

    mutating func number16() -> UInt16? { number() }
    mutating func number32() -> UInt32? { number() }
    mutating func number128() -> UInt128? { number() }

    /// The name in wire form, without pointers, in lower case, with its final zero.
    ///
    /// Each pointer must lead to a place before the part that contains it, so that no chain of pointers is endless.
    mutating func name() -> [UInt8]? {
        var name: [UInt8] = []
        var cursor = place
        var start = place
        var end: Int?
        while true {
            guard cursor < bytes.count else { return nil }
            let length = Int(bytes[cursor])
            switch length {
            case 0:
                place = end ?? cursor + 1
                return name + [0]
            case 1...DNSName.maximumLabelLength:
                guard length < bytes.count - cursor, name.count + length + 2 <= Self.maximumNameLength else {
                    return nil
                }
                name.append(UInt8(clamping: length))
                for byte in bytes[(cursor + 1)...(cursor + length)] { name.append(byte.asciiLowercased) }
                cursor += length + 1
            case 0xC0...0xFF:
                guard cursor + 1 < bytes.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[cursor + 1])
                guard target < start else { return nil }
                end = end ?? cursor + 2
                cursor = target
                start = target
            default:
                return nil
            }
        }
    }

    /// A name in wire form as text without a final dot, `.` for the root. Nil if a label has a byte that `DNSName` does
    /// not allow.
    static func text(_ wire: [UInt8]) -> String? {
        guard wire.count > 1 else { return "." }
        var text: [UInt8] = []
        var rest = wire[...]
        while let length = rest.popFirst(), length > 0 {
            if !text.isEmpty { text.append(0x2E) }
            for byte in rest.prefix(Int(length)) {
                guard let byte = DNSName.lowercased(byte) else { return nil }
                text.append(byte)
            }
            rest = rest.dropFirst(Int(length))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func number<Number: FixedWidthInteger>() -> Number? {
        let size = Number.bitWidth / 8
        guard let end = position(after: size) else { return nil }
        var value: Number = 0
        for byte in bytes[place..<end] { value = value << 8 | Number(byte) }
        place = end
        return value
    }
}
