import Testing

@testable import Resolver

@Suite struct DNSMessageTests {
    private static let service = "_xmpp-client._tcp.example.org"

    private static var services: DNSBuilder {
        var builder = DNSBuilder(name: service, type: 33)
        builder.service(10, 60, 5_222, DNSName.wire("a.example.org"), lifetime: 600)
        // `b` and a pointer to `example.org` within the question.
        builder.service(20, 0, 443, [1, 0x42, 0xC0, 12 + 13 + 5], lifetime: 120)
        return builder
    }

    private static var addresses: DNSBuilder {
        var builder = DNSBuilder(name: "www.example", type: 1)
        builder.alias("www.example", "Host.Example", lifetime: 50)
        builder.address([192, 0, 2, 1], owner: DNSName.wire("hOST.example"), lifetime: 90)
        builder.address([192, 0, 2, 2], owner: DNSName.wire("host.example"), lifetime: 70)
        builder.address([192, 0, 2, 9], owner: DNSName.wire("other.example"), lifetime: 1)
        builder.authority(lifetime: 900, minimum: 60)
        return builder
    }

    private func read(_ builder: DNSBuilder) -> DNSMessage? {
        DNSMessage(builder.bytes[...], name: builder.name, kind: DNSMessage.Kind(rawValue: builder.type) ?? .a)
    }

