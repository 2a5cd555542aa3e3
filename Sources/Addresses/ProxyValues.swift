/// Reads the values behind the addresses of a PROXY header of version 2, each of which has a type, a length and content.
///
/// Only the one about TLS matters. Values that do not fit into the header's length say nothing.
///
/// Source: "The PROXY protocol, versions 1 & 2", HAProxy, §2.2.5 (`PP2_TYPE_SSL`).
struct ProxyValues: Sendable {
    private(set) var scheme = ClientScheme.unknown

    private var type: UInt8 = 0
    private var length = 0
    /// How many bytes of the present value have come, its type and length included.
    private var count = 0

    private static let head = 3
    private static let tls: UInt8 = 0x20
    /// The bit of the first byte that says that the client connected over TLS.
    private static let isEncrypted: UInt8 = 1

    /// Takes the next byte.
    mutating func take(_ byte: UInt8) {
        switch count {
        case 0: type = byte
        case 1: length = Int(byte) << 8
        case 2: length |= Int(byte)
        case Self.head where type == Self.tls:
            scheme = byte & Self.isEncrypted != 0 ? .https : .http
        default: break
        }
        count += 1
        if count >= Self.head, count == Self.head + length { count = 0 }
    }
}
