/// Looks into well-formed XML without parsing it.
enum Markup {
    /// The value of an attribute of the first tag in `element`, without its quotes and not decoded.
    static func attribute(_ name: [UInt8], of element: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var index = element.startIndex
        while index < element.endIndex, element[index] != UInt8(ascii: ">") {
            let byte = element[index]
            guard byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") else {
                index += 1
                continue
            }
            guard let end = element[(index + 1)...].firstIndex(of: byte) else { return nil }
            let nameEnd = index - 1
            let nameStart = nameEnd - name.count
            if nameStart > element.startIndex, element[nameEnd] == UInt8(ascii: "="),
                element[nameStart..<nameEnd].elementsEqual(name), isSpace(element[nameStart - 1])
            {
                return element[(index + 1)..<end]
            }
            index = end + 1
        }
        return nil
    }

    /// The text between the first tag of `element` and the next.
    static func text(of element: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let tagEnd = element.firstIndex(of: UInt8(ascii: ">")) else { return nil }
        let rest = element[(tagEnd + 1)...]
        guard let next = rest.firstIndex(of: UInt8(ascii: "<")) else { return nil }
        return rest[..<next]
    }

    /// The text of the first element `name` without attributes.
    static func element(_ name: [UInt8], in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let tag = [UInt8(ascii: "<")] + name + [UInt8(ascii: ">")]
        guard let index = firstIndex(of: tag, in: bytes) else { return nil }
        return text(of: bytes[index...])
    }

    /// Whether `needle` occurs in `bytes`.
    static func contains(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Bool {
        firstIndex(of: needle, in: bytes) != nil
    }

    /// The first place of `needle`, 1 byte or more, in `bytes`.
    static func firstIndex(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first, bytes.count >= needle.count else { return nil }
        var index = bytes.startIndex
        let last = bytes.endIndex - needle.count
        while index <= last {
            if bytes[index] == first {
                var offset = 1
                while offset < needle.count, bytes[index + offset] == needle[offset] { offset += 1 }
                if offset == needle.count { return index }
            }
            index += 1
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}

/// Base64 (RFC 4648 §4), as SASL carries its messages.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                result.append(
                    place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
            }
            index += 3
        }
        return result
    }

    /// Bytes outside the alphabet are skipped.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            guard let value = alphabet.firstIndex(of: byte) else { continue }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
