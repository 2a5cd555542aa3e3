import Testing

@testable import Addresses

/// Writing PROXY headers. Source: "The PROXY protocol, versions 1 & 2", §2.1 and §2.2.
struct ProxyHeaderTests {
    private func header(_ version: ProxyVersion, _ source: Endpoint?, _ destination: Endpoint?) -> [UInt8] {
        var output: [UInt8] = []
        ProxyHeader.append(version, source: source, destination: destination, into: &output)
        return output
    }

    private func line(_ source: String, _ destination: String) throws -> String {
        String(decoding: try header(.v1, endpoint(source, 56324), endpoint(destination, 443)), as: UTF8.self)
    }

    private func endpoint(_ address: String, _ port: UInt16) throws -> Endpoint {
        Endpoint(address: try #require(IPAddress(address)), port: port)
    }

    private let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    @Test func lineOfIPv4() throws {
        #expect(try line("192.168.0.1", "192.168.0.11") == "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
        #expect(try line("255.255.255.255", "0.0.0.0") == "PROXY TCP4 255.255.255.255 0.0.0.0 56324 443\r\n")
    }

    @Test func lineOfIPv6() throws {
        #expect(try line("2001:DB8::1", "::") == "PROXY TCP6 2001:db8::1 :: 56324 443\r\n")
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        let last = Endpoint(address: .v6(.max), port: 65_535)
        let bytes = header(.v1, last, last)
        #expect(String(decoding: bytes, as: UTF8.self) == "PROXY TCP6 \(longest) \(longest) 65535 65535\r\n")
        #expect(bytes.count <= 107)
    }

    @Test("ends of different families are both IPv6, in hexadecimal groups")
    func lineOfBothFamilies() throws {
        #expect(try line("192.0.2.1", "2001:db8::2") == "PROXY TCP6 ::ffff:c000:201 2001:db8::2 56324 443\r\n")
        #expect(try line("2001:db8::2", "192.0.2.1") == "PROXY TCP6 2001:db8::2 ::ffff:c000:201 56324 443\r\n")
        #expect(try line("::ffff:192.0.2.1", "::1") == "PROXY TCP6 ::ffff:c000:201 ::1 56324 443\r\n")
    }

    @Test("mapped ends are IPv4 when both can be")
    func lineOfMapped() throws {
        let expected = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
        #expect(try line("::ffff:192.0.2.1", "192.0.2.2") == expected)
        #expect(try line("192.0.2.1", "::ffff:192.0.2.2") == expected)
        #expect(try line("::ffff:192.0.2.1", "::ffff:192.0.2.2") == expected)
    }

    @Test("with an end unknown the header says so")
    func unknown() throws {
        let known = try endpoint("192.0.2.1", 1)
        for (source, destination) in [(nil, nil), (known, nil), (nil, known)] as [(Endpoint?, Endpoint?)] {
            #expect(header(.v1, source, destination) == Array("PROXY UNKNOWN\r\n".utf8))
            #expect(header(.v2, source, destination) == signature + [0x20, 0, 0, 0])
        }
    }

    @Test func binaryOfIPv4() throws {
        let bytes = try header(.v2, endpoint("192.168.0.1", 56324), endpoint("192.168.0.11", 443))
        #expect(
            bytes == signature + [
                0x21, 0x11, 0, 12, 192, 168, 0, 1, 192, 168, 0, 11, 0xDC, 0x04, 0x01, 0xBB,
            ])
    }

    @Test func binaryOfIPv6() throws {
        let bytes = try header(.v2, endpoint("2001:db8::1", 1), endpoint("192.0.2.9", 0xFFFF))
        let source: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        let destination: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 9]
        #expect(bytes == signature + [0x21, 0x21, 0, 36] + source + destination + [0, 1, 0xFF, 0xFF])
    }

    @Test("a header goes behind what is there", arguments: ProxyVersion.allCases)
    func appends(version: ProxyVersion) {
        var output: [UInt8] = [7]
        ProxyHeader.append(version, source: nil, destination: nil, into: &output)
        #expect(output == [7] + header(version, nil, nil))
    }
}
