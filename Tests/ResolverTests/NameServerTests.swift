import Glibc
import Reactor
import Testing

@testable import Resolver

@Suite struct NameServerTests {
    /// It only keeps a broken test from hanging.
    private static let patience = NameServer.Patience(seconds: 30, tries: 1)
    /// For answers that never come.
    private static let impatience = NameServer.Patience(seconds: 1, tries: 1)

    private func ask(
        _ server: FakeNameServer, _ name: String = "host.example", _ kind: DNSMessage.Kind = .a,
        patience: NameServer.Patience = patience
    ) throws -> NameServer.Reply {
        try ask(server.address, name, kind, patience: patience)
    }

    private func ask(
        _ address: SocketAddress, _ name: String, _ kind: DNSMessage.Kind, patience: NameServer.Patience
    ) throws -> NameServer.Reply {
        guard let server = NameServer(address: address, patience: patience) else {
            throw SystemError(call: "res_ninit", code: ENOMEM)
        }
        return server.ask(name, kind)
    }

    private func items(_ reply: NameServer.Reply) -> [DNSMessage.Item]? {
        guard case .response(let message) = reply else { return nil }
        return message.items
    }

    @Test func `the server that was given is asked for exactly the name`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            response.address([192, 0, 2, 7])
            return [response.bytes]
        }
        #expect(try items(ask(server, "host.example")) == [.a(0xC000_0207)])
        // A final dot is the root, no search domain is added, and names of one label are asked too.
        #expect(try items(ask(server, "single.")) == [.a(0xC000_0207)])
        #expect(server.questions.map(\.name) == ["host.example", "single"])
        #expect(server.questions.allSatisfy { $0.type == 1 && !$0.isOverTCP })
    }

    @Test(.enabled(if: FakeNameServerProbe.hasIPv6)) func `the server may have an IPv6 address`() throws {
        let server = try FakeNameServer(isIPv6: true) { question in
            var response = question.response
            response.address6(9)
            return [response.bytes]
        }
        for _ in 0..<2 {
            #expect(try items(ask(server, "host.example", .aaaa)) == [.aaaa(0x2001_0DB8 << 96 | 9)])
        }
    }

    @Test func `what is cut off is asked for again over TCP, up to the longest message`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            guard question.isOverTCP else {
                response.flags |= 0x0200
                return [response.bytes]
            }
            for index in 0..<4_000 { response.address([10, 1, UInt8(index >> 8), UInt8(index & 0xFF)]) }
            return [response.bytes]
        }
        let found = try #require(try items(ask(server)))
        #expect(found.count == ResolverFrames.maximumItems)
        #expect(server.questions.map(\.isOverTCP) == [false, true])
    }

    @Test func `the absence of a name comes with its authority`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            response.flags = 0x8183
            response.authority(lifetime: 77, minimum: 66)
            return [response.bytes]
        }
        guard case .response(let message) = try ask(server) else {
            Issue.record("no response")
            return
        }
        #expect(message.code == 3)
        #expect(message.absenceLifetime == 66)
    }

    @Test(
        arguments: [
            (0x8182, "the name server failed"), (0x8184, "the name server does not know such questions"),
            (0x8185, "the name server refuses to answer"), (0x8181, "the name server does not understand the question"),
            (0x8186, "the name server gave error 6"),
        ] as [(UInt16, String)])
    func `error codes have words`(_ flags: UInt16, _ words: String) throws {
        let server = try FakeNameServer { question in
            var response = question.response
            response.flags = flags
            return [response.bytes]
        }
        #expect(try ask(server) == .failed(words))
    }

    @Test func `what is no response to the question is passed over`() throws {
        let server = try FakeNameServer { question in
            var other = question.response
            other.name = "evil.example"
            other.address([6, 6, 6, 6])
            var wrongID = question.response
            wrongID.id = question.id ^ 1
            wrongID.address([6, 6, 6, 6])
            var right = question.response
            right.address([1, 2, 3, 4])
            return [other.bytes, wrongID.bytes, right.bytes]
        }
        #expect(try items(ask(server)) == [.a(0x0102_0304)])
    }

    @Test func `what is shorter than any message is silence`() throws {
        let server = try FakeNameServer { _ in [[1, 2, 3]] }
        #expect(try ask(server, patience: Self.impatience) == .silent)
    }

    @Test func `a damaged response is a failure`() throws {
        let server = try FakeNameServer { question in
            var response = question.response
            response.address([1, 2, 3])
            return [response.bytes]
        }
        #expect(try ask(server) == .failed("the name server sent nonsense"))
    }

    @Test func `silence and a closed port are silence`() throws {
        let server = try FakeNameServer { _ in [] }
        #expect(try ask(server, patience: Self.impatience) == .silent)
        // The process has sent the question, but the thread of the server may still have to read it.
        for _ in 0..<3_000 where server.questions.isEmpty { usleep(10_000) }
        #expect(server.questions.count == 1)
        // Nothing listens on this port, which no test gets by chance.
        let closed = SocketAddress.ipv4(0x7F00_0001, port: 1)
        #expect(try ask(closed, "host.example", .a, patience: Self.impatience) == .silent)
    }

    @Test func `numbers of questions are not to be guessed`() throws {
        let server = try FakeNameServer { [$0.response.bytes] }
        for _ in 0..<8 { _ = try ask(server) }
        #expect(Set(server.questions.map(\.id)).count >= 7)
    }

    @Test func `a path is no name server`() {
        if NameServer(address: .unix("/x"), patience: Self.patience) != nil { Issue.record("a path was taken") }
    }
}

enum FakeNameServerProbe {
    /// Whether this machine has `::1`.
    static var hasIPv6: Bool {
        (try? Listener(.ipv6(1, port: 0, scope: 0))) != nil
    }
}
