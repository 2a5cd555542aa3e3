import BOSHCore
import Bridge

/// Attribute values and namespace declarations as this program writes them: in single quotes, and always as the same
/// bytes.
enum AttributeText {
    /// Appends ` name='value'`, the value escaped. `name` is this program's own ASCII.
    static func append(_ name: StaticString, _ value: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: " "))
        bytes.append(literal: name)
        bytes.append(literal: "='")
        var value = value
        value.withUTF8 { utf8 in
            unsafe escape(utf8, into: &bytes)
        }
        bytes.append(UInt8(ascii: "'"))
    }

    /// Appends ` name='value'`, the value escaped; `value` must be valid UTF-8.
    static func append(_ name: StaticString, _ value: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: " "))
        bytes.append(literal: name)
        bytes.append(literal: "='")
        escape(value, into: &bytes)
        bytes.append(UInt8(ascii: "'"))
    }

    /// Appends ` name='number'`.
    static func append(_ name: StaticString, _ value: Int64, into bytes: inout [UInt8]) {
        append(name, String(value), into: &bytes)
    }

    /// The text of a value from libxml2.
    static func decoded(_ value: UnsafeBufferPointer<UInt8>) -> String {
        guard unsafe value.contains(UInt8(ascii: "&")) else { return unsafe String(decoding: value, as: UTF8.self) }
        return unsafe String(decoding: unescaped(Array(value)), as: UTF8.self)
    }

    /// A value from libxml2, with a bound on its bytes.
    static func bounded(_ value: UnsafeBufferPointer<UInt8>, most: Int) -> PeerText {
        // An ampersand comes as five bytes.
        guard value.count <= 5 * most else { return .tooLong }
        return unsafe PeerText(unescaped(Array(value)), most: most)
    }

    /// Undoes the one escape that libxml2 leaves in values: `&#38;` for an ampersand, however it was written. No other
    /// ampersand can occur.
    static func unescaped(_ value: [UInt8]) -> [UInt8] {
        guard value.contains(UInt8(ascii: "&")) else { return value }
        var result: [UInt8] = []
        var index = 0
        while index < value.count {
            result.append(value[index])
            index += value.span.hasBytes("&#38;", at: index) ? 5 : 1
        }
        return result
    }

    /// Appends `value` so that a parser reads exactly it: escapes markup, single quotes, and the white space that
    /// normalisation would turn into spaces (XML 1.0 §3.3.3). A character that XML 1.0 forbids cannot be written and is
    /// left out.
    static func escape(_ value: some Sequence<UInt8>, into bytes: inout [UInt8]) {
        for byte in value {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(literal: "&amp;")
            case UInt8(ascii: "<"): bytes.append(literal: "&lt;")
            case UInt8(ascii: ">"): bytes.append(literal: "&gt;")
            case UInt8(ascii: "'"): bytes.append(literal: "&apos;")
            case 0x09: bytes.append(literal: "&#9;")
            case 0x0A: bytes.append(literal: "&#10;")
            case 0x0D: bytes.append(literal: "&#13;")
            case 0x00..<0x20: continue
            default: bytes.append(byte)
            }
        }
    }
}

/// A namespace declaration added to a start tag.
enum NamespaceDeclaration {
    /// Appends ` xmlns:prefix='uri'`, or ` xmlns='uri'` when the prefix is empty.
    static func append(prefix: [UInt8], uri: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(literal: " xmlns")
        if !prefix.isEmpty {
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: prefix)
        }
        bytes.append(literal: "='")
        AttributeText.escape(uri, into: &bytes)
        bytes.append(UInt8(ascii: "'"))
    }
}

extension [UInt8] {
    /// Appends text that this program wrote.
    mutating func append(literal text: StaticString) {
        unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
