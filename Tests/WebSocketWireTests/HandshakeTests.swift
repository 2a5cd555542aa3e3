import Testing

@testable import WebSocketWire

struct HandshakeTests {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    private func values(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// The judgement of a valid request of which some fields have other values.
    private func judgement(
        upgrade: [String] = ["websocket"], connection: [String] = ["Upgrade"], key: [String] = [Self.key],
        version: [String] = ["13"], protocols: [String] = ["xmpp"], change: (inout UpgradeFields) -> Void = { _ in }
    ) -> HandshakeJudgement {
        var fields = UpgradeFields()
        fields.upgrade = values(upgrade)
        fields.connection = values(connection)
        fields.key = values(key)
        fields.version = values(version)
        fields.protocols = values(protocols)
        change(&fields)
        return fields.judge()
    }

    private static let accepted = HandshakeJudgement.accepted(
        acceptInput: Array("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))

    @Test("W-16: the text behind Sec-WebSocket-Accept is the key as it came, and the fixed GUID")
    func acceptInput() {
        #expect(judgement() == Self.accepted)
    }

    @Test(
        "W-01: `xmpp` is found among the values of all fields, and case matters",
        arguments: [
            (["xmpp"], true), (["foo, xmpp"], true), (["xmpp,foo"], true), (["foo", "xmpp"], true),
            ([" ,,\txmpp\t, "], true), ([",", "xmpp"], true), (["xmpp", "xmpp"], true), ([], false), ([""], false),
            ([","], false), (["XMPP"], false), (["xmpp2"], false), (["xmp"], false), (["xmpp/1"], false),
            (["x mpp"], false), (["foo xmpp"], false), (["\"xmpp\""], false), (["foo;xmpp"], false),
        ] as [([String], Bool)])
    func subprotocol(_ protocols: [String], _ isOffered: Bool) {
        #expect(judgement(protocols: protocols) == (isOffered ? Self.accepted : .refused(.noXMPP)))
    }

    @Test(
        "W-14: `Upgrade` and `Connection` are lists, in any case",
        arguments: [
            (["websocket"], ["Upgrade"]), (["WebSocket"], ["keep-alive, Upgrade"]),
            (["h2c, websocket"], ["Upgrade, HTTP2-Settings"]), (["h2c", "WEBSOCKET"], ["close", "UPGRADE"]),
            ([",websocket,"], [" , upgrade ,"]), (["websocket\t"], ["\tupgrade"]),
        ])
    func lists(_ upgrade: [String], _ connection: [String]) {
        #expect(judgement(upgrade: upgrade, connection: connection) == Self.accepted)
    }

    @Test("W-15: who does not ask for a WebSocket gets the page for people, whatever else is wrong")
    func notWebSocket() {
        for upgrade in [[], [""], ["h2c"], ["websockets"], ["web socket"], ["websocket/13"], ["h2c", "TLS/1.0"]] {
            #expect(judgement(upgrade: upgrade) == .notWebSocket)
        }
        #expect(UpgradeFields().judge() == .notWebSocket)
        #expect(judgement(upgrade: [], connection: [], key: [], version: [], protocols: []) == .notWebSocket)
    }

    @Test("W-14: `Connection` without `upgrade` is refused")
    func connection() {
        for connection in [[], [""], ["keep-alive"], ["close"], ["upgraded"], ["up grade"]] {
            #expect(judgement(connection: connection) == .refused(.noConnectionUpgrade))
        }
    }

    @Test("W-14, W-15: the version is there once; another one is told which is spoken")
    func version() {
        #expect(judgement(version: []) == .refused(.noVersion))
        #expect(judgement(version: ["13", "13"]) == .refused(.doubledVersion))
        #expect(judgement(version: ["13", "8"]) == .refused(.doubledVersion))
        for version in ["8", "7", "14", "", "013", "13, 8", "1 3", "13.0", "+13", "thirteen"] {
            #expect(judgement(version: [version]) == .wrongVersion)
            // Other versions need no key.
            #expect(judgement(key: [], version: [version]) == .wrongVersion)
        }
        #expect(judgement(version: [" 13\t"]) == Self.accepted)
        #expect(UpgradeFields.version == "13" && UpgradeFields.subprotocol == "xmpp")
    }

    @Test("W-14: the key is there once, and is 16 bytes in base64")
    func key() {
        #expect(judgement(key: []) == .refused(.noKey))
        #expect(judgement(key: [Self.key, Self.key]) == .refused(.doubledKey))
        let bad = [
            "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZWU=", "dGhlIHNhbXBsZSBub25jZWVl", "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25j-_==", "dGhlIHNh XBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==, ",
            String(repeating: "A", count: 4_096),
        ]
        for key in bad { #expect(judgement(key: [key]) == .refused(.badKey), "\(key)") }
        #expect(judgement(key: [" \(Self.key) "]) == Self.accepted)
        for key in ["AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "+/+/+/+/+/+/+/+/+/+/+w=="] {
            let input = Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
            #expect(judgement(key: [key]) == .accepted(acceptInput: input))
        }
    }

    @Test("W-14, W-18: HTTP/1.0, no Host, or a body is refused")
    func request() {
        #expect(judgement { $0.isHTTP11OrLater = false } == .refused(.oldHTTP))
        #expect(judgement { $0.hasHost = false } == .refused(.noHost))
        #expect(judgement { $0.hasBody = true } == .refused(.hasBody))
        #expect(judgement(version: ["8"]) { $0.hasBody = true } == .refused(.hasBody))
    }

    @Test("each fault has a line of its own for people")
    func lines() {
        let lines = HandshakeFault.allCases.map(\.line)
        #expect(Set(lines).count == lines.count)
        for line in lines { #expect(line.hasSuffix(".") && line.utf8.allSatisfy { (0x20...0x7E).contains($0) }) }
    }
}
