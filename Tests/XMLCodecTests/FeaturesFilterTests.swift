import StreamCore
import Testing

@testable import XMLCodec

@Suite("FeaturesFilter")
struct FeaturesFilterTests {
    /// The largest element that a client can send through this program.
    private static let largest = 65_536

    let reader = UpstreamReader(largestFromClient: largest)

    private func features(_ content: String, _ reader: UpstreamReader? = nil) -> (offer: FeaturesOffer, bytes: String)?
    {
        let text = streamHeader + "<stream:features>\(content)</stream:features>"
        guard case .features(let offer, let bytes) = items(text, reader ?? self.reader).last else { return nil }
        let all = String(decoding: bytes, as: UTF8.self)
        guard all.hasPrefix("<stream:features>"), all.hasSuffix("</stream:features>") else { return nil }
        return (offer, String(all.dropFirst(17).dropLast(18)))
    }

    @Test("what ends at this program is cut out, all else stays byte for byte (X-06)", arguments: cases)
    func filtering(content: String, offer: FeaturesOffer, expected: String) throws {
        let result = try #require(features(content))
        #expect(result.offer == offer)
        #expect(result.bytes == expected)
    }

    private static let tls = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
    private static let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
    private static let zlib = "xmlns='http://jabber.org/features/compress'"
    private static let limits = "xmlns='urn:xmpp:stream-limits:0'"

    private static let none = FeaturesOffer()
    private static let startTLS = FeaturesOffer(startTLS: .offered)
    private static let mandatoryTLS = FeaturesOffer(startTLS: .required)
    private static let login = FeaturesOffer(offersSASL: true)

    private static let bindings =
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"

    @Test("tokens that are bound to a channel are not offered (X-06, XEP-0484)", arguments: tokens)
    func boundTokens(content: String, expected: String) throws {
        let inline = { (fast: String) in
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1-PLUS</mechanism><inline>"
                + "<bind xmlns='urn:xmpp:bind:0'/>\(fast)</inline></authentication>"
        }
        let result = try #require(features(inline(content)))
        #expect(result.offer == Self.login)
        #expect(result.bytes == inline(expected))
    }

    private static let fast = "xmlns='urn:xmpp:fast:0'"

    static let tokens: [(String, String)] = [
        ("<fast \(fast)/>", "<fast \(fast)/>"),
        (
            "<fast \(fast)><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>",
            "<fast \(fast)><mechanism>HT-SHA-256-NONE</mechanism></fast>"
        ),
        (
            "<fast \(fast) tls-0rtt='true'><mechanism>HT-SHA-256-UNIQ</mechanism> <mechanism>\nht-sha-512-expr </mechanism>"
                + "<mechanism>HT-SHA3-512-<![CDATA[NEW!]]></mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>",
            "<fast \(fast) tls-0rtt='true'> <mechanism>HT-SHA-256-NONE</mechanism></fast>"
        ),
        (
            "<f:fast xmlns:f='urn:xmpp:fast:0'><f:mechanism>HT-SHA-256-ENDP</f:mechanism></f:fast>",
            "<f:fast xmlns:f='urn:xmpp:fast:0'></f:fast>"
        ),
        (
            "<fast \(fast)><x xmlns='urn:x'><mechanism \(fast)>HT-SHA-256-ENDP</mechanism></x><mechanism>OTHER</mechanism></fast>",
            "<fast \(fast)><x xmlns='urn:x'><mechanism \(fast)>HT-SHA-256-ENDP</mechanism></x><mechanism>OTHER</mechanism></fast>"
        ),
        (
            "<fast \(fast)/><mechanism \(fast)>HT-SHA-256-ENDP</mechanism>",
            "<fast \(fast)/><mechanism \(fast)>HT-SHA-256-ENDP</mechanism>"
        ),
        (
            "<fast xmlns='urn:x'><mechanism>HT-SHA-256-ENDP</mechanism></fast>",
            "<fast xmlns='urn:x'><mechanism>HT-SHA-256-ENDP</mechanism></fast>"
        ),
    ]