    @Test func `services are read with targets in lower case and without a final dot`() throws {
        let message = try #require(read(Self.services))
        #expect(message.code == 0)
        #expect(
            message.items == [
                .srv(ResolverRecord(priority: 10, weight: 60, port: 5_222, target: "a.example.org")),
                .srv(ResolverRecord(priority: 20, weight: 0, port: 443, target: "b.example.org")),
            ])
        #expect(message.lifetime == 120)
        #expect(!message.isReferral && !message.isUnusable && message.absenceLifetime == nil)
    }

    @Test func `the root as target stays a dot`() throws {
        var builder = DNSBuilder(name: Self.service, type: 33)
        builder.service(0, 0, 0, [0])
        #expect(
            try #require(read(builder)).items
                == [.srv(ResolverRecord(priority: 0, weight: 0, port: 0, target: "."))])
    }

    @Test func `aliases are followed and shorten the lifetime`() throws {
        let message = try #require(read(Self.addresses))
        #expect(message.items == [.a(0xC000_0201), .a(0xC000_0202)])
        #expect(message.lifetime == 50)
    }

    @Test func `IPv6 addresses are read`() throws {
        var builder = DNSBuilder(name: "host.example", type: 28)
        builder.address6(7)
        #expect(try #require(read(builder)).items == [.aaaa(0x2001_0DB8 << 96 | 7)])
    }

    @Test func `aliases in a circle and too many of them lead nowhere`() throws {
        var circle = DNSBuilder(name: "a.example", type: 1)
        circle.alias("a.example", "b.example")
        circle.alias("b.example", "a.example")
        #expect(try #require(read(circle)).items == [])
        for (count, isFollowed) in [(16, true), (17, false)] {
            var chain = DNSBuilder(name: "n0.example", type: 1)
            for index in 0..<count { chain.alias("n\(index).example", "n\(index + 1).example") }
            chain.address([1, 2, 3, 4], owner: DNSName.wire("n\(count).example"))
            #expect(try #require(read(chain)).items.isEmpty != isFollowed)
        }
    }

    @Test func `absence holds as long as the zone says`() throws {
        for (lifetime, minimum, expected) in [(900, 60, 60), (30, 86_400, 30)] as [(UInt32, UInt32, UInt32)] {
            var builder = DNSBuilder(flags: 0x8183, name: "none.example", type: 1)
            builder.authority(lifetime: lifetime, minimum: minimum)
            let message = try #require(read(builder))
            #expect(message.code == 3)
            #expect(message.items == [])
            #expect(message.absenceLifetime == expected)
        }
        let bare = try #require(read(DNSBuilder(flags: 0x8183, name: "none.example", type: 1)))
        #expect(bare.absenceLifetime == nil)
        #expect(!bare.isReferral)
    }

    @Test func `a lifetime with the highest bit set is none`() throws {
        var builder = DNSBuilder(name: "host.example", type: 1)
        builder.address([1, 2, 3, 4], lifetime: 0x8000_0000)
        #expect(try #require(read(builder)).lifetime == 0)
        builder.answers[0].lifetime = 0x7FFF_FFFF
        #expect(try #require(read(builder)).lifetime == 0x7FFF_FFFF)
    }

    @Test func `a server that only names others is told from one that knows there is nothing`() throws {
        var builder = DNSBuilder(name: "host.example", type: 1)
        builder.authorities = [.init(owner: DNSName.wire("example"), type: 2, data: DNSName.wire("ns.example"))]
        #expect(try #require(read(builder)).isReferral)
        builder.flags |= 0x0400
        #expect(try #require(read(builder)).isReferral == false)
        builder.flags = 0x8180
        builder.address([1, 2, 3, 4])
        #expect(try #require(read(builder)).isReferral == false)
    }

    @Test func `a message cut at any byte is no message`() {
        for builder in [Self.services, Self.addresses] {
            let bytes = builder.bytes
            let kind: DNSMessage.Kind = builder.type == 1 ? .a : .srv
            for length in bytes.indices {
                #expect(DNSMessage(bytes.prefix(length), name: builder.name, kind: kind) == nil, "\(length) bytes")
            }
            #expect(DNSMessage(bytes[...], name: builder.name, kind: kind) != nil)
        }
    }

    @Test func `a slice is read from its own beginning`() {
        let builder = Self.services
        let bytes = [1, 2, 3] + builder.bytes
        #expect(DNSMessage(bytes.dropFirst(3), name: builder.name, kind: .srv) == read(builder))
    }

    @Test func `what follows the authorities does not matter`() {
        var builder = Self.addresses
        let plain = read(builder)
        builder.authorities[0].data += []
        let bytes = builder.bytes + [0xC0, 0xFF, 1, 2, 3]
        #expect(DNSMessage(bytes[...], name: builder.name, kind: .a) == plain)
    }

    @Test func `counts that promise more than there is are refused and fewer are obeyed`() throws {
        for wrong in [3, 255, 65_535] as [UInt16] {
            var builder = Self.services
            builder.counts.1 = wrong
            #expect(read(builder) == nil)
            builder.counts = (nil, nil, wrong)
            #expect(read(builder) == nil)
        }
        var builder = Self.services
        builder.counts.1 = 1
        #expect(try #require(read(builder)).items.count == 1)
        builder.counts = (0, nil, nil)
        #expect(read(builder) == nil)
        builder.counts = (2, nil, nil)
        #expect(read(builder) == nil)
    }

    @Test(arguments: [0x0180, 0x8380, 0x8980, 0xF980] as [UInt16])
    func `queries, cut messages and other operations are no response`(_ flags: UInt16) {
        var builder = Self.services
        builder.flags = flags
        #expect(read(builder) == nil)
    }

    @Test func `a response to another question is none`() {
        let bytes = Self.services.bytes[...]
        #expect(DNSMessage(bytes, name: "_xmpp-client._tcp.example.net", kind: .srv) == nil)
        #expect(DNSMessage(bytes, name: Self.service, kind: .a) == nil)
        var builder = Self.services
        builder.family = 3
        #expect(read(builder) == nil)
        builder.family = 1
        builder.name = "_XMPP-client._TCP.example.ORG"
        #expect(DNSMessage(builder.bytes[...], name: Self.service, kind: .srv) == read(Self.services))
    }

    @Test func `records of other classes and kinds are passed over`() throws {
        var builder = DNSBuilder(name: "host.example", type: 1)
        builder.answers = [
            .init(owner: DNSBuilder.asked, type: 1, family: 3, data: [1]),
            .init(owner: DNSBuilder.asked, type: 46, data: [1, 2, 3]),
            .init(owner: DNSBuilder.asked, type: 28, data: []),
        ]
        builder.address([1, 2, 3, 4])
        #expect(try #require(read(builder)).items == [.a(0x0102_0304)])
    }

    @Test func `data that is longer or shorter than its kind is refused`() {
        for data in [[], [1, 2, 3], [1, 2, 3, 4, 5]] as [[UInt8]] {
            var builder = DNSBuilder(name: "host.example", type: 1)
            builder.answers = [.init(owner: DNSBuilder.asked, type: 1, data: data)]
            builder.address([9, 9, 9, 9])
            #expect(read(builder) == nil)
        }
        for (type, data) in [
            (33, [0, 1, 0, 1, 0, 1]), (33, [0, 1, 0, 1, 0, 1, 0, 0]), (33, [0, 1, 0, 1, 0, 1, 1, 0x61]),
            (5, []), (5, [0, 0]), (5, [1, 0x61]), (6, [0, 0]), (6, [0, 0] + [UInt8](repeating: 0, count: 21)),
        ] as [(UInt16, [UInt8])] {
            var builder = DNSBuilder(name: Self.service, type: 33)
            builder.answers = [.init(owner: DNSBuilder.asked, type: type, data: data)]
            builder.service(1, 1, 1, DNSName.wire("z.example"))
            #expect(read(builder) == nil, "\(type) \(data)")
        }
    }

    @Test func `a record's length past the end is refused`() {
        var builder = DNSBuilder(name: "host.example", type: 1)
        builder.answers = [.init(owner: DNSBuilder.asked, type: 16, data: [1, 2, 3], length: 4)]
        #expect(read(builder) == nil)
        builder.answers[0].length = 0xFFFF
        #expect(read(builder) == nil)
    }

    @Test func `targets that are no host name are not used`() throws {
        for label in ["a.b", "a b", "a\0", "\u{FC}", "a\\"] {
            var builder = DNSBuilder(name: Self.service, type: 33)
            builder.service(1, 1, 1, [UInt8(label.utf8.count)] + Array(label.utf8) + DNSName.wire("example"))
            var message = try #require(read(builder))
            #expect(message.items == [] && message.isUnusable)
            builder.service(2, 2, 2, DNSName.wire("good.example"))
            message = try #require(read(builder))
            #expect(message.items.count == 1 && !message.isUnusable)
        }
    }

    @Test func `more records than are kept are left out`() throws {
        var builder = DNSBuilder(name: "host.example", type: 1)
        for index in 0..<500 { builder.address([10, 0, UInt8(index >> 8), UInt8(index & 0xFF)]) }
        let items = try #require(read(builder)).items
        #expect(items.count == ResolverFrames.maximumItems)
        #expect(items.first == .a(0x0A00_0000))
    }

    @Test func `no damage to a message does any`() {
        var numbers = SeededNumbers(state: 4)
        var read = 0
        for builder in [Self.services, Self.addresses] {
            let sound = builder.bytes
            let kind: DNSMessage.Kind = builder.type == 1 ? .a : .srv
            for _ in 0..<20_000 {
                var bytes = sound
                for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                    let place = Int.random(in: 0..<bytes.count, using: &numbers)
                    switch Int.random(in: 0..<4, using: &numbers) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
                    case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &numbers)
                    case 2: bytes.remove(at: place)
                    default: bytes.insert(UInt8.random(in: 0xBF...0xC1, using: &numbers), at: place)
                    }
                }
                guard let message = DNSMessage(bytes[...], name: builder.name, kind: kind) else { continue }
                #expect(message.items.count <= 3)
                read += 1
                for case .srv(let record) in message.items {
                    #expect(record.target == "." || DNSName.lowercased(record.target) == record.target)
                }
            }
        }
        #expect(read > 1_000)
    }

    @Test func `nothing random after a sound question is trusted`() {
        var numbers = SeededNumbers(state: 5)
        var read = 0
        for _ in 0..<5_000 {
            var builder = DNSBuilder(name: Self.service, type: 33)
            builder.counts = (nil, UInt16.random(in: 0...9, using: &numbers), UInt16.random(in: 0...9, using: &numbers))
            let tail = (0..<Int.random(in: 0...200, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers) & (numbers.next() % 2 == 0 ? 0xFF : 0x21)
            }
            guard let message = DNSMessage((builder.bytes + tail)[...], name: Self.service, kind: .srv) else {
                continue
            }
            read += 1
            #expect(message.items.count <= 9)
        }
        #expect(read > 30)
    }

    @Test func `a question has the bytes of RFC 1035`() {
        #expect(
            DNSMessage.question(id: 0xABCD, name: "a.bc", kind: .srv)
                == [0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 2, 0x62, 0x63, 0, 0, 33, 0, 1])
    }
}
