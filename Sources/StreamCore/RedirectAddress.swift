import Primitives

/// Where a `<see-other-host/>` points to (RFC 6120 §4.9.3.19): `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
///
/// Only its form is checked here. Whether anybody may be sent there is the configuration's matter.
package struct RedirectAddress: Sendable, Hashable {
    /// A host name in lower case or an IP address without brackets; 1 to 255 bytes.
    package let host: String
    /// The port, 1 to 65535; nil when none is named.
    package let port: UInt16?

    /// Reads the text of the element; nil when it has another form.
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
            // A full stop at the end of a complete name makes no other one of it.
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

    /// A byte of an IPv6 address, an embedded IPv4 one included.
    private static func isAddressByte(_ byte: UInt8) -> Bool {
        byte.hexadecimalValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    /// A byte of a host name in A-labels, or of an IPv4 address.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "-._".utf8.contains(byte)
    }
}
