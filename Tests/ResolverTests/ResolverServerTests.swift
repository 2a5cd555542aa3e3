import Glibc
import Testing

@testable import Reactor
@testable import Resolver

@Suite struct ResolverLookupTests {
    private static func lookup(_ server: FakeNameServer) -> ResolverLookup {
        ResolverLookup(.nameServer(server.address, .init(seconds: 1, tries: 1)))
    }

    private static func answer(_ query: ResolverQuery, _ respond: @escaping FakeNameServer.Respond) throws
        -> ResolverFinding
    {
        let server = try FakeNameServer(respond)
        var lookup = lookup(server)
        return withExtendedLifetime(server) { lookup.answer(query) }
    }

    private static let four = SocketAddress.ipv4(0xC000_0201, port: 0)
    private static let six = SocketAddress.ipv6(0x2001_0DB8 << 96 | 1, port: 0, scope: 0)
    private static let host = ResolverQuery.addresses(host: "host.example")
    private static let service = ResolverQuery.services(name: "_xmpp-client._tcp.example")

    @Test func `both families are asked for and IPv6 comes first`() throws {
        let found = try Self.answer(Self.host) { question in
            var response = question.response
            if question.type == 1 { response.address([192, 0, 2, 1], lifetime: 100) }
            if question.type == 28 { response.address6(1, lifetime: 200) }
            return [response.bytes]
        }
        #expect(found == ResolverFinding(.addresses([Self.six, Self.four]), lifetime: 100))
    }

    @Test(arguments: [1, 28] as [UInt16])
    func `one family alone is enough`(_ type: UInt16) throws {
        let found = try Self.answer(Self.host) { question in
            var response = question.response
            if question.type == 1, type == 1 { response.address([192, 0, 2, 1], lifetime: 100) }
            if question.type == 28, type == 28 { response.address6(1, lifetime: 100) }
            return [response.bytes]
        }
        #expect(found == ResolverFinding(.addresses([type == 1 ? Self.four : Self.six]), lifetime: 100))
    }

    @Test(arguments: [1, 28] as [UInt16])
    func `a family that cannot be asked for is asked for again soon`(_ type: UInt16) throws {
        let found = try Self.answer(Self.host) { question in
            var response = question.response
            if question.type == 1 { response.address([192, 0, 2, 1], lifetime: 1_000) }
            if question.type == 28 { response.address6(1, lifetime: 1_000) }
            if question.type == type {
                response = DNSBuilder(id: question.id, flags: 0x8182, name: question.name, type: type)
            }
            return [response.bytes]
        }
        #expect(found == ResolverFinding(.addresses([type == 28 ? Self.four : Self.six]), lifetime: 30))
    }

    @Test func `of very many addresses each family keeps its share`() throws {
        let found = try Self.answer(Self.host) { question in
            var response = question.response
            for index in 0..<60 as Range<UInt8> {
                if question.type == 1 { response.address([10, 0, 0, index]) } else { response.address6(index) }
            }
            // It is larger than a datagram without EDNS, but the library reads it.
            return [response.bytes]
        }
        guard case .addresses(let addresses) = found.outcome else {
            Issue.record("no addresses: \(found)")
            return
        }
        #expect(addresses.count == 64)
        #expect(addresses.prefix(32).allSatisfy { $0.family == AF_INET6 })
        #expect(addresses.suffix(32).allSatisfy { $0.family == AF_INET })
    }

