import Primitives

/// The host that a `<see-other-host/>` names (RFC 6120 §4.9.3.19): `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
///
/// Only the form is checked here. The configuration decides whether clients may be sent there.
package struct RedirectAddress: Sendable, Hashable {
    /// A host name in lower case, or an IP address without brackets; 1 to 255 bytes.
    package let host: String
    /// The port, 1 to 65535; nil when the element names none.
    package let port: UInt16?

    /// Reads the text of the element; nil when the text has another form.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let hostBytes: ArraySlice<UInt8>
        let rest: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            hostBytes = bytes[1..<end]
            rest = bytes[(end + 1)...]
            guard hostBytes.contains(UInt8(ascii: ":")), hostBytes.allSatisfy(Self.isAddressByte) else { return nil }
        } else {
            let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            // A complete name may end in a full stop and still names the same host.
            let isComplete = end > 1 && bytes[end - 1] == UInt8(ascii: ".")
            hostBytes = bytes[..<(isComplete ? end - 1 : end)]
            rest = bytes[end...]
            guard hostBytes.allSatisfy(Self.isNameByte) else { return nil }
        }
        guard (1...255).contains(hostBytes.count) else { return nil }
        host = String(decoding: hostBytes, as: UTF8.self).lowercased()
        if rest.isEmpty {
            port = nil
        } else {
            guard rest.first == UInt8(ascii: ":"), let port = Self.port(rest.dropFirst()) else { return nil }
            self.port = port
        }
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...5).contains(digits.count), digits.allSatisfy(\.isASCIIDigit) else { return nil }
        let value = digits.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
        return value == 0 ? nil : UInt16(exactly: value)
    }

    /// Whether a byte may stand in an IPv6 address, which may include an IPv4 one.
    private static func isAddressByte(_ byte: UInt8) -> Bool {
        byte.hexadecimalValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    /// Whether a byte may stand in a host name made of A-labels, or in an IPv4 address.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "-._".utf8.contains(byte)
    }
}
