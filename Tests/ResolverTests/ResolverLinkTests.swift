import Glibc
import Primitives
import Reactor
import Testing

@testable import Resolver

@Suite struct ResolverLinkTests {
    private static let address = ResolverAnswer.Outcome.addresses([.ipv4(0x7F00_0001, port: 0)])

    /// A resolver process that does what the first label of the name says, one question after the other: `hang` does
    /// not answer, `die` ends, `last` answers and ends, `twice` answers twice, `other` answers under another number,
    /// `wrong` with records, `noise` with an endless frame, `none` with a lasting failure, `busy` with a temporary one,
    /// and all others with 127.0.0.1.
    private static let script = """
        while set -- $(head -c 13 <&3 | od -An -v -to1 -w13); do
          [ $# -eq 13 ] || exit 0
          name=$(head -c $((0$3 * 256 + 0$4 - 9)) <&3)
          id="\\\\$5\\\\$6\\\\$7\\\\$8\\\\$9\\\\${10}\\\\${11}\\\\${12}"
          address="\\\\000\\\\000\\\\000\\\\022${id}\\\\000\\\\000\\\\000\\\\000\\\\036\\\\004\\\\177\\\\000\\\\000\\\\001"
          case $name in
            hang*) read -r line <&3;;
            die*) exit 1;;
            last*) printf "$address" >&3; exit 0;;
            twice*) printf "$address$address" >&3;;
            other*) printf '\\000\\000\\000\\022\\001\\001\\001\\001\\001\\001\\001\\001\\000\\000\\000\\000\\036\\004\\177\\000\\000\\001' >&3;;
            wrong*) printf "\\\\000\\\\000\\\\000\\\\025${id}\\\\001\\\\000\\\\000\\\\000\\\\036\\\\000\\\\001\\\\000\\\\001\\\\000\\\\001\\\\001." >&3;;
            noise*) printf '\\377\\377\\377\\377' >&3;;
            none*) printf "\\\\000\\\\000\\\\000\\\\016${id}\\\\002\\\\000\\\\000\\\\000\\\\036n" >&3;;
            busy*) printf "\\\\000\\\\000\\\\000\\\\016${id}\\\\003\\\\000\\\\000\\\\000\\\\036t" >&3;;
            *) printf "$address" >&3;;
          esac
        done
        """

    private func link(processes: UInt64 = 1, _ script: String = Self.script) -> ResolverLink {
        ResolverLink(
            executable: "/bin/sh", arguments: ["sh", "-c", script], tokens: (0..<processes).map { 77 + $0 })
    }

    /// Collects answers as they come until there are `count`, all at the time `now`.
    private func answers(
        _ link: inout ResolverLink, _ poller: inout Poller, now: MonotonicInstant = .zero, count: Int
    ) throws -> [ResolverAnswer] {
        var answers: [ResolverAnswer] = []
        while answers.count < count {
            let events = try poller.wait(timeout: .seconds(30))
            try #require(events > 0)
            for index in 0..<events { answers += link.handle(poller[index], now: now, poller: poller) }
        }
        return answers
    }

    private func ask(
        _ link: inout ResolverLink, _ poller: borrowing Poller, _ host: String, id: UInt64 = 1,
        now: MonotonicInstant = .zero
    ) -> ResolverAnswer? {
        link.ask(id: id, .addresses(host: host), now: now, poller: poller)
    }

