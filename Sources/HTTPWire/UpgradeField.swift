/// A field by which a GET request asks for another protocol on its connection (RFC 9110 §7.8, RFC 6455 §4.1).
package enum UpgradeField: UInt8, Sendable, CaseIterable {
    case upgrade, connection
    /// `Sec-WebSocket-Key`, `-Version` and `-Protocol`.
    case key, version, protocols

    /// The name of the field with its colon.
    var name: String {
        switch self {
        case .upgrade: "Upgrade:"
        case .connection: "Connection:"
        case .key: "Sec-WebSocket-Key:"
        case .version: "Sec-WebSocket-Version:"
        case .protocols: "Sec-WebSocket-Protocol:"
        }
    }

    /// The byte before a kept value: a letter, so that it is no LF.
    var mark: UInt8 { UInt8(ascii: "a") + rawValue }

    init?(mark: UInt8) {
        guard mark >= UInt8(ascii: "a") else { return nil }
        self.init(rawValue: mark - UInt8(ascii: "a"))
    }
}

extension RequestHead {
    /// Passes on each line of these fields that a GET request has, in order, with its value as it came, without white
    /// space at the ends. Those of other requests are not kept.
    package func eachUpgradeField(_ visit: (UpgradeField, ArraySlice<UInt8>) -> Void) {
        // Each entry is a mark, the value, and an LF, which no value contains.
        for line in upgradeLines.split(separator: ByteClass.lf) {
            guard let mark = line.first, let field = UpgradeField(mark: mark) else { continue }
            visit(field, line.dropFirst())
        }
    }

    /// Whether the request asks for any other protocol.
    package var asksForUpgrade: Bool {
        var asks = false
        eachUpgradeField { field, _ in asks = asks || field == .upgrade }
        return asks
    }
}
