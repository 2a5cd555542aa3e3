/// The version in `ver` or `xmpp:version`; major and minor are separate integers (`S-07`: 1.11 > 1.6).
package struct ProtocolVersion: Sendable, Hashable, Comparable {
    /// The number before the dot.
    package let major: UInt32
    /// The number after the dot.
    package let minor: UInt32

    /// A version of two integers.
    package init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Reads `<major>.<minor>`; nil for anything else.
    package init?(parsing text: Span<UInt8>) {
        var parts: (UInt32, UInt32) = (0, 0)
        var seenDot = false
        var digits = 0
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                guard !seenDot, digits > 0 else { return nil }
                seenDot = true
                digits = 0
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9, digits < 6 else { return nil }
            digits += 1
            if seenDot {
                parts.1 = parts.1 * 10 + UInt32(digit)
            } else {
                parts.0 = parts.0 * 10 + UInt32(digit)
            }
        }
        guard seenDot, digits > 0 else { return nil }
        self.init(major: parts.0, minor: parts.1)
    }

    /// `<major>.<minor>`.
    package var text: String { "\(major).\(minor)" }

    package static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
