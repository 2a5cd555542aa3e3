/// Reads the fields of a payload in order.
///
/// The sender may be damaged, so every length is checked. Bytes behind the last field are ignored, so that a newer
/// program can append fields that an older one need not understand.
struct PayloadReader {
    private let payload: [UInt8]
    private var place = 0

    init(_ payload: [UInt8]) {
        self.payload = payload
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { place >= payload.count }

    mutating func byte() throws(MessageFault) -> UInt8 { try number() }

    mutating func number32() throws(MessageFault) -> UInt32 { try number() }

    mutating func number64() throws(MessageFault) -> UInt64 { try number() }

    /// A byte that is 0 or 1.
    mutating func flag() throws(MessageFault) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .malformed
        }
    }

    /// Bytes with their number before them.
    mutating func bytes() throws(MessageFault) -> [UInt8] {
        let part = try part(atMost: .max)
        return [UInt8](copying: part.span)
    }

    /// A text of at most `limit` bytes of UTF-8, with its length before it.
    mutating func text(atMost limit: Int) throws(MessageFault) -> String {
        guard let text = String(validating: try part(atMost: limit), as: UTF8.self) else { throw .malformed }
        return text
    }

    /// Numbers with their count before them.
    mutating func numbers() throws(MessageFault) -> [UInt32] {
        var numbers: [UInt32] = []
        // Nothing is reserved, because a damaged count may be anything.
        for _ in 0..<(try number32()) { numbers.append(try number32()) }
        return numbers
    }

    /// Texts of at most `limit` bytes each, with their count before them.
    mutating func texts(atMost limit: Int) throws(MessageFault) -> [String] {
        var texts: [String] = []
        for _ in 0..<(try number32()) { texts.append(try text(atMost: limit)) }
        return texts
    }

    private mutating func part(atMost limit: Int) throws(MessageFault) -> ArraySlice<UInt8> {
        let length = Int(try number32())
        guard length <= limit, length <= payload.count - place else { throw .malformed }
        defer { place += length }
        return payload[place..<(place + length)]
    }

    /// A whole number, its highest byte first.
    mutating func number<Number: FixedWidthInteger>() throws(MessageFault) -> Number {
        let size = Number.bitWidth / 8
        guard size <= payload.count - place else { throw .malformed }
        var value: Number = 0
        for offset in place..<(place + size) { value = value << 8 | Number(payload[offset]) }
        place += size
        return value
    }
}
