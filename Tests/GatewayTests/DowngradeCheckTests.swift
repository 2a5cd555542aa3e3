import COpenSSL
import TestSupport
import Testing

/// Clients that check whether an attacker on the way changed what the server offers (XEP-0474), and clients that do
/// not.
@Suite struct DowngradeCheckTests {
    private static let bindings =
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-server-end-point'/>"
        + "<channel-binding type='tls-exporter'/></sasl-channel-binding>"
    private static let names = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN"]
    private static let mechanisms = names.map { "<mechanism>\($0)</mechanism>" }.joined()
    private static let sasl = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\(mechanisms)</mechanisms>"
    private static let sasl2 =
        "<authentication xmlns='urn:xmpp:sasl:2'>\(mechanisms)<inline><fast xmlns='urn:xmpp:fast:0'>"
        + "<mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>"

    @Test("X-06: a client that checks the server's hash of its offer logs in, with SASL and with SASL2")
    func checks() throws {
        let first = try OpenSession()
        for (offer, isSASL2) in [
            (Self.sasl, false), (Self.sasl + Self.sasl2 + Self.bindings, true), (Self.sasl2, true),
        ] {
            let hasBindings = offer.contains(Self.bindings)
            let login = try Login(on: first, offer: offer)
            let advertised = Login.hash(Self.names, hasBindings ? ["tls-server-end-point", "tls-exporter"] : nil)
            let challenge = try login.challenge(isSASL2: isSASL2, attributes: ",h=\(advertised)")
            #expect(login.accepts(challenge, isSASL2: isSASL2))
            // The client notices an attacker who removes something.
            let other = try login.challenge(isSASL2: isSASL2, attributes: ",h=" + Login.hash(Self.names + ["X"], nil))
            #expect(!login.accepts(other, isSASL2: isSASL2))
        }
    }

    @Test("X-06: a client that does not check logs in as ever, and is offered no token that it could not use")
    func doesNotCheck() throws {
        let login = try Login(on: try OpenSession(), offer: Self.sasl + Self.sasl2 + Self.bindings)
        #expect(try login.challenge(isSASL2: true, attributes: "").contains("r=nonce"))
        #expect(login.features.contains("<mechanism>HT-SHA-256-NONE</mechanism>"))
        #expect(!login.features.contains("HT-SHA-256-ENDP"))
    }
}

/// The part of a login by SCRAM-SHA-1 that concerns the offer. Like a browser, it knows no channel binding.
private final class Login {
    /// The features that the client was offered.
    let features: String
    private let client: BOSHClient
    private let stream: ScriptedStream

    init(on session: OpenSession, offer: String) throws {
        client = BOSHClient(session.daemon)
        let request = try client.create()
        stream = try session.server.accept()
        try stream.open(features: "<stream:features>\(offer)</stream:features>")
        features = try client.adopt(try request.answer()).payload
    }

    /// Begins to log in; returns what the client gets from a server that answers with these further attributes.
    func challenge(isSASL2: Bool, attributes: String) throws -> String {
        // "n": no support of channel binding (RFC 5802 §6).
        let message = Self.base64(Array("n,,n=user,r=nonce".utf8))
        let namespace = isSASL2 ? "urn:xmpp:sasl:2" : "urn:ietf:params:xml:ns:xmpp-sasl"
        let begin =
            isSASL2
            ? "<authenticate xmlns='\(namespace)' mechanism='SCRAM-SHA-1'><initial-response>\(message)</initial-response></authenticate>"
            : "<auth xmlns='\(namespace)' mechanism='SCRAM-SHA-1'>\(message)</auth>"
        let request = try client.send("", begin)
        _ = try stream.read(until: isSASL2 ? "</authenticate>" : "</auth>")
        let answer = Self.base64(Array("r=nonce1,s=c2FsdA==,i=4096\(attributes)".utf8))
        try stream.send("<challenge xmlns='\(namespace)'>\(answer)</challenge>")
        let payload = try request.answer().payload
        guard payload.contains(answer) else { throw TestFault("no challenge: \(payload)") }
        return "r=nonce1,s=c2FsdA==,i=4096\(attributes)"
    }

    /// The check that XEP-0474 demands of a client when it reads the server's first message.
    func accepts(_ challenge: String, isSASL2: Bool) -> Bool {
        let list = isSASL2 ? "<authentication " : "<mechanisms "
        guard let start = features.firstRange(of: list), let said = challenge.firstRange(of: ",h=") else {
            return false
        }
        // FAST has its own list after the mechanisms.
        var rest = features[start.upperBound...]
        if let end = rest.firstRange(of: isSASL2 ? "<inline>" : "</mechanisms>") { rest = rest[..<end.lowerBound] }
        let mechanisms = Self.texts(in: rest, from: "<mechanism>", to: "</mechanism>")
        let bindings = Self.texts(in: features[...], from: "<channel-binding type='", to: "'")
        let isListed = features.contains("<sasl-channel-binding ")
        return Self.hash(mechanisms, isListed ? bindings : nil) == challenge[said.upperBound...]
    }

    private static func texts(in text: Substring, from start: String, to end: String) -> [String] {
        var found: [String] = []
        var rest = text
        while let begin = rest.firstRange(of: start) {
            rest = rest[begin.upperBound...]
            guard let close = rest.firstRange(of: end) else { break }
            found.append(String(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return found
    }

    /// The hash of an offer (XEP-0474 §5.1).
    static func hash(_ mechanisms: [String], _ bindings: [String]?) -> String {
        var text = sorted(mechanisms).joined(separator: "\u{1E}")
        if let bindings { text += "\u{1F}" + sorted(bindings).joined(separator: "\u{1E}") }
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        SHA1(bytes, bytes.count, &digest)
        return base64(digest)
    }

    private static func sorted(_ names: [String]) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var encoded = [UInt8](repeating: 0, count: bytes.count * 4 / 3 + 5)
        let count = EVP_EncodeBlock(&encoded, bytes, Int32(bytes.count))
        return String(decoding: encoded[..<Int(count)], as: UTF8.self)
    }
}
