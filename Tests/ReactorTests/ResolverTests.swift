import Glibc
import Testing

@testable import Reactor

@Suite struct ResolverServerTests {
    /// Sends questions and reads all that is answered until the server has gone.
    private func ask(_ questions: [UInt8]) throws -> [ResolverAnswer?] {
        let pair = try Descriptor.socketPair()
        let client = StreamSocket(pair.first)
        #expect(client.write(questions) == .wrote(questions.count))
        try client.shutdownWrite()
        ResolverServer.answerQuestions(from: pair.second)
        var reader = ResolverFrameReader()
        var answers: [ResolverAnswer?] = []
        let bytes = try Loopback.read(client)
        try reader.receive(bytes.span) { answers.append(ResolverFrames.answer($0)) }
        return answers
    }

    @Test func `names of this machine have addresses with the asked port and others fail for good`() throws {
        var bytes: [UInt8] = []
        ResolverFrames.append(ResolverQuestion(id: 4, host: "localhost", port: 5_222), to: &bytes)
        ResolverFrames.append(ResolverQuestion(id: 9, host: "..", port: 5_222), to: &bytes)
        ResolverFrames.append(ResolverQuestion(id: 5, host: "::1", port: 1), to: &bytes)
        let answers = try ask(bytes)
        #expect(answers.map { $0?.id } == [4, 9, 5])
        guard case .addresses(let addresses) = answers[0]?.outcome else {
            Issue.record("localhost has no address")
            return
        }
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy { $0.isLoopback && $0.port == 5_222 })
        guard case .failure(let reason, isTemporary: _) = answers[1]?.outcome else {
            Issue.record("an empty label has no address")
            return
        }
        #expect(!reason.isEmpty)
        #expect(answers[2]?.outcome == .addresses([.ipv6(1, port: 1, scope: 0)]))
    }

    @Test func `the server ends when nobody asks any more and when the frames are nonsense`() throws {
        #expect(try ask([]) == [])
        #expect(try ask([0xFF, 0xFF, 0xFF, 0xFF]) == [])
    }
}

@Suite struct ResolverLinkTests {
    private static let token: UInt64 = 77

    /// A child that sends back every frame. A question comes back as a failure when its port begins with the byte 1: the
    /// reason is then the second byte of the port and the host.
    private static let echo = ["sh", "-c", "exec cat <&3 >&3"]

    private func link(_ arguments: [String]) -> ResolverLink {
        ResolverLink(executable: "/bin/sh", arguments: arguments, token: Self.token)
    }

    private func answers(
        _ link: inout ResolverLink, _ poller: inout Poller, count: Int
    ) throws -> [ResolverAnswer] {
        var answers: [ResolverAnswer] = []
        while answers.count < count {
            let events = try poller.wait(timeout: .seconds(30))
            try #require(events > 0)
            for index in 0..<events {
                let event = poller[index]
                #expect(event.token == Self.token)
                answers += link.handle(event, poller: poller)
            }
        }
        return answers
    }

