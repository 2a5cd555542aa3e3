/// A way through the bytes of a TOML document that knows line and column.
struct TOMLCursor {
    private let text: [UInt8]
    private var index: Int
    /// Where `current` stands.
    private(set) var position = TOMLPosition(line: 1, column: 1)

    /// Begins behind a byte order mark.
    init(_ text: [UInt8]) {
        self.text = text
        index = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next byte; `nil` at the end.
    var current: UInt8? { index < text.count ? text[index] : nil }

    /// Goes behind the next byte; at the end it stays.
    mutating func advance() {
        guard index < text.count else { return }
        let byte = text[index]
        index += 1
        if byte == UInt8(ascii: "\n") {
            position = TOMLPosition(line: position.line + 1, column: 1)
        } else if index == text.count || text[index] & 0xC0 != 0x80 {
            // The bytes of one character count once.
            position.column += 1
        }
    }

    func hasPrefix(_ bytes: [UInt8]) -> Bool {
        text[index...].starts(with: bytes)
    }

    /// Goes behind spaces and then `byte`; `false`, and behind the spaces only, when it is another one.
    mutating func skip(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard current == byte else { return false }
        advance()
        return true
    }

    /// Spaces and tabs.
    mutating func skipSpaces() {
        while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { advance() }
    }

    /// White space, ends of lines and comments.
    mutating func skipBlankLines() {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"):
                while let byte = current, byte != UInt8(ascii: "\n") { advance() }
            default: return
            }
        }
    }

    /// A number, a boolean or a date: all up to what ends a value. `false` when there is nothing.
    mutating func skipScalar() -> Bool {
        let start = index
        while let byte = current, !",]}#\n".utf8.contains(byte) { advance() }
        return index > start
    }

    /// The characters of a key without quotes.
    mutating func takeBareKey() -> String {
        let start = index
        while let byte = current, !".=[]{},#\"' \t\r\n".utf8.contains(byte) { advance() }
        return String(decoding: text[start..<index], as: UTF8.self)
    }

    /// The next `count` bytes, or those that are left.
    mutating func take(_ count: Int) -> String {
        let start = index
        for _ in 0..<count { advance() }
        return String(decoding: text[start..<index], as: UTF8.self)
    }
}