    static let cases: [(String, FeaturesOffer, String)] = [
        ("", none, ""),
        ("<starttls \(tls)/>", startTLS, ""),
        ("<starttls \(tls)></starttls>", startTLS, ""),
        ("<starttls \(tls)><required/></starttls>", mandatoryTLS, ""),
        ("<starttls \(tls)><optional/></starttls>", startTLS, ""),
        ("<starttls \(tls)><required xmlns='urn:x'/></starttls>", startTLS, ""),
        ("<starttls \(tls)><x><required/></x></starttls>", startTLS, ""),
        (
            "<starttls \(tls)/><x xmlns='urn:x'><required \(tls)/></x>", startTLS,
            "<x xmlns='urn:x'><required \(tls)/></x>"
        ),
        ("<t:starttls xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'><t:required/></t:starttls>", mandatoryTLS, ""),
        ("<starttls xmlns='urn:x'/>", none, "<starttls xmlns='urn:x'/>"),
        ("<x xmlns='urn:x'><starttls \(tls)/></x>", none, "<x xmlns='urn:x'><starttls \(tls)/></x>"),
        (
            " <a xmlns='urn:a'/> <starttls \(tls)/> <b xmlns='urn:b'>&#10;</b> ", startTLS,
            " <a xmlns='urn:a'/>  <b xmlns='urn:b'>&#10;</b> "
        ),
        (bindings, none, bindings),
        (
            "<mechanisms \(sasl)><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1</mechanism>"
                + "<mechanism>EXTERNAL</mechanism> <mechanism>PLAIN</mechanism></mechanisms>" + bindings, login,
            "<mechanisms \(sasl)><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1</mechanism>"
                + " <mechanism>PLAIN</mechanism></mechanisms>" + bindings
        ),
        (
            "<mechanisms \(sasl)><mechanism>\n EXTERNAL\t</mechanism><mechanism>EXT&#69;RN<![CDATA[AL]]></mechanism>"
                + "<mechanism>external</mechanism></mechanisms>",
            login, "<mechanisms \(sasl)></mechanisms>"
        ),
        (
            "<mechanisms \(sasl)><mechanism>EXTERNAL-2</mechanism><mechanism>PLUS</mechanism><mechanism/></mechanisms>",
            login,
            "<mechanisms \(sasl)><mechanism>EXTERNAL-2</mechanism><mechanism>PLUS</mechanism><mechanism/></mechanisms>"
        ),
        (
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism>"
                + "<inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>", login,
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256-PLUS</mechanism>"
                + "<inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>"
        ),
        (
            "<x xmlns='urn:x'><mechanism>EXTERNAL</mechanism></x>", none,
            "<x xmlns='urn:x'><mechanism>EXTERNAL</mechanism></x>"
        ),
        (
            "<mechanisms \(sasl)><mechanism>EXTERNAL<x xmlns='urn:x'/></mechanism>"
                + "<mechanism>PLAIN<x xmlns='urn:x'>EXTERNAL</x></mechanism></mechanisms>",
            login, "<mechanisms \(sasl)><mechanism>PLAIN<x xmlns='urn:x'>EXTERNAL</x></mechanism></mechanisms>"
        ),
        ("<starttls \(tls)><mechanisms \(sasl)><mechanism>EXTERNAL</mechanism></mechanisms></starttls>", startTLS, ""),
        ("<mechanisms \(sasl)/>", login, "<mechanisms \(sasl)/>"),
        ("<mechanisms xmlns='urn:xmpp:sasl:2'/>", none, "<mechanisms xmlns='urn:xmpp:sasl:2'/>"),
        ("<authentication \(sasl)/>", none, "<authentication \(sasl)/>"),
        ("<x xmlns='urn:x'><mechanisms \(sasl)/></x>", none, "<x xmlns='urn:x'><mechanisms \(sasl)/></x>"),
    ]

    @Test("compression is cut out and its methods are read (XEP-0138 §3)", arguments: methods)
    func compression(content: String, offersZlib: Bool) throws {
        let result = try #require(features("<a xmlns='urn:a'/>" + content + "<b xmlns='urn:b'/>"))
        #expect(result.offer == FeaturesOffer(offersZlib: offersZlib))
        #expect(result.bytes == "<a xmlns='urn:a'/><b xmlns='urn:b'/>")
    }