    @Test func `numeric hosts and impossible names need no process`() throws {
        let poller = try Poller()
        var link = link(["sh", "-c", "exit 1"])
        #expect(
            link.ask(id: 1, host: "127.0.0.1", port: 2, poller: poller)
                == ResolverAnswer(id: 1, outcome: .addresses([.ipv4(0x7F00_0001, port: 2)])))
        #expect(
            link.ask(id: 1, host: "::1", port: 2, poller: poller)?.outcome
                == .addresses([.ipv6(1, port: 2, scope: 0)]))
        for host in ["", String(repeating: "a", count: 256), "a\0b"] {
            #expect(
                link.ask(id: 1, host: host, port: 2, poller: poller)?.outcome
                    == .failure("not a host name", isTemporary: false))
        }
        #expect(link.starts == 0)
        #expect(link.processID == nil)
    }

    @Test func `answers come back to everybody who asked`() throws {
        var poller = try Poller()
        var link = link(Self.echo)
        #expect(link.ask(id: 10, host: "a.example", port: 0x0141, poller: poller) == nil)
        #expect(link.ask(id: 11, host: "a.example", port: 0x0141, poller: poller) == nil)
        #expect(link.ask(id: 12, host: "a.example", port: 0x0142, poller: poller) == nil)
        #expect(link.ask(id: 13, host: "b.example", port: 0x0141, poller: poller) == nil)
        let answers = try answers(&link, &poller, count: 4).sorted { $0.id < $1.id }
        #expect(answers.map(\.id) == [10, 11, 12, 13])
        #expect(
            answers.map(\.outcome) == [
                .failure("Aa.example", isTemporary: false), .failure("Aa.example", isTemporary: false),
                .failure("Ba.example", isTemporary: false), .failure("Ab.example", isTemporary: false),
            ])
        #expect(link.starts == 1)
        #expect(try poller.wait(timeout: .zero) == 0)
    }

    @Test func `a child that dies fails every open question and the next one starts another`() throws {
        var poller = try Poller()
        var link = link(["sh", "-c", "read -r line <&3"])
        #expect(link.ask(id: 1, host: "a.example", port: 1, poller: poller) == nil)
        #expect(link.ask(id: 2, host: "b.example", port: 1, poller: poller) == nil)
        let child = link.processID ?? 0
        #expect(child > 0 && kill(child, SIGKILL) == 0)
        let answers = try answers(&link, &poller, count: 2)
        #expect(Set(answers.map(\.id)) == [1, 2])
        for answer in answers {
            #expect(answer.outcome == .failure("the resolver process ended", isTemporary: true))
        }
        #expect(link.processID == nil)
        #expect(link.ask(id: 3, host: "a.example", port: 1, poller: poller) == nil)
        #expect(link.starts == 2)
    }

    @Test func `a child that sends nonsense is ended`() throws {
        var poller = try Poller()
        var link = link(["sh", "-c", "printf '\\377\\377\\377\\377' >&3; exec cat <&3"])
        #expect(link.ask(id: 1, host: "a.example", port: 1, poller: poller) == nil)
        let answers = try answers(&link, &poller, count: 1)
        #expect(
            answers == [
                ResolverAnswer(id: 1, outcome: .failure("the resolver process sent nonsense", isTemporary: true))
            ])
        #expect(link.processID == nil)
    }

    @Test func `a process that cannot be started is an answer`() throws {
        let poller = try Poller()
        var link = ResolverLink(executable: "/nonexistent", arguments: ["x"], token: 1)
        let answer = link.ask(id: 5, host: "a.example", port: 1, poller: poller)
        #expect(answer?.id == 5)
        guard case .failure(let reason, isTemporary: true) = answer?.outcome else {
            Issue.record("nothing was started")
            return
        }
        #expect(reason.contains("posix_spawn"))
    }

    @Test func `open questions are bounded and a child that reads late gets them all`() throws {
        var poller = try Poller()
        // Reads only after a line has come back over the same socket would deadlock; a FIFO of nothing keeps it simple:
        // the child starts reading at once, but all questions are queued before the first answer is taken.
        var link = link(Self.echo)
        let name = String(repeating: "n", count: 240)
        for id in 0..<UInt64(ResolverLink.maximumOpenQuestions) {
            #expect(link.ask(id: id, host: "\(name)\(id)", port: 0x0141, poller: poller) == nil)
        }
        #expect(
            link.ask(id: 9_999, host: "one.more", port: 1, poller: poller)?.outcome
                == .failure("too many names to resolve", isTemporary: true))
        let answers = try answers(&link, &poller, count: ResolverLink.maximumOpenQuestions)
        #expect(Set(answers.map(\.id)).count == ResolverLink.maximumOpenQuestions)
        #expect(link.starts == 1)
    }
}
