import Testing

@testable import Addresses

/// What a trusted proxy says of the scheme, in `Forwarded` and in a PROXY header.
struct ClientSchemeTests {
    private let proxies = TrustedProxies(
        networks: ["127.0.0.0/8", "10.0.0.0/8"].compactMap { IPNetwork($0) }, trustsUnix: true)

    private func scheme(_ value: String, peer: String = "10.0.0.1") throws -> ClientScheme {
        let peer = try #require(IPAddress(peer))
        return proxies.scheme(peer: peer, forwarded: Array(value.utf8).span)
    }

    @Test(
        "H-28: the scheme stands beside the client's address",
        arguments: [
            ("for=192.0.2.1;proto=https", ClientScheme.https), ("proto=HTTPS;for=192.0.2.1", .https),
            ("for=192.0.2.1;proto=\"https\"", .https), ("For=192.0.2.1; Proto=wss", .https),
            ("for=192.0.2.1;proto=http", .http), ("for=192.0.2.1", .unknown), ("", .unknown),
            // The proxy knows its client, and hides it.
            ("for=_hidden;proto=https", .https), ("for=unknown;proto=https", .https),
            // What the client wrote itself is on the left.
            ("for=192.0.2.66;proto=https, for=192.0.2.1;proto=http", .http),
            // Within the house of trusted proxies another scheme may be spoken.
            ("for=192.0.2.1;proto=https, for=10.0.0.2;proto=http", .https),
            ("for=192.0.2.1, for=10.0.0.2;proto=https", .unknown),
            // Junk.
            ("for=192.0.2.1;proto=https;proto=http", .unknown), ("for=192.0.2.1;proto=", .unknown),
            ("for=192.0.2.1;proto", .unknown), ("for=192.0.2.1;proto=ftp", .unknown),
        ])
    func forwarded(value: String, expected: ClientScheme) throws {
        #expect(try scheme(value) == expected)
        #expect(try scheme(value, peer: "192.0.2.9") == .unknown)
    }

    // MARK: X-Real-IP

    private func client(_ value: String, peer: String = "10.0.0.1") throws -> String? {
        let peer = try #require(IPAddress(peer))
        return proxies.client(peer: peer, .xRealIP, Array(value.utf8).span)?.description
    }

    @Test(
        "H-28: X-Real-IP is one address, and otherwise the proxy is the client",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), (" 192.0.2.1\t", "192.0.2.1"), ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("192.0.2.1, 192.0.2.2", "10.0.0.1"), (",192.0.2.1", "10.0.0.1"), ("junk", "10.0.0.1"), ("", "10.0.0.1"),
            ("for=192.0.2.1", "10.0.0.1"), ("unknown", "10.0.0.1"),
        ])
    func realAddress(value: String, expected: String) throws {
        #expect(try client(value) == expected)
        #expect(try client(value, peer: "192.0.2.9") == "192.0.2.9")
        let names = proxies.namesNobody(.xRealIP, Array(value.utf8).span)
        #expect(names == (expected == "10.0.0.1"))
    }

    // MARK: PROXY headers

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let addresses: [UInt8] = [203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 0xBB]

    private func scheme(command: UInt8 = 0x21, family: UInt8 = 0x11, addresses: [UInt8], _ values: [UInt8])
        -> ClientScheme
    {
        let rest = addresses + values
        let bytes = Self.signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest + [0x47]
        var whole = ProxyHeaderReader()
        var offset = 0
        let outcome = whole.receive(bytes.span, offset: &offset)
        #expect(outcome != .needMore && outcome != .invalid && offset == bytes.count - 1)
        var single = ProxyHeaderReader()
        for byte in bytes {
            var offset = 0
            _ = single.receive([byte].span, offset: &offset)
        }
        #expect(single.scheme == whole.scheme)
        return whole.scheme
    }

    /// The value about TLS: its flags, no verified certificate, and the version of TLS.
    private static func tls(_ flags: UInt8) -> [UInt8] {
        [0x20, 0, 15, flags, 0, 0, 0, 0, 0x21, 0, 7] + Array("TLSv1.3".utf8)
    }

    @Test(
        "H-28: the value about TLS in a PROXY header of version 2, wherever it stands",
        arguments: [
            (tls(1), ClientScheme.https), (tls(7), .https), (tls(0), .http), (tls(2), .http), ([], .unknown),
            ([2, 0, 1, 0x61] + tls(1), .https), (tls(1) + [4, 0, 0], .https), ([4, 0, 0] + tls(0), .http),
            // Content that looks like the value is none.
            ([5, 0, 4, 0x20, 0, 1, 1], .unknown),
            // Values that are cut or longer than the header say nothing of themselves.
            ([0x20, 0, 0], .unknown), ([0x20, 0], .unknown), ([5, 0, 99, 0x20, 0, 1, 1], .unknown),
        ])
    func proxyHeader(values: [UInt8], expected: ClientScheme) {
        #expect(scheme(addresses: Self.addresses, values) == expected)
        let six = [UInt8](repeating: 0x20, count: 36)
        #expect(scheme(family: 0x21, addresses: six, values) == expected)
    }

    @Test("H-28: no other PROXY header says anything of the scheme")
    func silentHeaders() {
        #expect(scheme(command: 0x20, addresses: Self.addresses, Self.tls(1)) == .unknown)
        #expect(scheme(family: 0x31, addresses: [UInt8](repeating: 0x20, count: 216), Self.tls(1)) == .unknown)
        #expect(scheme(family: 0, addresses: [], Self.tls(1)) == .unknown)
        var reader = ProxyHeaderReader()
        var offset = 0
        _ = reader.receive(Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".utf8).span, offset: &offset)
        #expect(reader.scheme == .unknown)
    }
}
