import Testing

@testable import Resolver

@Suite struct DNSReaderTests {
    /// Reads the name at `place` of `bytes`.
    private func name(_ bytes: [UInt8], at place: Int = 0) -> [UInt8]? {
        var reader = DNSReader(bytes)
        guard reader.skip(place) else { return nil }
        return reader.name()
    }

    @Test func `names lose their pointers and capital letters`() {
        let bytes: [UInt8] = [3, 0x41, 0x62, 0x2D, 0, 1, 0x5A, 0xC0, 0, 0xC0, 5, 7]
        #expect(name(bytes) == [3, 0x61, 0x62, 0x2D, 0])
        #expect(name(bytes, at: 5) == [1, 0x7A, 3, 0x61, 0x62, 0x2D, 0])
        #expect(name(bytes, at: 9) == [1, 0x7A, 3, 0x61, 0x62, 0x2D, 0])
        #expect(name([0]) == [0])
    }

    @Test func `reading goes on behind the pointer`() {
        let bytes: [UInt8] = [1, 0x61, 0, 1, 0x62, 0xC0, 0, 0x12, 0x34]
        var reader = DNSReader(bytes)
        #expect(reader.skip(3) == true)
        #expect(reader.name() == [1, 0x62, 1, 0x61, 0])
        #expect(reader.number16() == 0x1234)
        #expect(reader.number16() == nil)
    }

    @Test(
        arguments: [
            ([0xC0, 0], 0), ([0xC0, 2, 0], 0), ([1, 0x61, 0xC0, 0], 0), ([1, 0x61, 0xC0, 2], 0),
            ([0xC0, 2, 0xC0, 0], 0),
            ([0xC0, 2, 0xC0, 0], 2), ([0, 1, 0x61, 0xC0, 1], 1), ([0xFF, 0xFF], 0), ([0, 0xC0], 1),
            ([1, 0x61, 1, 0x62, 0xC0, 2], 0), ([], 0), ([1], 0), ([1, 0x61], 0), ([2, 0x61, 0], 0), ([0x40, 0], 0),
            ([0x80, 0], 0), ([63], 0),
        ] as [([UInt8], Int)])
    func `endless, leading forward and cut names are refused`(_ bytes: [UInt8], _ place: Int) {
        #expect(name(bytes, at: place) == nil)
    }

    @Test func `a long row of pointers ends`() {
        // Each pointer leads to the one before it; the first name is the root.
        var bytes: [UInt8] = [0]
        for index in 0..<1_000 {
            let target = index == 0 ? 0 : bytes.count - 2
            bytes += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
        }
        #expect(name(bytes, at: bytes.count - 2) == [0])
    }

    @Test func `a name has 255 bytes at most, by pointers too`() {
        let label: [UInt8] = [63] + [UInt8](repeating: 0x61, count: 63)
        let longest = label + label + label + [61] + [UInt8](repeating: 0x62, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(name(longest) == longest)
        #expect(name([1, 0x63] + longest) == nil)
        #expect(name(longest + [1, 0x63, 0xC0, 0], at: 255) == nil)
        #expect(name(longest + [0xC0, 0], at: 255) == longest)
    }

    @Test func `text has no final dot`() {
        #expect(DNSReader.text([0]) == ".")
        #expect(DNSReader.text([1, 0x61, 2, 0x5F, 0x2D, 0]) == "a._-")
        #expect(DNSReader.text([1, 0x20, 0]) == nil)
    }

    @Test func `numbers are there whole or not at all`() {
        var reader = DNSReader([1, 2, 3, 4, 5, 6, 7])
        #expect(reader.number128() == nil)
        #expect(reader.number32() == 0x0102_0304)
        #expect(reader.number32() == nil)
        #expect(reader.number16() == 0x0506)
        #expect(reader.skip(2) == false)
        #expect(reader.skip(1) == true)
        #expect(reader.position(after: 0) == 7)
        #expect(reader.position(after: 1) == nil)
    }
}

@Suite struct DNSNameTests {
    @Test(arguments: [
        ("Example.ORG", "example.org"), ("a", "a"), ("a.", "a."), ("_xmpp-client._tcp.x", "_xmpp-client._tcp.x"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        (String(repeating: "a", count: 63), String(repeating: "a", count: 63)),
    ])
    func `names are put in lower case`(_ name: String, _ expected: String) {
        #expect(DNSName.lowercased(name) == expected)
    }

    @Test(arguments: [
        "", ".", "..", ".a", "a..b", "a..", "a b", "a\0", "a\\.b", "b\u{FC}cher.example", "a/b", "a:1", "[a]", "*",
        String(repeating: "a", count: 64),
    ])
    func `no name is refused`(_ name: String) {
        #expect(DNSName.lowercased(name) == nil)
        #expect(ResolverQuery.addresses(host: name).normalized == nil)
        #expect(ResolverQuery.services(name: name).normalized == nil)
    }

    @Test func `a name has 253 bytes at most`() {
        let longest = String(repeating: "abc.", count: 63) + "d"
        #expect(longest.utf8.count == 253)
        #expect(DNSName.lowercased(longest) == longest)
        #expect(DNSName.lowercased(longest + ".") == longest + ".")
        #expect(DNSName.lowercased(longest + "e") == nil)
        #expect(DNSName.wire(longest).count == 255)
    }

    @Test(arguments: ["127.1", "1", "0x7f.1", "a.0x", "a.0x7F", "2130706433", "1.2.3.4.", "a.1", "example.00"])
    func `hosts that end in a number are no names`(_ host: String) {
        #expect(ResolverQuery.addresses(host: host).normalized == nil)
    }

    @Test(arguments: ["1a", "1.a", "a1", "0xg", "0x1.a", "3com.example", "x1"])
    func `numbers elsewhere are allowed`(_ host: String) {
        #expect(ResolverQuery.addresses(host: host).normalized == .addresses(host: host))
    }

    @Test func `a final dot means something for hosts only`() {
        #expect(ResolverQuery.addresses(host: "A.").normalized == .addresses(host: "a."))
        #expect(ResolverQuery.services(name: "_x.A.").normalized == .services(name: "_x.a"))
    }

    @Test func `the wire form has lengths`() {
        #expect(DNSName.wire("ab.c") == [2, 0x61, 0x62, 1, 0x63, 0])
        #expect(DNSName.wire("c.") == [1, 0x63, 0])
    }
}