    static let methods: [(String, Bool)] = [
        ("<compression \(zlib)><method>zlib</method></compression>", true),
        ("<compression \(zlib)><method>lzw</method><method>zlib</method></compression>", true),
        ("<compression \(zlib)> <method> z&#108;<![CDATA[ib]]>\n</method></compression>", true),
        (
            "<c:compression xmlns:c='http://jabber.org/features/compress'><c:method>zlib</c:method></c:compression>",
            true
        ),
        ("<compression \(zlib)><method>lzw</method></compression>", false),
        ("<compression \(zlib)><method>ZLIB</method></compression>", false),
        ("<compression \(zlib)><method>zlib2</method></compression>", false),
        ("<compression \(zlib)><method xmlns='urn:x'>zlib</method></compression>", false),
        ("<compression \(zlib)><x><method>zlib</method></x></compression>", false),
        ("<compression \(zlib)>zlib</compression>", false),
        ("<compression \(zlib)><method><x>zlib</x></method></compression>", false),
        ("<compression \(zlib)><method/></compression>", false),
        ("<compression \(zlib)/>", false),
    ]

    @Test("another element that is called compression is none")
    func otherCompression() throws {
        let content = "<compression xmlns='urn:x'><method>zlib</method></compression>"
        let result = try #require(features(content))
        #expect(result.offer == Self.none)
        #expect(result.bytes == content)
    }

