/// Finds the place of each key in a TOML document. The library that parses the document gives lines only for syntax
/// errors, so this scans the text once more, after the library has accepted it: it finds keys and skips values.
///
/// It never fails: on a text that is not TOML it stops and finds no more.
struct TOMLLocator {
    /// The places of keys, by their path from the root. For a table, the bracket of its header, or its first mention.
    private(set) var keys: [[String]: TOMLPosition] = [:]
    /// The places of the values in arrays, by the array's path.
    private(set) var elements: [[String]: [TOMLPosition]] = [:]
    /// The first escape for U+0000, which no setting has and which the library takes for the end.
    private(set) var nullCharacter: TOMLPosition?

    private var cursor: TOMLCursor
    private var table: [String] = []

    /// Scans the whole text.
    init(_ text: [UInt8]) {
        cursor = TOMLCursor(text)
        while readLine() {}
    }

    /// Reads one header, one key with its value, or nothing; `false` at the end and where the text makes no sense.
    private mutating func readLine() -> Bool {
        cursor.skipBlankLines()
        guard cursor.current != nil else { return false }
        if cursor.current == UInt8(ascii: "[") { return readHeader() }
        return readPair(in: table)
    }

    private mutating func readHeader() -> Bool {
        let start = cursor.position
        cursor.advance()
        let isArray = cursor.current == UInt8(ascii: "[")
        if isArray { cursor.advance() }
        guard let path = readKey(), cursor.skip(UInt8(ascii: "]")) else { return false }
        if isArray, !cursor.skip(UInt8(ascii: "]")) { return false }
        note(path, from: 1, at: start)
        // Several tables of one name have separate keys; a part with a NUL matches no written name.
        table = isArray ? path + ["\u{0}\(start.line)"] : path
        return true
    }

    /// Reads `a.b = value`, below `parent`.
    private mutating func readPair(in parent: [String]) -> Bool {
        let start = cursor.position
        guard let key = readKey(), cursor.skip(UInt8(ascii: "=")) else { return false }
        let path = parent + key
        note(path, from: parent.count + 1, at: start)
        cursor.skipSpaces()
        return readValue(of: path)
    }

    /// Notes the place for the path, and for each of its beginnings that has none yet.
    private mutating func note(_ path: [String], from count: Int, at position: TOMLPosition) {
        guard count <= path.count else { return }
        for length in count...path.count where keys[Array(path.prefix(length))] == nil {
            keys[Array(path.prefix(length))] = position
        }
    }

    /// Reads keys separated by dots; the cursor is then after the last one and its spaces.
    private mutating func readKey() -> [String]? {
        var parts: [String] = []
        while true {
            cursor.skipSpaces()
            switch cursor.current {
            case UInt8(ascii: "\"")?, UInt8(ascii: "'")?:
                guard let part = readString() else { return nil }
                parts.append(part)
            default:
                let part = cursor.takeBareKey()
                guard !part.isEmpty else { return nil }
                parts.append(part)
            }
            cursor.skipSpaces()
            guard cursor.current == UInt8(ascii: ".") else { return parts }
            cursor.advance()
        }
    }

    private mutating func readValue(of path: [String]) -> Bool {
        switch cursor.current {
        case UInt8(ascii: "\"")?, UInt8(ascii: "'")?: return readString() != nil
        case UInt8(ascii: "[")?: return readArray(of: path)
        case UInt8(ascii: "{")?: return readInlineTable(of: path)
        default: return cursor.skipScalar()
        }
    }

    private mutating func readArray(of path: [String]) -> Bool {
        cursor.advance()
        while true {
            cursor.skipBlankLines()
            if cursor.skip(UInt8(ascii: "]")) { return true }
            elements[path, default: []].append(cursor.position)
            // The content of an element has no key of its own.
            guard readValue(of: path + ["\u{0}"]) else { return false }
            cursor.skipBlankLines()
            if cursor.skip(UInt8(ascii: ",")) { continue }
            return cursor.skip(UInt8(ascii: "]"))
        }
    }

    private mutating func readInlineTable(of path: [String]) -> Bool {
        cursor.advance()
        while true {
            cursor.skipBlankLines()
            if cursor.skip(UInt8(ascii: "}")) { return true }
            guard readPair(in: path) else { return false }
            cursor.skipBlankLines()
            if cursor.skip(UInt8(ascii: ",")) { continue }
            return cursor.skip(UInt8(ascii: "}"))
        }
    }

    /// Reads a string of any of the four kinds, decoded as far as keys need it.
    private mutating func readString() -> String? {
        guard let quote = cursor.current else { return nil }
        let isMultiline = cursor.hasPrefix([quote, quote, quote])
        for _ in 0..<(isMultiline ? 3 : 1) { cursor.advance() }
        var bytes: [UInt8] = []
        while let byte = cursor.current {
            if byte == quote {
                guard isMultiline else {
                    cursor.advance()
                    return String(decoding: bytes, as: UTF8.self)
                }
                if cursor.hasPrefix([quote, quote, quote]) {
                    // One or two quotes may precede the three that end the string.
                    while cursor.hasPrefix([quote, quote, quote, quote]) { cursor.advance() }
                    for _ in 0..<3 { cursor.advance() }
                    return String(decoding: bytes, as: UTF8.self)
                }
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                readEscape(into: &bytes)
            } else {
                bytes.append(byte)
                cursor.advance()
            }
        }
        return nil
    }

    /// Reads an escape of a basic string; one that is not for a character (a line's end) stands for nothing.
    private mutating func readEscape(into bytes: inout [UInt8]) {
        let start = cursor.position
        cursor.advance()
        let letter = cursor.current
        cursor.advance()
        switch letter {
        case UInt8(ascii: "b")?: bytes.append(0x08)
        case UInt8(ascii: "t")?: bytes.append(0x09)
        case UInt8(ascii: "n")?: bytes.append(0x0A)
        case UInt8(ascii: "f")?: bytes.append(0x0C)
        case UInt8(ascii: "r")?: bytes.append(0x0D)
        case UInt8(ascii: "\"")?, UInt8(ascii: "\\")?: bytes.append(letter ?? 0)
        case UInt8(ascii: "u")?, UInt8(ascii: "U")?:
            let digits = cursor.take(letter == UInt8(ascii: "u") ? 4 : 8)
            guard let number = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(number) else { return }
            if number == 0, nullCharacter == nil { nullCharacter = start }
            bytes.append(contentsOf: String(Character(scalar)).utf8)
        default: break
        }
    }
}

/// A place in a text. Line and column count from 1, the column in characters (code points).
struct TOMLPosition: Equatable, Comparable {
    var line: Int
    var column: Int

    static func < (left: TOMLPosition, right: TOMLPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}
