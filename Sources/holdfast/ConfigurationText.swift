import Settings
import TOMLCodec

/// The text of a configuration file, by lines. It is UTF-8.
struct ConfigurationText {
    /// All bytes behind a byte order mark.
    private let bytes: [UInt8]
    /// Where each line begins.
    private let starts: [Int]

    /// - Throws: `ConfigurationFileError`, when `bytes` are not UTF-8 or have a NUL.
    init(_ bytes: [UInt8], path: String) throws(ConfigurationFileError) {
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        self.bytes = bytes
        starts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
        if let (offset, byte) = Self.firstWrongByte(bytes) {
            throw ConfigurationFileError(
                path: path, position: position(of: offset),
                reason: "this is not UTF-8 (the byte \(Self.hexadecimal(byte))): save the file as UTF-8")
        }
        if let offset = bytes.firstIndex(of: 0) {
            throw ConfigurationFileError(
                path: path, position: position(of: offset), reason: "this is a NUL byte, which no text has")
        }
    }

    /// How many lines there are; the last one may be empty.
    var count: Int { starts.count }

    /// The characters of a line without its end; none for a line that there is not.
    func line(_ number: Int) -> [Unicode.Scalar] {
        guard starts.indices.contains(number - 1) else { return [] }
        let end = number < starts.count ? starts[number] - 1 : bytes.count
        var line = Array(String(decoding: bytes[starts[number - 1]..<end], as: UTF8.self).unicodeScalars)
        if line.last == "\r" { line.removeLast() }
        return line
    }

    /// The bytes of all lines before this one.
    func bytes(before line: Int) -> [UInt8] {
        guard starts.indices.contains(line - 1) else { return bytes }
        return Array(bytes[..<starts[line - 1]])
    }

    /// The characters between two places of one line; nil when they are far apart.
    func text(from begin: TOMLPosition, to end: TOMLPosition) -> String? {
        guard begin.line == end.line, end.column > begin.column, end.column <= 1_000 else { return nil }
        return String(scalars: line(begin.line)[from: begin.column].prefix(end.column - begin.column))
    }

    private func position(of offset: Int) -> TOMLPosition {
        let line = starts.lastIndex { $0 <= offset } ?? 0
        // The bytes of one character count as one column.
        let characters = bytes[starts[line]..<offset].count { $0 & 0xC0 != 0x80 }
        return TOMLPosition(line: line + 1, column: characters + 1)
    }

    private static func firstWrongByte(_ bytes: [UInt8]) -> (offset: Int, byte: UInt8)? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            let offset = error.byteOffsets.lowerBound
            return (offset, bytes[offset])
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "0x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}

extension Array<Unicode.Scalar> {
    /// The characters from a column on, which counts from 1.
    subscript(from column: Int) -> ArraySlice<Unicode.Scalar> { self[Swift.min(Swift.max(0, column - 1), count)...] }
}

extension String {
    /// A text of these characters.
    init(scalars: some Sequence<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }
}
