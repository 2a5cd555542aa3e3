import Effort
import Testing

@testable import Addresses

/// The client that a forwarding field names when only some peers are trusted.
struct TrustedProxiesTests {
    private static let networks = ["127.0.0.0/8", "::1", "10.0.0.0/8", "2001:db8:aaaa::/48"].compactMap {
        IPNetwork($0)
    }
    private let proxies = TrustedProxies(networks: networks, trustsUnix: true)

    private func client(_ header: ForwardedHeader, _ value: String, peer: String? = "10.0.0.1") throws -> String? {
        let peer: IPAddress? = try peer.map { try #require(IPAddress($0)) }
        return proxies.client(peer: peer, header, Array(value.utf8).span)?.description
    }

    // MARK: Trust

    @Test(
        "peers",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.1", true), ("::1", true), ("10.9.8.7", true), ("::ffff:10.9.8.7", true),
            ("2001:db8:aaaa:1::5", true), ("2001:db8:aaab::5", false), ("192.0.2.1", false), ("::", false),
            ("::ffff:192.0.2.1", false), ("128.0.0.1", false),
        ])
    func trusts(peer: String, expected: Bool) throws {
        let address: IPAddress = try #require(IPAddress(peer))
        #expect(proxies.trusts(address) == expected)
    }

    @Test("a Unix socket is trusted as it is set, and no network is about it")
    func trustsUnix() {
        #expect(proxies.trusts(nil))
        #expect(!TrustedProxies(networks: Self.networks, trustsUnix: false).trusts(nil))
        #expect(
            !TrustedProxies(networks: ["0.0.0.0/0", "::/0"].compactMap { IPNetwork($0) }, trustsUnix: false).trusts(nil)
        )
    }

    @Test("nobody is trusted when nothing is named")
    func trustsNobody() throws {
        let proxies = TrustedProxies(networks: [], trustsUnix: false)
        let peer: IPAddress = try #require(IPAddress("127.0.0.1"))
        #expect(!proxies.trusts(peer))
        #expect(proxies.client(peer: peer, .xForwardedFor, Array("192.0.2.1".utf8).span) == peer)
        #expect(proxies.client(peer: nil, .xForwardedFor, Array("192.0.2.1".utf8).span) == nil)
    }

    @Test("the configuration's words")
    func words() {
        #expect(ForwardedHeader.allCases.map(\.rawValue) == ["none", "x-forwarded-for", "forwarded", "x-real-ip"])
        #expect(SchemeHeader.allCases.map(\.rawValue) == ["none", "x-forwarded-proto", "forwarded"])
    }

    // MARK: Both fields

    @Test("a peer that is not trusted is the client, whatever it writes", arguments: ForwardedHeader.allCases)
    func untrustedPeer(header: ForwardedHeader) throws {
        for peer in ["192.0.2.99", "::ffff:192.0.2.99"] {
            #expect(try client(header, "198.51.100.1", peer: peer) == "192.0.2.99")
            #expect(try client(header, "for=198.51.100.1", peer: peer) == "192.0.2.99")
        }
    }

    @Test("without a field the peer is the client", arguments: ForwardedHeader.allCases)
    func absent(header: ForwardedHeader) throws {
        #expect(try client(header, "") == "10.0.0.1")
        #expect(try client(header, "", peer: "::ffff:10.0.0.1") == "10.0.0.1")
        #expect(try client(header, "", peer: nil) == nil)
    }

    @Test("with no field chosen none is read")
    func noneChosen() throws {
        #expect(try client(.none, "192.0.2.1") == "10.0.0.1")
        #expect(try client(.none, "for=192.0.2.1") == "10.0.0.1")
    }

    @Test("a field that was not chosen says nothing in the other's form")
    func otherForm() throws {
        #expect(try client(.xForwardedFor, "for=192.0.2.1") == "10.0.0.1")
        #expect(try client(.forwarded, "192.0.2.1") == "10.0.0.1")
    }

    // MARK: X-Forwarded-For

    @Test(
        "X-Forwarded-For, from its end",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), (" \t192.0.2.1 ", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:4711", "2001:db8::1"), ("192.0.2.1:4711", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("[::FFFF:192.0.2.1]:1", "192.0.2.1"),
            // the first from the right that is not trusted
            ("192.0.2.1, 10.0.0.2", "192.0.2.1"), ("192.0.2.1,10.0.0.2,127.0.0.1", "192.0.2.1"),
            ("198.51.100.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"), ("10.0.0.9, 192.0.2.1", "192.0.2.1"),
            ("unknown, 192.0.2.1", "192.0.2.1"), ("<script>, 192.0.2.1", "192.0.2.1"), ("\", 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, ::ffff:10.0.0.2, 2001:db8:aaaa::1", "192.0.2.1"),
            // all trusted: the most distant one
            ("10.0.0.7", "10.0.0.7"), ("10.0.0.7, 10.0.0.2", "10.0.0.7"), ("::ffff:10.0.0.7, ::1", "10.0.0.7"),
            // empty elements
            (",192.0.2.1,", "192.0.2.1"), ("192.0.2.1, ,, 10.0.0.2 , ", "192.0.2.1"), (",", "10.0.0.1"),
            (" , ,", "10.0.0.1"),
            // junk ends the walk
            ("192.0.2.1, unknown", "10.0.0.1"), ("192.0.2.1, junk, 10.0.0.2", "10.0.0.2"),
            ("192.0.2.1 10.0.0.2", "10.0.0.1"),
            ("192.0.2.256", "10.0.0.1"), ("192.0.2.1:", "10.0.0.1"), ("192.0.2.1:65536", "10.0.0.1"),
            ("192.0.2.1:080", "10.0.0.1"), (":80", "10.0.0.1"), ("[192.0.2.1]", "10.0.0.1"),
            ("[192.0.2.1]:80", "10.0.0.1"),
            ("[2001:db8::1", "10.0.0.1"), ("2001:db8::1]", "10.0.0.1"), ("[2001:db8::1]80", "10.0.0.1"),
            ("[2001:db8::1]:", "10.0.0.1"), ("[2001:db8::1]:x", "10.0.0.1"), ("[]", "10.0.0.1"), ("[", "10.0.0.1"),
            ("]", "10.0.0.1"), (":", "10.0.0.1"), ("[]:1", "10.0.0.1"), ("[:1", "10.0.0.1"), ("]:1", "10.0.0.1"),
            ("fe80::1%eth0", "10.0.0.1"), ("\"192.0.2.1\"", "10.0.0.1"), ("192.0.2.1;10.0.0.2", "10.0.0.1"),
            ("é", "10.0.0.1"),
            ("example.org", "10.0.0.1"), ("127.1", "10.0.0.1"), ("192.0.2.1\u{0}", "10.0.0.1"),
        ])
    func xForwardedFor(value: String, expected: String) throws {
        #expect(try client(.xForwardedFor, value) == expected)
    }

    @Test("a peer on a Unix socket forwards, too")
    func unixPeer() throws {
        #expect(try client(.xForwardedFor, "192.0.2.1, 10.0.0.2", peer: nil) == "192.0.2.1")
        #expect(try client(.xForwardedFor, "junk", peer: nil) == nil)
    }

    // MARK: Forwarded

    @Test(
        "Forwarded, from its end (RFC 7239 §4, §6)",
        arguments: [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("FOR=192.0.2.43", "192.0.2.43"), ("for=\"192.0.2.43\"", "192.0.2.43"),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43"),
            ("for=\"192.0.2.43:_x.Y-9\"", "192.0.2.43"), ("for=\"[2001:db8::1]:_gazonk\"", "2001:db8::1"),
            ("for=\"[2001:db8::1]\"", "2001:db8::1"), ("for=\"::ffff:192.0.2.1\"", "192.0.2.1"),
            // common forms, though the grammar wants quotation marks
            ("for=192.0.2.43:47011", "192.0.2.43"), ("for=[2001:db8::1]:80", "2001:db8::1"),
            ("for=2001:db8::1", "2001:db8::1"),
            // several parameters, in any order, empty ones included
            ("by=10.0.0.1; for=192.0.2.1 ;proto=https", "192.0.2.1"), (";for=192.0.2.1;;", "192.0.2.1"),
            ("host=\"a,b;for=9.9.9.9\";for=192.0.2.1", "192.0.2.1"), ("host=\"a\\\",b\";for=192.0.2.1", "192.0.2.1"),
            ("host=\"a,\\\"b\";for=192.0.2.1", "192.0.2.1"), ("host=\"a,\\\\\";for=192.0.2.1", "192.0.2.1"),
            ("host=\"\\\\,\\\\\\\"\";for=192.0.2.1", "192.0.2.1"),

            ("for=192.0.2.1;host=\"a\\\\\"", "192.0.2.1"), ("secret=\"\";for=192.0.2.1", "192.0.2.1"),
            // the first from the right that is not trusted
            ("for=192.0.2.1, for=10.0.0.2", "192.0.2.1"),
            ("for=198.51.100.17, for=192.0.2.1;by=\"x, y\",for=10.0.0.2", "192.0.2.1"),
            ("for=192.0.2.1, for=\"[2001:db8:aaaa::7]:1\";proto=https", "192.0.2.1"),
            ("for=unknown, for=192.0.2.1", "192.0.2.1"),
            (",for=192.0.2.1, ,", "192.0.2.1"), ("for=10.0.0.7, for=10.0.0.2", "10.0.0.7"),
            // a client's quotation marks do not extend to what a proxy appended
            ("for=\", for=192.0.2.1", "192.0.2.1"), ("for=\"6.6.6.6, for=\"[2001:db8::1]:5\"", "2001:db8::1"),
            ("for=6.6.6.6;x=\", for=192.0.2.1;host=\"h\"", "192.0.2.1"), ("for=\"\\, for=\"192.0.2.1\"", "192.0.2.1"),
            ("\", for=\"192.0.2.1\", for=10.0.0.2", "192.0.2.1"),
            // an element that cannot be followed ends the walk
            ("for=192.0.2.1, for=unknown", "10.0.0.1"), ("for=192.0.2.1, for=_hidden", "10.0.0.1"),
            ("for=192.0.2.1, for=\"_SEVKISEK\", for=10.0.0.2", "10.0.0.2"), ("for=192.0.2.1, proto=https", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"), ("for=", "10.0.0.1"), ("for=\"\"", "10.0.0.1"), ("for", "10.0.0.1"),
            ("=", "10.0.0.1"),
            ("for=192.0.2.1;for=192.0.2.1", "10.0.0.1"), ("for =192.0.2.1", "10.0.0.1"), ("for= 192.0.2.1", "10.0.0.1"),
            ("for=192.0.2.1 by=10.0.0.1", "10.0.0.1"), ("for=192.0.2.1=", "10.0.0.1"), ("for=\"192.0.2.1", "10.0.0.1"),
            ("for=192.0.2.1\"", "10.0.0.1"), ("for=\"192.0.2.1\"x", "10.0.0.1"), ("for=\"192.0.2.1\\\"", "10.0.0.1"),
            ("for=\"192\\.0.2.1\"", "10.0.0.1"), ("for=192.0.2.1:_", "10.0.0.1"),
            ("for=\"192.0.2.1:_a b\"", "10.0.0.1"),
            ("for='192.0.2.1'", "10.0.0.1"), ("for=192.0.2.1;x", "10.0.0.1"), ("for=\" 192.0.2.1\"", "10.0.0.1"),
            ("fox=192.0.2.1", "10.0.0.1"), ("four=192.0.2.1", "10.0.0.1"), ("\"for\"=192.0.2.1", "10.0.0.1"),
            ("\"", "10.0.0.1"),
            ("for=é", "10.0.0.1"), ("192.0.2.1", "10.0.0.1"), ("\\", "10.0.0.1"), ("\"\\", "10.0.0.1"),
            ("a=\"\\", "10.0.0.1"),
        ])
    func forwarded(value: String, expected: String) throws {
        #expect(try client(.forwarded, value) == expected)
    }

    // MARK: Properties

    /// Random bytes, with a preference for those that have a meaning.
    private func junk(_ chance: inout Chance) -> [UInt8] {
        let pieces = [
            "for=", "\"", "\\", ",", ";", "=", " ", "192.0.2.1", "[2001:db8::1]:5", "10.0.0.3", "for=10.0.0.3",
            "unknown", "_x",
            "\t", "for=\"", "host=\"", "\u{80}", "[", "]", ":", "::1", "\0",
        ]
        return (0..<Int.random(in: 0..<14, using: &chance)).flatMap { _ in
            Array((pieces.randomElement(using: &chance) ?? "").utf8)
        }
    }

    @Test(
        "whatever a client sends, its address is the one that the first trusted proxy saw",
        arguments: [ForwardedHeader.xForwardedFor, .forwarded])
    func cannotBeForged(header: ForwardedHeader) throws {
        let start = Chance.firstSeed("forged \(header.rawValue)")
        var tried = 0
        for seed in start..<start + Effort.cases(2_000) {
            var chance = Chance(seed: seed)
            let client = chance.address().unmapped
            guard !proxies.trusts(client) else { continue }
            tried += 1
            var value = junk(&chance)
            let hops =
                [client] + (0..<Int.random(in: 0..<3, using: &chance)).map { _ in chance.address(in: "10.0.0.0/8") }
            for hop in hops {
                if !value.isEmpty { value += Array(", ".utf8) }
                value += Array(Self.element(hop, header, &chance).utf8)
            }
            let found = proxies.client(peer: .v4(0x0A00_0001), header, value.span)
            #expect(found == client, "HOLDFAST_SEED=\(seed): \(String(decoding: value, as: UTF8.self))")
        }
        #expect(tried > Effort.cases(500))
    }

    /// The element that a proxy writes for the address that connected to it.
    private static func element(_ hop: IPAddress, _ header: ForwardedHeader, _ chance: inout Chance) -> String {
        let hasPort = Bool.random(using: &chance)
        var isV6 = false
        if case .v6 = hop { isV6 = true }
        let node = hasPort ? Endpoint(address: hop, port: 4711).description : isV6 ? "[\(hop)]" : hop.description
        guard header == .forwarded else { return node }
        let forms = ["for=\"\(node)\"", "for=\"\(node)\";proto=https", "by=_me;For=\"\(node)\";host=\"a, \\\"b\\\"\""]
        return forms.randomElement(using: &chance) ?? ""
    }

    @Test(
        "random values never trap, and name an address that they hold, or the peer", arguments: ForwardedHeader.allCases
    )
    func anything(header: ForwardedHeader) {
        let start = Chance.firstSeed("anything as \(header.rawValue)")
        for seed in start..<start + Effort.cases(2_000) {
            var chance = Chance(seed: seed)
            let value = Bool.random(using: &chance) ? chance.bytes(0..<60) : junk(&chance)
            let found = proxies.client(peer: .v6(1), header, value.span)
            let isPossible = found == .v6(1) || (header != .none && Self.addresses(in: value).contains { $0 == found })
            #expect(isPossible, "HOLDFAST_SEED=\(seed): \(String(decoding: value, as: UTF8.self))")
        }
    }

    /// Every address between separators, with or without a port.
    private static func addresses(in value: [UInt8]) -> [IPAddress] {
        let pieces = value.split { Array(",;=\"[] \t".utf8).contains($0) }.map { String(decoding: $0, as: UTF8.self) }
        let hosts = pieces.compactMap { piece in piece.lastIndex(of: ":").map { String(piece[..<$0]) } }
        return (pieces + hosts).compactMap { IPAddress($0)?.unmapped }
    }

    @Test("a value of nothing but separators and quotation marks is walked through once")
    func long() {
        for text in [",", "\"", "\\", "\\\"", "\",", ";", "for=10.0.0.2,", "=", " "] {
            let value = Array(String(repeating: text, count: 32_768 / text.utf8.count).utf8)
            for header in [ForwardedHeader.xForwardedFor, .forwarded] {
                let found = proxies.client(peer: .v4(0x0A00_0001), header, value.span)
                #expect(found == .v4(text.hasPrefix("for") && header == .forwarded ? 0x0A00_0002 : 0x0A00_0001))
            }
        }
    }
}