    @Test("all a server offers at once")
    func everything() throws {
        let result = try #require(
            features(
                "<starttls \(Self.tls)/><compression \(Self.zlib)><method>zlib</method></compression>"
                    + "<mechanisms \(Self.sasl)><mechanism>EXTERNAL</mechanism><mechanism>PLAIN</mechanism></mechanisms>"
                    + "<limits \(Self.limits)><max-bytes>262144</max-bytes><idle-seconds>600</idle-seconds></limits>"))
        #expect(
            result.offer
                == FeaturesOffer(startTLS: .offered, offersZlib: true, offersSASL: true, idleSeconds: 600))
        #expect(
            result.bytes
                == "<mechanisms \(Self.sasl)><mechanism>PLAIN</mechanism></mechanisms>"
                + "<limits \(Self.limits)><max-bytes>65536</max-bytes><idle-seconds>600</idle-seconds></limits>")
    }

    @Test("the largest element is lowered to what can pass here, and nothing else is touched (X-17)", arguments: sizes)
    func maxBytes(content: String, expected: String) throws {
        let result = try #require(features("<limits \(Self.limits)>\(content)</limits>"))
        #expect(result.bytes == "<limits \(Self.limits)>\(expected)</limits>")
        #expect(result.offer == Self.none)
    }

    static let sizes: [(String, String)] = [
        ("<max-bytes>65537</max-bytes>", "<max-bytes>65536</max-bytes>"),
        ("<max-bytes>65536</max-bytes>", "<max-bytes>65536</max-bytes>"),
        ("<max-bytes>10000</max-bytes>", "<max-bytes>10000</max-bytes>"),
        ("<max-bytes>000010000</max-bytes>", "<max-bytes>000010000</max-bytes>"),
        ("<max-bytes a='1' > 262144\n</max-bytes >", "<max-bytes a='1' >65536</max-bytes >"),
        ("<max-bytes>26<![CDATA[21]]>&#52;4</max-bytes>", "<max-bytes>65536</max-bytes>"),
        // Larger than any integer.
        ("<max-bytes>9223372036854775807</max-bytes>", "<max-bytes>65536</max-bytes>"),
        ("<max-bytes>9223372036854775808</max-bytes>", "<max-bytes>65536</max-bytes>"),
        ("<max-bytes>\(String(repeating: "9", count: 500))</max-bytes>", "<max-bytes>65536</max-bytes>"),
        ("<max-bytes>1\(String(repeating: "0", count: 100))</max-bytes>", "<max-bytes>65536</max-bytes>"),
        // Not a number.
        ("<max-bytes/>", "<max-bytes/>"),
        ("<max-bytes></max-bytes>", "<max-bytes></max-bytes>"),
        ("<max-bytes>  </max-bytes>", "<max-bytes>  </max-bytes>"),
        ("<max-bytes>-1</max-bytes>", "<max-bytes>-1</max-bytes>"),
        ("<max-bytes>+99999</max-bytes>", "<max-bytes>+99999</max-bytes>"),
        ("<max-bytes>99999.0</max-bytes>", "<max-bytes>99999.0</max-bytes>"),
        ("<max-bytes>99 999</max-bytes>", "<max-bytes>99 999</max-bytes>"),
        ("<max-bytes>٩٩٩٩٩٩</max-bytes>", "<max-bytes>٩٩٩٩٩٩</max-bytes>"),
        ("<max-bytes><x>99999</x></max-bytes>", "<max-bytes><x>99999</x></max-bytes>"),
        ("<max-bytes>99<x/>999</max-bytes>", "<max-bytes>65536</max-bytes>"),
        // Another element.
        ("<max-bytes xmlns='urn:x'>99999</max-bytes>", "<max-bytes xmlns='urn:x'>99999</max-bytes>"),
        ("<x><max-bytes>99999</max-bytes></x>", "<x><max-bytes>99999</max-bytes></x>"),
        ("99999", "99999"),
        ("", ""),
        // Each of several.
        (
            "<max-bytes>99999</max-bytes> <max-bytes>1</max-bytes><max-bytes>88888</max-bytes>",
            "<max-bytes>65536</max-bytes> <max-bytes>1</max-bytes><max-bytes>65536</max-bytes>"
        ),
        (
            "<max-bytes>9<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>9999</max-bytes><x/>",
            "<max-bytes>65536</max-bytes><x/>"
        ),
    ]

    @Test("limits elsewhere, under another name, or of a reader without a bound, stay")
    func otherLimits() throws {
        let limits = "<limits \(Self.limits)><max-bytes>99999</max-bytes></limits>"
        for content in [
            "<x xmlns='urn:x'>\(limits)</x>",
            "<limits xmlns='urn:x'><max-bytes \(Self.limits)>99999</max-bytes></limits>",
        ] {
            let result = try #require(features(content))
            #expect(result.bytes == content)
            #expect(result.offer == Self.none)
        }
        #expect(features(limits, UpstreamReader())?.bytes == limits)
        #expect(
            features(limits, UpstreamReader(largestFromClient: -5))?.bytes
                == "<limits \(Self.limits)><max-bytes>0</max-bytes></limits>")
        let prefixed = "<l:limits xmlns:l='urn:xmpp:stream-limits:0'><l:max-bytes>70000</l:max-bytes></l:limits>"
        #expect(
            features(prefixed)?.bytes
                == "<l:limits xmlns:l='urn:xmpp:stream-limits:0'><l:max-bytes>65536</l:max-bytes></l:limits>")
    }

    @Test("how long the stream may be idle is read, and passed on (X-17)", arguments: idleTimes)
    func idleSeconds(content: String, seconds: UInt32?) throws {
        let limits = "<limits \(Self.limits)>\(content)</limits>"
        let result = try #require(features(limits))
        #expect(result.offer == FeaturesOffer(idleSeconds: seconds))
        #expect(result.bytes == limits)
    }

    static let idleTimes: [(String, UInt32?)] = [
        ("<idle-seconds>1800</idle-seconds>", 1800),
        ("<max-bytes>1</max-bytes><idle-seconds> &#51;0\n</idle-seconds>", 30),
        ("<idle-seconds>4294967295</idle-seconds>", .max),
        ("<idle-seconds>4294967296</idle-seconds>", .max),
        ("<idle-seconds>99999999999999999999999999</idle-seconds>", .max),
        ("<idle-seconds>60</idle-seconds><idle-seconds>30</idle-seconds><idle-seconds>90</idle-seconds>", 30),
        ("<idle-seconds>0</idle-seconds>", nil),
        ("<idle-seconds>-60</idle-seconds>", nil),
        ("<idle-seconds>1e3</idle-seconds>", nil),
        ("<idle-seconds/>", nil),
        ("<idle-seconds xmlns='urn:x'>60</idle-seconds>", nil),
        ("<x><idle-seconds>60</idle-seconds></x>", nil),
        ("60", nil),
    ]

    @Test("a cut leaves no declaration of the stream out")
    func renamedFeatures() {
        let header = "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' version='1.0'>"
        #expect(
            forwarded(
                "<s:features><starttls \(Self.tls)/><bind xmlns='urn:b'/></s:features>", header: header, reader)
                == "<stream:features><bind xmlns='urn:b'/></stream:features>")
        #expect(
            forwarded(
                "<features xmlns='http://etherx.jabber.org/streams' xmlns:stream='http://etherx.jabber.org/streams'>"
                    + "<limits \(Self.limits)><max-bytes>70000</max-bytes></limits></features>", header: header, reader)
                == "<stream:features xmlns='http://etherx.jabber.org/streams'>"
                + "<limits \(Self.limits)><max-bytes>65536</max-bytes></limits></stream:features>")
    }
}