    @Test func `a name that does not exist is asked for once`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            response.flags = 0x8183
            response.authority(lifetime: 100, minimum: 90)
            return [response.bytes]
        }
        var lookup = Self.lookup(server)
        #expect(
            lookup.answer(Self.host) == ResolverFinding(.failure("no such name", isTemporary: false), lifetime: 90))
        #expect(server.questions.count == 1)
        #expect(
            lookup.answer(Self.service) == ResolverFinding(.failure("no such name", isTemporary: false), lifetime: 90))
    }

    @Test func `a name without such records is a lasting failure with the zone's lifetime`() throws {
        for query in [Self.host, Self.service] {
            let found = try Self.answer(query) { question in
                var response = question.response
                response.authority(lifetime: 50, minimum: question.type == 1 ? 40 : 45)
                return [response.bytes]
            }
            #expect(
                found
                    == ResolverFinding(
                        .failure("the name has no such records", isTemporary: false),
                        lifetime: query == Self.host ? 40 : 45))
        }
    }

    @Test func `of very many services the best are kept`() throws {
        let found = try Self.answer(Self.service) { question in
            var response = question.response
            for index in (0..<200 as Range<UInt16>).reversed() {
                response.service(index, 0, 5_222, DNSName.wire("s\(index).example"), lifetime: 60)
            }
            return question.type == 33 ? [response.bytes] : []
        }
        guard case .services(let records) = found.outcome else {
            Issue.record("no services: \(found)")
            return
        }
        #expect(records.map(\.priority) == (0..<64).map { UInt16($0) })
    }

    @Test func `services come with priority, weight and port`() throws {
        let found = try Self.answer(Self.service) { question in
            var response = question.response
            response.service(5, 10, 5_222, DNSName.wire("B.example"), lifetime: 33)
            response.service(0, 0, 0, [0], lifetime: 44)
            return question.type == 33 ? [response.bytes] : []
        }
        #expect(
            found
                == ResolverFinding(
                    .services([
                        ResolverRecord(priority: 0, weight: 0, port: 0, target: "."),
                        ResolverRecord(priority: 5, weight: 10, port: 5_222, target: "b.example"),
                    ]), lifetime: 33))
    }

    @Test func `a server that fails, is silent or makes no sense is a temporary failure`() throws {
        let cases: [(UInt16, [DNSBuilder.Record], String)] = [
            (0x8182, [], "the name server failed"), (0x8185, [], "the name server refuses to answer"),
            (
                0x8180, [.init(owner: [0], type: 33, data: [0, 0, 0, 0, 0, 0, 1, 0x20, 0])],
                "the records name no host"
            ),
            (0x8180, [.init(owner: [0xC0, 0xFF], type: 33, data: [])], "the name server sent nonsense"),
        ]
        for (flags, answers, reason) in cases {
            let found = try Self.answer(Self.service) { question in
                var response = question.response
                response.flags = flags
                response.answers = answers
                if !answers.isEmpty, answers[0].owner == [0] { response.answers[0].owner = DNSBuilder.asked }
                return [response.bytes]
            }
            #expect(found.outcome == .failure(reason, isTemporary: true))
        }
        let server = try FakeNameServer { _ in [] }
        var lookup = Self.lookup(server)
        #expect(
            lookup.answer(Self.host).outcome == .failure("the name server does not answer", isTemporary: true))
        #expect(server.questions.count == 1)
        let referral = try Self.answer(Self.service) { question in
            var response = question.response
            response.authorities = [.init(owner: [0], type: 2, data: [0])]
            return [response.bytes]
        }
        #expect(referral.outcome == .failure("the name server only names others", isTemporary: true))
    }

    @Test func `the system knows its own host`() {
        var lookup = ResolverLookup(.system)
        let found = lookup.answer(.addresses(host: "localhost"))
        guard case .addresses(let addresses) = found.outcome else {
            Issue.record("localhost has no address: \(found)")
            return
        }
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy { $0.isLoopback && $0.port == 0 })
    }

    @Test func `settings choose who is asked`() {
        guard case .system = ResolverServer.source(nil) else {
            Issue.record("the system is asked unless told otherwise")
            return
        }
        for text in ["127.0.0.1:53", "[::1]:5353"] {
            guard case .nameServer(let address, let patience) = ResolverServer.source(text) else {
                Issue.record("\(text) is an address")
                continue
            }
            #expect(address == SocketAddress(text))
            #expect(patience.seconds == 2 && patience.tries == 2)
        }
        for text in ["", "127.0.0.1", "localhost:53", "unix:/x"] {
            var lookup = ResolverLookup(ResolverServer.source(text))
            #expect(
                lookup.answer(Self.host).outcome
                    == .failure("no name server has the address \(text)", isTemporary: true))
        }
    }
}

@Suite struct ResolverServerTests {
    /// Sends questions and reads all answers until the server has ended.
    private func ask(_ questions: [UInt8], _ source: ResolverLookup.Source) throws -> [ResolverReply?] {
        let pair = try Descriptor.socketPair()
        let client = StreamSocket(pair.first)
        #expect(client.write(questions) == .wrote(questions.count))
        try client.shutdownWrite()
        ResolverServer.answerQuestions(from: pair.second, source: source)
        var reader = ResolverFrameReader()
        var replies: [ResolverReply?] = []
        let bytes = try all(of: client)
        try reader.receive(bytes.span) { replies.append(ResolverFrames.reply($0)) }
        return replies
    }

    /// All bytes of a connection whose other end is closed.
    private func all(of socket: borrowing StreamSocket) throws -> [UInt8] {
        var buffer = ReadBuffer()
        var bytes: [UInt8] = []
        while true {
            switch socket.read(into: &buffer) {
            case .bytes: bytes += buffer.withBytes { span in span.indices.map { span[$0] } }
            case .end: return bytes
            case .wouldBlock: throw SystemError(call: "recv", code: EAGAIN)
            case .failed(let error): throw error
            }
        }
    }

    @Test func `every question is answered under its number`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            switch question.type {
            case 1: response.address([192, 0, 2, 1])
            case 33: response.service(1, 2, 3, DNSName.wire("a.example"))
            default: break
            }
            return [response.bytes]
        }
        var bytes: [UInt8] = []
        ResolverFrames.append(ResolverQuestion(id: 4, query: .addresses(host: "a.example")), to: &bytes)
        ResolverFrames.append(ResolverQuestion(id: .max, query: .services(name: "_x._tcp.a.example")), to: &bytes)
        let replies = try ask(bytes, .nameServer(server.address, .given))
        #expect(replies.map { $0?.id } == [4, .max])
        #expect(replies[0]?.finding.outcome == .addresses([.ipv4(0xC000_0201, port: 0)]))
        #expect(
            replies[1]?.finding
                == ResolverFinding(
                    .services([ResolverRecord(priority: 1, weight: 2, port: 3, target: "a.example")]), lifetime: 300))
    }

    @Test(arguments: [[], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 1, 0]] as [[UInt8]])
    func `the server ends when nobody asks any more and when the frames are nonsense`(_ bytes: [UInt8]) throws {
        #expect(try ask(bytes, .system) == [])
    }
}
