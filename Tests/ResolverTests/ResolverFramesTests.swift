import Reactor
import Testing

@testable import Resolver

@Suite struct ResolverFramesTests {
    private static func reply(_ id: UInt64, _ outcome: ResolverAnswer.Outcome, _ lifetime: UInt32 = 30) -> ResolverReply
    {
        ResolverReply(id: id, finding: ResolverFinding(outcome, lifetime: lifetime))
    }

    private static func record(_ number: UInt16, _ target: String) -> ResolverRecord {
        ResolverRecord(priority: number, weight: .max, port: number &+ 1, target: target)
    }

    private static let replies: [ResolverReply] = [
        reply(0, .addresses([.ipv4(0x7F00_0001, port: 0)])),
        reply(
            .max, .addresses([.ipv6(1, port: 0, scope: 9), .ipv4(.max, port: 0), .ipv6(.max, port: 0, scope: 0)]), .max),
        reply(3, .services([record(1, "a.example"), record(.max, "."), record(0, "b_-9.example")]), 0),
        reply(7, .failure("no such name", isTemporary: false)),
        reply(8, .failure("", isTemporary: true)),
    ]

    private func payloads(_ pieces: [[UInt8]]) throws -> [[UInt8]] {
        var reader = ResolverFrameReader()
        var found: [[UInt8]] = []
        for piece in pieces { try reader.receive(piece.span) { found.append(Array($0)) } }
        return found
    }

    @Test func `replies survive the way whole, byte by byte and split at every point`() throws {
        var bytes: [UInt8] = []
        for reply in Self.replies { ResolverFrames.append(reply, to: &bytes) }
        var ways = [[bytes], bytes.map { [$0] }]
        for point in bytes.indices { ways.append([Array(bytes[..<point]), Array(bytes[point...])]) }
        for way in ways {
            #expect(try payloads(way).map { ResolverFrames.reply($0[...]) } == Self.replies)
        }
    }

    @Test func `questions survive the way`() throws {
        let questions = [
            ResolverQuestion(id: 0x0102_0304_0506_0708, query: .addresses(host: "xmpp.example.org")),
            ResolverQuestion(id: 2, query: .services(name: "_xmpp-client._tcp.example.org")),
            ResolverQuestion(id: 3, query: .addresses(host: String(repeating: "abc.", count: 63) + "d.")),
        ]
        var bytes: [UInt8] = []
        for question in questions { ResolverFrames.append(question, to: &bytes) }
        #expect(bytes.prefix(14) == [0, 0, 0, 25, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x78])
        #expect(try payloads([bytes]).map { ResolverFrames.question($0[...]) } == questions)
    }

    @Test func `a frame longer than any is refused before it has come`() throws {
        var reader = ResolverFrameReader()
        let limit = ResolverFrames.maximumPayload
        let longest: [UInt8] = [0, 0, UInt8(limit >> 8), UInt8(limit & 0xFF)]
        try reader.receive(longest.span) { _ in
            Issue.record("nothing is complete")
        }
        for tooLong in [[0, 0, UInt8((limit + 1) >> 8), UInt8((limit + 1) & 0xFF)], [0xFF, 0xFF, 0xFF, 0xFF]]
            as [[UInt8]]
        {
            var other = ResolverFrameReader()
            #expect(throws: ResolverFrameReader.FrameTooLong()) {
                try other.receive(tooLong.span) { _ in Issue.record("nothing is complete") }
            }
        }
    }

    @Test func `the largest replies fit a frame and more items are left out`() throws {
        let addresses = (0..<100).map { SocketAddress.ipv6(UInt128($0), port: 0, scope: 1) }
        let target = String(repeating: "abc.", count: 63) + "d"
        let records = (0..<100).map { Self.record($0, target) }
        var bytes: [UInt8] = []
        ResolverFrames.append(Self.reply(1, .addresses(addresses)), to: &bytes)
        ResolverFrames.append(Self.reply(2, .services(records)), to: &bytes)
        let outcomes = try payloads([bytes]).map { ResolverFrames.reply($0[...])?.finding.outcome }
        #expect(outcomes == [.addresses(Array(addresses.prefix(64))), .services(Array(records.prefix(64)))])
    }

    @Test func `every truncated reply is refused or shorter`() {
        for reply in Self.replies {
            var bytes: [UInt8] = []
            ResolverFrames.append(reply, to: &bytes)
            let payload = bytes.dropFirst(4)
            for length in 0..<payload.count {
                #expect(ResolverFrames.reply(payload.prefix(length)) != reply)
            }
        }
    }

    private static let head: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1]

    @Test(
        arguments: [
            [], head, head + [0], head + [4, 0, 0, 0, 1], head + [0, 0, 0, 0, 1], head + [1, 0, 0, 0, 1],
            head + [0, 0, 0, 0, 1, 5, 1, 1, 1, 1], head + [0, 0, 0, 0, 1, 4, 1, 1, 1],
            head + [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0x61], head + [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0],
            head + [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0x41], head + [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0x61, 0x2E],
            head + [2, 0, 0, 0, 1] + [UInt8](repeating: 0x61, count: 256),
            head + [0, 0, 0, 0, 1] + [[UInt8]](repeating: [4, 1, 1, 1, 1], count: 65).flatMap { $0 },
            head + [1, 0, 0, 0, 1] + [[UInt8]](repeating: [0, 1, 0, 1, 0, 1, 1, 0x2E], count: 65).flatMap { $0 },
        ] as [[UInt8]])
    func `payloads that are no reply are refused`(_ payload: [UInt8]) {
        #expect(ResolverFrames.reply(payload[...]) == nil)
    }

    @Test(
        arguments: [
            [], head, head + [0], head + [1], head + [2, 0x61], head + [3, 0x61], head + [0, 0x41], head + [0, 0],
            head + [0, 0x31], head + [1, 0x61, 0x2E], head + [0] + [UInt8](repeating: 0x61, count: 64),
        ] as [[UInt8]])
    func `payloads that are no question are refused`(_ payload: [UInt8]) {
        #expect(ResolverFrames.question(payload[...]) == nil)
    }
}
