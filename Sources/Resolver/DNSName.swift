import Primitives

/// DNS names as text without escapes: letters, digits, `-` and `_` in labels of 1...63 bytes.
///
/// DNS itself allows any byte in a label, but no host and no service has such a name. A dot or a NUL within a label
/// would read as another name.
enum DNSName {
    /// The most bytes of one label (RFC 1035 §2.3.4).
    static let maximumLabelLength = 63

    /// The name in lower case, with a final dot if it has one; nil if it is not such a name.
    static func lowercased(_ name: String) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count)
        var label = 0
        for byte in name.utf8 {
            if byte == dot {
                guard label > 0 else { return nil }
                label = 0
            } else {
                guard let byte = lowercased(byte), label < maximumLabelLength else { return nil }
                label += 1
                bytes.append(byte)
                continue
            }
            bytes.append(byte)
        }
        let length = bytes.last == dot ? bytes.count - 1 : bytes.count
        guard (1...ResolverQuery.maximumNameLength).contains(length) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The byte of a label in lower case; nil for a byte that no host name has.
    static func lowercased(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, 0x2D, 0x5F: byte
        case 0x41...0x5A: byte | 0x20
        default: nil
        }
    }

    /// Whether the last label is a number in any notation of `inet_aton` (`127.1`, `0x7f.1`, `2130706433`). A look-up
    /// would take such a text for an address.
    static func endsInNumber(_ name: String) -> Bool {
        var bytes = name.utf8[...]
        if bytes.last == dot { bytes = bytes.dropLast() }
        let label = bytes.suffix(while: { $0 != dot })
        guard let first = label.first, first.isASCIIDigit else { return false }
        if label.dropFirst().first == 0x78, first == 0x30 {
            return label.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        return label.allSatisfy(\.isASCIIDigit)
    }

    /// The name on the wire: each label after its length, then a zero. The name must come from `lowercased`.
    static func wire(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for label in name.utf8.split(separator: dot) {
            bytes.append(UInt8(clamping: label.count))
            bytes.append(contentsOf: label)
        }
        return bytes + [0]
    }

    private static let dot: UInt8 = 0x2E
}

extension Collection where Self: BidirectionalCollection, Self.SubSequence == Self {
    /// The longest end whose elements all satisfy `condition`.
    fileprivate func suffix(while condition: (Element) -> Bool) -> Self {
        var rest = self
        while let last = rest.last, condition(last) { rest = rest.dropLast() }
        return self[rest.endIndex...]
    }
}
