/// Moves through the bytes of a TOML document and keeps line and column.
struct TOMLCursor {
    private let text: [UInt8]
    private var index: Int
    /// The place of `current`.
    private(set) var position = TOMLPosition(line: 1, column: 1)

    /// Begins after a byte order mark.
    init(_ text: [UInt8]) {
        self.text = text
        index = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next byte; `nil` at the end.
    var current: UInt8? { index < text.count ? text[index] : nil }

    /// Moves past the next byte; does nothing at the end.
    mutating func advance() {
        guard index < text.count else { return }
        let byte = text[index]
        index += 1
        if byte == UInt8(ascii: "\n") {
            position = TOMLPosition(line: position.line + 1, column: 1)
        } else if index == text.count || text[index] & 0xC0 != 0x80 {
            // The bytes of one character count as one column.
            position.column += 1
        }
    }

    func hasPrefix(_ bytes: [UInt8]) -> Bool {
        text[index...].starts(with: bytes)
    }

    /// Moves past spaces and then `byte`; `false`, past the spaces only, when another byte follows.
    mutating func skip(_ byte: UInt8) -> Bool {
        skipSpaces()
        guard current == byte else { return false }
        advance()
        return true
    }

    /// Moves past spaces and tabs.
    mutating func skipSpaces() {
        while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { advance() }
    }

    /// Moves past white space, line ends and comments.
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

    /// Moves past a number, a boolean or a date, up to a byte that ends a value. `false` when there is nothing.
    mutating func skipScalar() -> Bool {
        let start = index
        while let byte = current, !",]}#\n".utf8.contains(byte) { advance() }
        return index > start
    }

    /// Takes the characters of an unquoted key.
    mutating func takeBareKey() -> String {
        let start = index
        while let byte = current, !".=[]{},#\"' \t\r\n".utf8.contains(byte) { advance() }
        return String(decoding: text[start..<index], as: UTF8.self)
    }

    /// Takes the next `count` bytes, or those that are left.
    mutating func take(_ count: Int) -> String {
        let start = index
        for _ in 0..<count { advance() }
        return String(decoding: text[start..<index], as: UTF8.self)
    }
}
