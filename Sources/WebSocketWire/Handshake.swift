import Primitives

/// What the head of a GET says about an upgrade to a WebSocket.
///
/// The values of each field are as they came, those of fields with the same name in their order.
package struct UpgradeFields: Sendable, Equatable {
    /// `Upgrade`.
    package var upgrade: [[UInt8]] = []
    /// `Connection`.
    package var connection: [[UInt8]] = []
    /// `Sec-WebSocket-Key`.
    package var key: [[UInt8]] = []
    /// `Sec-WebSocket-Version`.
    package var version: [[UInt8]] = []
    /// `Sec-WebSocket-Protocol`.
    package var protocols: [[UInt8]] = []
    /// Whether a body is announced: by a `Content-Length` other than 0, or by any `Transfer-Encoding`.
    package var hasBody = false
    /// Whether the version of HTTP is 1.1 or a later 1.x.
    package var isHTTP11OrLater = true
    /// Whether there is a valid `Host`.
    package var hasHost = true

    /// The fields of a request that has a host and asks for nothing.
    package init() {}
}

/// How a GET on the path of WebSockets is answered.
package enum HandshakeJudgement: Equatable, Sendable {
    /// With 101 and the subprotocol `xmpp` (`W-01`). `Sec-WebSocket-Accept` is the SHA-1 of `acceptInput`, in base64
    /// (RFC 6455 §4.2.2, `W-16`).
    case accepted(acceptInput: [UInt8])
    /// With 426 and the page for people: `Upgrade` does not contain `websocket` (`W-15`).
    case notWebSocket
    /// With 426 and the version that is spoken, 13 (§4.4, `W-15`).
    case wrongVersion
    /// With 400 and the fault's line (§4.2.1, `W-14`). Nothing behind the request is read (`W-18`).
    case refused(HandshakeFault)
}

/// Why a request for a WebSocket is refused with 400.
package enum HandshakeFault: Error, Sendable, Equatable, CaseIterable {
    /// HTTP/1.0 has no upgrades (RFC 9110 §7.8, `W-14`).
    case oldHTTP
    case noHost
    /// A body could hide frames, or another request, from whoever passes the request on (`W-18`).
    case hasBody
    /// `Connection` does not contain `upgrade` (RFC 6455 §4.2.1, `W-14`).
    case noConnectionUpgrade
    case noVersion
    case doubledVersion
    case noKey
    case doubledKey
    /// The key is not 16 bytes in base64 (§4.2.1, `W-14`).
    case badKey
    /// `xmpp` is not among the subprotocols, so no message of the client could be understood (RFC 7395 §3.1, `W-01`).
    case noXMPP

    /// One line for people.
    package var line: String {
        switch self {
        case .oldHTTP: "A WebSocket needs HTTP/1.1."
        case .noHost: "The request has no Host."
        case .hasBody: "A request for a WebSocket must not have a body."
        case .noConnectionUpgrade: "Connection does not contain upgrade. A proxy may have removed it."
        case .noVersion: "Sec-WebSocket-Version is missing."
        case .doubledVersion: "Sec-WebSocket-Version is there twice."
        case .noKey: "Sec-WebSocket-Key is missing."
        case .doubledKey: "Sec-WebSocket-Key is there twice."
        case .badKey: "Sec-WebSocket-Key is not 16 bytes in base64."
        case .noXMPP: "Sec-WebSocket-Protocol does not contain xmpp."
        }
    }
}

extension UpgradeFields {
    /// The one version that is spoken (RFC 6455 §4.2.1).
    package static let version = "13"
    /// The one subprotocol that is spoken (RFC 7395 §3.1).
    package static let subprotocol = "xmpp"

    /// Judges the request (RFC 6455 §4.2, `W-01`, `W-14` to `W-18`).
    ///
    /// Who does not ask for a WebSocket at all is told first, because the answer is a page for people. The version comes
    /// before the key, because other versions need none.
    package func judge() -> HandshakeJudgement {
        guard upgrade.listContains(Self.websocket, ignoringCase: true) else { return .notWebSocket }
        guard isHTTP11OrLater else { return .refused(.oldHTTP) }
        guard hasHost else { return .refused(.noHost) }
        guard !hasBody else { return .refused(.hasBody) }
        guard connection.listContains(Self.upgradeOption, ignoringCase: true) else {
            return .refused(.noConnectionUpgrade)
        }
        guard let version = version.first else { return .refused(.noVersion) }
        guard self.version.count == 1 else { return .refused(.doubledVersion) }
        guard version.trimmed == Array(Self.version.utf8) else { return .wrongVersion }
        guard let key = key.first?.trimmed else { return .refused(.noKey) }
        guard self.key.count == 1 else { return .refused(.doubledKey) }
        guard Base64.decode(key.span)?.count == Self.keySize else { return .refused(.badKey) }
        guard protocols.listContains(Array(Self.subprotocol.utf8), ignoringCase: false) else {
            return .refused(.noXMPP)
        }
        return .accepted(acceptInput: key + Self.identifier)
    }

    private static let websocket = Array("websocket".utf8)
    private static let upgradeOption = Array("upgrade".utf8)
    /// The bytes of the key behind its base64.
    private static let keySize = 16
    /// The GUID that every server appends to the key (§1.3).
    private static let identifier = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
}

extension [[UInt8]] {
    /// Whether the values, which are one comma-separated list together (RFC 9110 §5.3, §5.6.1), have `member` among their
    /// members. Empty members count for nothing. `member` is in lower case when case is ignored.
    fileprivate func listContains(_ member: [UInt8], ignoringCase: Bool) -> Bool {
        contains { value in
            value.split(separator: UInt8(ascii: ",")).contains { part in
                let name = [UInt8](part).trimmed
                return name.count == member.count
                    && zip(name, member).allSatisfy { (ignoringCase ? $0.asciiLowercased : $0) == $1 }
            }
        }
    }
}

extension [UInt8] {
    /// The value without spaces and tabs at either end.
    fileprivate var trimmed: [UInt8] { Array(self[span.trimmed(indices)]) }
}
