import StreamCore
import Testing

@testable import XMLCodec

@Suite("FeaturesFilter")
struct FeaturesFilterTests {
    let reader = UpstreamReader()

    private func features(_ content: String) -> (StartTLSOffer, String)? {
        let text = streamHeader + "<stream:features>\(content)</stream:features>"
        guard case .features(let offer, let bytes) = items(text, reader).last else { return nil }
        let all = String(decoding: bytes, as: UTF8.self)
        guard all.hasPrefix("<stream:features>"), all.hasSuffix("</stream:features>") else { return nil }
        return (offer, String(all.dropFirst(17).dropLast(18)))
    }

    @Test("what ends at this program is cut out, all else stays byte for byte (X-06)", arguments: cases)
    func filtering(content: String, offer: StartTLSOffer, expected: String) throws {
        let result = try #require(features(content))
        #expect(result.0 == offer)
        #expect(result.1 == expected)
    }

    private static let tls = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
    private static let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"

    static let cases: [(String, StartTLSOffer, String)] = [
        ("", .absent, ""),
        ("<starttls \(tls)/>", .offered, ""),
        ("<starttls \(tls)></starttls>", .offered, ""),
        ("<starttls \(tls)><required/></starttls>", .required, ""),
        ("<starttls \(tls)><optional/></starttls>", .offered, ""),
        ("<starttls \(tls)><required xmlns='urn:x'/></starttls>", .offered, ""),
        ("<t:starttls xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'><t:required/></t:starttls>", .required, ""),
        ("<starttls xmlns='urn:x'/>", .absent, "<starttls xmlns='urn:x'/>"),
        ("<x xmlns='urn:x'><starttls \(tls)/></x>", .absent, "<x xmlns='urn:x'><starttls \(tls)/></x>"),
        (
            " <a xmlns='urn:a'/> <starttls \(tls)/> <b xmlns='urn:b'>&#10;</b> ", .offered,
            " <a xmlns='urn:a'/>  <b xmlns='urn:b'>&#10;</b> "
        ),
        ("<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>", .absent, ""),
        (
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>",
            .absent, ""
        ),
        (
            "<mechanisms \(sasl)><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1</mechanism>"
                + "<mechanism>EXTERNAL</mechanism> <mechanism>PLAIN</mechanism></mechanisms>", .absent,
            "<mechanisms \(sasl)><mechanism>SCRAM-SHA-1</mechanism> <mechanism>PLAIN</mechanism></mechanisms>"
        ),
        (
            "<mechanisms \(sasl)><mechanism>\n EXTERNAL\t</mechanism><mechanism>EXT&#69;RN<![CDATA[AL]]></mechanism>"
                + "<mechanism>X&#45;PLUS</mechanism><mechanism>external</mechanism></mechanisms>",
            .absent, "<mechanisms \(sasl)></mechanisms>"
        ),
        (
            "<mechanisms \(sasl)><mechanism>EXTERNAL-2</mechanism><mechanism>PLUS</mechanism><mechanism/></mechanisms>",
            .absent,
            "<mechanisms \(sasl)><mechanism>EXTERNAL-2</mechanism><mechanism>PLUS</mechanism><mechanism/></mechanisms>"
        ),
        (
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism>"
                + "<inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>", .absent,
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism>"
                + "<inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>"
        ),
        (
            "<x xmlns='urn:x'><mechanism>EXTERNAL</mechanism></x>", .absent,
            "<x xmlns='urn:x'><mechanism>EXTERNAL</mechanism></x>"
        ),
        (
            "<mechanisms \(sasl)><mechanism>EXTERNAL<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/></mechanism>"
                + "<mechanism>PLAIN<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>x</sasl-channel-binding></mechanism></mechanisms>",
            .absent, "<mechanisms \(sasl)><mechanism>PLAIN</mechanism></mechanisms>"
        ),
        ("<starttls \(tls)><mechanisms \(sasl)><mechanism>EXTERNAL</mechanism></mechanisms></starttls>", .offered, ""),
    ]

    @Test("a cut leaves no declaration of the stream out")
    func renamedFeatures() {
        let header = "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' version='1.0'>"
        #expect(
            forwarded(
                "<s:features><starttls \(Self.tls)/><bind xmlns='urn:b'/></s:features>", header: header, reader)
                == "<stream:features><bind xmlns='urn:b'/></stream:features>")
    }
}
