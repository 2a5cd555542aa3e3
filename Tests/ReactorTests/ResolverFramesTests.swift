import Testing

@testable import Reactor

@Suite struct ResolverFramesTests {
    private static let answers: [ResolverAnswer] = [
        ResolverAnswer(id: 0, outcome: .addresses([.ipv4(0x7F00_0001, port: 5_222)])),
        ResolverAnswer(
            id: .max,
            outcome: .addresses([.ipv6(1, port: 1, scope: 9), .ipv4(.max, port: .max), .ipv6(.max, port: 0, scope: 0)])),
        ResolverAnswer(id: 7, outcome: .failure("Name or service not known", isTemporary: false)),
        ResolverAnswer(id: 8, outcome: .failure("", isTemporary: true)),
    ]

    private func payloads(_ pieces: [[UInt8]]) throws -> [[UInt8]] {
        var reader = ResolverFrameReader()
        var found: [[UInt8]] = []
        for piece in pieces { try reader.receive(piece.span) { found.append(Array($0)) } }
        return found
    }

    @Test func `answers survive the way whole, byte by byte and split at every point`() throws {
        var bytes: [UInt8] = []
        for answer in Self.answers { ResolverFrames.append(answer, to: &bytes) }
        var ways = [[bytes], bytes.map { [$0] }]
        for point in bytes.indices { ways.append([Array(bytes[..<point]), Array(bytes[point...])]) }
        for way in ways {
            #expect(try payloads(way).map { ResolverFrames.answer($0[...]) } == Self.answers)
        }
    }

    @Test func `a question survives the way`() throws {
        let question = ResolverQuestion(id: 0x0102_0304_0506_0708, host: "xmpp.example.org", port: 5_222)
        var bytes: [UInt8] = []
        ResolverFrames.append(question, to: &bytes)
        #expect(bytes.prefix(14) == [0, 0, 0, 26, 1, 2, 3, 4, 5, 6, 7, 8, 20, 102])
        #expect(try payloads([bytes]).map { ResolverFrames.question($0[...]) } == [question])
    }

    @Test func `a frame longer than any is refused before it has come`() throws {
        var reader = ResolverFrameReader()
        let limit = ResolverFrames.maximumPayload
        let longest: [UInt8] = [0, 0, UInt8(limit >> 8), UInt8(limit & 0xFF)]
        try reader.receive(longest.span) { _ in
            Issue.record("nothing is complete")
        }
        var other = ResolverFrameReader()
        #expect(throws: ResolverFrameReader.FrameTooLong()) {
            let tooLong: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
            try other.receive(tooLong.span) { _ in Issue.record("nothing is complete") }
        }
    }

    @Test func `the largest answer fits a frame and more addresses are left out`() throws {
        let many = (0..<100).map { SocketAddress.ipv6(UInt128($0), port: 1, scope: 1) }
        var bytes: [UInt8] = []
        ResolverFrames.append(ResolverAnswer(id: 1, outcome: .addresses(many)), to: &bytes)
        let payload = try #require(try payloads([bytes]).first)
        let kept = Array(many.prefix(ResolverFrames.maximumAddresses))
        #expect(ResolverFrames.answer(payload[...])?.outcome == .addresses(kept))
    }

    @Test func `every truncated answer is refused or shorter`() {
        var bytes: [UInt8] = []
        ResolverFrames.append(Self.answers[1], to: &bytes)
        let payload = bytes.dropFirst(4)
        for length in 0..<payload.count {
            let answer = ResolverFrames.answer(payload.prefix(length))
            #expect(answer != Self.answers[1])
        }
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1, 3], [0, 0, 0, 0, 0, 0, 0, 1, 0],
            [0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 1, 1, 1, 1, 1, 1],
        ] as [[UInt8]])
    func `payloads that are no answer are refused`(_ payload: [UInt8]) {
        #expect(ResolverFrames.answer(payload[...]) == nil)
    }

    @Test func `a question without a host or with too long a one is refused`() {
        let head: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1, 20, 102]
        #expect(ResolverFrames.question(head[...]) == nil)
        #expect(ResolverFrames.question((head + [UInt8](repeating: 0x61, count: 255))[...]) != nil)
        #expect(ResolverFrames.question((head + [UInt8](repeating: 0x61, count: 256))[...]) == nil)
        #expect(ResolverFrames.question(head.prefix(9)) == nil)
    }
}