    @Test func `numeric hosts and impossible names need no process`() throws {
        let poller = try Poller()
        var link = link()
        let loopback = ResolverQuery.addresses(host: "127.0.0.1")
        #expect(
            link.ask(id: 9, loopback, now: .zero, poller: poller)
                == ResolverAnswer(id: 9, query: loopback, outcome: Self.address))
        #expect(ask(&link, poller, "::1")?.outcome == .addresses([.ipv6(1, port: 0, scope: 0)]))
        for host in ["", String(repeating: "a", count: 64), "a\0b", "b\u{FC}cher.example", "127.1", "a b"] {
            #expect(ask(&link, poller, host)?.outcome == .failure("not a name that DNS can have", isTemporary: false))
        }
        #expect(
            link.ask(id: 1, .services(name: "_x..y"), now: .zero, poller: poller)?.outcome
                == .failure("not a name that DNS can have", isTemporary: false))
        #expect(link.starts == 0 && link.processIDs.isEmpty && link.nextDeadline == nil)
    }

    @Test func `everybody who asked is answered with the own question, and the answer is kept`() throws {
        var poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, "a.example", id: 10) == nil)
        #expect(ask(&link, poller, "A.Example", id: 11) == nil)
        #expect(ask(&link, poller, "none.example", id: 12) == nil)
        #expect(link.openQuestions == 2)
        let answers = try answers(&link, &poller, count: 3).sorted { $0.id < $1.id }
        #expect(
            answers == [
                ResolverAnswer(id: 10, query: .addresses(host: "a.example"), outcome: Self.address),
                ResolverAnswer(id: 11, query: .addresses(host: "A.Example"), outcome: Self.address),
                ResolverAnswer(
                    id: 12, query: .addresses(host: "none.example"), outcome: .failure("n", isTemporary: false)),
            ])
        #expect(link.starts == 1 && link.openQuestions == 0)
        // Both answers hold for 30 s.
        #expect(ask(&link, poller, "a.EXAMPLE", id: 13, now: .seconds(29))?.outcome == Self.address)
        #expect(ask(&link, poller, "none.example", now: .seconds(29))?.outcome == .failure("n", isTemporary: false))
        #expect(ask(&link, poller, "a.example", now: .seconds(30)) == nil)
        #expect(try self.answers(&link, &poller, now: .seconds(30), count: 1).map(\.outcome) == [Self.address])
        #expect(link.starts == 1 && link.losses == 0)
        #expect(try poller.wait(timeout: .zero) == 0)
    }

    @Test func `temporary failures are kept for five seconds`() throws {
        var poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, "busy.example") == nil)
        let failure = ResolverAnswer.Outcome.failure("t", isTemporary: true)
        #expect(try answers(&link, &poller, count: 1).map(\.outcome) == [failure])
        #expect(ask(&link, poller, "busy.example", now: .seconds(5) - .nanoseconds(1))?.outcome == failure)
        #expect(ask(&link, poller, "busy.example", now: .seconds(5)) == nil)
    }

    @Test func `one process answers in the order of the questions`() throws {
        var poller = try Poller()
        var link = link()
        for id in 0..<20 as Range<UInt64> { #expect(ask(&link, poller, "h\(id).example", id: id) == nil) }
        #expect(link.processIDs.count == 1)
        #expect(try answers(&link, &poller, count: 20).map(\.id) == Array(0..<20))
        #expect(link.starts == 1)
    }

    @Test func `processes are started as needed, and a dead name does not delay others`() throws {
        var poller = try Poller()
        var link = link(processes: 3)
        #expect(ask(&link, poller, "hang.example", id: 1) == nil)
        #expect(link.starts == 1)
        #expect(ask(&link, poller, "hang2.example", id: 2) == nil)
        #expect(link.starts == 2)
        for id in 3...8 as ClosedRange<UInt64> { #expect(ask(&link, poller, "h\(id).example", id: id) == nil) }
        #expect(try answers(&link, &poller, count: 6).map(\.id) == [3, 4, 5, 6, 7, 8])
        #expect(link.starts == 3 && link.processIDs.count == 3)
        #expect(link.openQuestions == 2)
    }

    @Test func `a process that hangs is replaced and the next question goes on`() throws {
        var poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, "hang.example", id: 1, now: .nanoseconds(100)) == nil)
        #expect(ask(&link, poller, "a.example", id: 2, now: .nanoseconds(200)) == nil)
        let hanging = try #require(link.processIDs.first)
        #expect(link.nextDeadline == MonotonicInstant.nanoseconds(100) + ResolverLink.patience)
        #expect(link.handleDeadline(now: .nanoseconds(99) + ResolverLink.patience, poller: poller) == [])
        #expect(link.processIDs == [hanging])
        let now = MonotonicInstant.nanoseconds(100) + ResolverLink.patience
        #expect(
            link.handleDeadline(now: now, poller: poller)
                == [
                    ResolverAnswer(
                        id: 1, query: .addresses(host: "hang.example"),
                        outcome: .failure("the look-up takes too long", isTemporary: true))
                ])
        #expect(kill(hanging, 0) == -1)
        #expect(link.starts == 2 && link.losses == 1)
        #expect(link.nextDeadline == now + ResolverLink.patience)
        #expect(try answers(&link, &poller, now: now, count: 1).map(\.outcome) == [Self.address])
        #expect(link.nextDeadline == nil)
        // The failure is remembered for a moment, so that the name does not hang the next process at once.
        #expect(ask(&link, poller, "hang.example", now: now + .nanoseconds(1))?.outcome != nil)
    }

    @Test func `a question that waits too long for a process is given up and not remembered`() throws {
        let poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, "hang.example", id: 1, now: .nanoseconds(100)) == nil)
        #expect(ask(&link, poller, "b.example", id: 2, now: .nanoseconds(100)) == nil)
        #expect(ask(&link, poller, "hang3.example", id: 3, now: .nanoseconds(101)) == nil)
        let now = MonotonicInstant.nanoseconds(100) + ResolverLink.patience
        let given = link.handleDeadline(now: now, poller: poller)
        #expect(given.map(\.id) == [1, 2])
        #expect(given.last?.outcome == .failure("too many look-ups take long", isTemporary: true))
        #expect(ask(&link, poller, "b.example", id: 4, now: now) == nil)
        #expect(link.openQuestions == 2)
        #expect(link.nextDeadline == now + ResolverLink.patience)
    }

    @Test(arguments: [
        ("die", "the resolver process ended"), ("noise", "the resolver process sent nonsense"),
        ("twice", "the resolver process sent nonsense"), ("other", "the resolver process sent nonsense"),
        ("wrong", "the resolver process sent nonsense"),
    ])
    func `a process that ends or talks nonsense is replaced, and its question asked once more`(
        _ host: String, _ reason: String
    ) throws {
        var poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, host, id: 1) == nil)
        #expect(ask(&link, poller, "a.example", id: 2) == nil)
        let answers = try answers(&link, &poller, count: 2)
        // It comes after the other one, which may have more luck with its process.
        #expect(answers.map(\.id) == [2, 1])
        #expect(answers.map(\.outcome) == [Self.address, .failure(reason, isTemporary: true)])
        #expect(link.starts == 2 && link.losses == 2)
    }

    @Test func `an idle process that dies is noticed and nobody is told`() throws {
        var poller = try Poller()
        var link = link(processes: 2)
        #expect(ask(&link, poller, "last.example") == nil)
        #expect(try answers(&link, &poller, count: 1).map(\.outcome) == [Self.address])
        let events = try poller.wait(timeout: .seconds(30))
        try #require(events == 1)
        #expect(link.handle(poller[0], now: .zero, poller: poller) == [])
        #expect(link.processIDs.isEmpty)
        // Another event of the same socket, if there were one, finds nothing.
        #expect(link.handle(poller[0], now: .zero, poller: poller) == [])
        #expect(ask(&link, poller, "b.example") == nil)
        #expect(try answers(&link, &poller, count: 1).map(\.outcome) == [Self.address])
    }

    @Test func `a process that cannot be started is an answer and not remembered`() throws {
        let poller = try Poller()
        var link = ResolverLink(executable: "/nonexistent", arguments: ["x"], tokens: [1, 2])
        for id in 5...6 as ClosedRange<UInt64> {
            let answer = ask(&link, poller, "a.example", id: id)
            #expect(answer?.id == id)
            guard case .failure(let reason, isTemporary: true) = answer?.outcome else {
                Issue.record("nothing was started")
                return
            }
            #expect(reason.contains("posix_spawn"))
        }
        #expect(link.openQuestions == 0 && link.starts == 0)
        var none = ResolverLink(arguments: ["x"], tokens: [])
        #expect(
            ask(&none, poller, "a.example")?.outcome
                == .failure("no resolver process: none is allowed", isTemporary: true))
    }

    @Test func `open questions are bounded`() throws {
        let poller = try Poller()
        var link = link()
        #expect(ask(&link, poller, "hang.example") == nil)
        for id in 1..<UInt64(ResolverLink.maximumOpenQuestions) {
            #expect(ask(&link, poller, "h\(id).example", id: id) == nil)
        }
        #expect(ask(&link, poller, "more.example")?.outcome == .failure("too many open questions", isTemporary: true))
        #expect(ask(&link, poller, "h1.example") == nil)
        #expect(link.openQuestions == ResolverLink.maximumOpenQuestions)
        // In the end every asker gets an answer: 1,024 questions and one more asker.
        #expect(
            link.handleDeadline(now: .zero + ResolverLink.patience, poller: poller).count
                == ResolverLink.maximumOpenQuestions + 1)
        #expect(link.openQuestions == 0 && link.nextDeadline == nil)
    }

    @Test func `processes end with their link`() throws {
        var children: [Int32] = []
        do {
            let poller = try Poller()
            var link = link(processes: 2)
            #expect(ask(&link, poller, "hang1.example") == nil)
            #expect(ask(&link, poller, "hang2.example") == nil)
            children = link.processIDs
            #expect(children.count == 2)
        }
        for child in children { #expect(kill(child, 0) == -1) }
    }
}
