import Bridge

/// The head of a request's body: `ID[;key[;new_key]],` (XEP-0025 "Data Transfer", `Q-03`).
package struct PollingHead: Sendable, Equatable {
    /// The identifier, by which the session is found; `0` begins one.
    package let identifier: [UInt8]
    /// The key of this request; nil when there is none.
    package let key: PeerText?
    /// The first key of the chain that begins behind this request; nil when there is none.
    package let newKey: PeerText?
    /// How many bytes the head has, with its comma. Everything behind it belongs to the client's stream.
    package let count: Int

    /// Reads the head of a body; nil when it is malformed.
    package init?(of body: Span<UInt8>) {
        var identifier: [UInt8] = []
        var fields: [PeerText] = []
        var field: [UInt8] = []
        for index in 0..<min(body.count, Self.longest) {
            let byte = body[index]
            switch byte {
            case UInt8(ascii: ";"), UInt8(ascii: ","):
                if identifier.isEmpty {
                    identifier = field
                } else {
                    fields.append(PeerText(field, most: Self.longestKey))
                }
                guard !field.isEmpty, fields.count <= 2, fields.last?.isTooLong != true else { return nil }
                field = []
                guard byte == UInt8(ascii: ",") else { continue }
                self.identifier = identifier
                key = fields.first
                newKey = fields.count > 1 ? fields[1] : nil
                count = index + 1
                return
            default:
                guard identifier.isEmpty ? Self.isOfIdentifier(byte) : Self.isOfKey(byte) else { return nil }
                field.append(byte)
            }
        }
        return nil
    }

    /// Whether the request begins a session (`Q-10`).
    package var beginsSession: Bool { identifier == [UInt8(ascii: "0")] }

    /// In bytes, with the comma.
    private static let longest = 256
    private static let longestKey = 64

    private static func isOfIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A key may be any visible text of ASCII, because the text behind the last key of a chain may be.
    private static func isOfKey(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}
