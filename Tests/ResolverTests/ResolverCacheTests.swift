import Primitives
import Testing

@testable import Resolver

@Suite struct ResolverCacheTests {
    private static let addresses = ResolverAnswer.Outcome.addresses([.ipv4(1, port: 0)])
    private static let none = ResolverAnswer.Outcome.failure("no such name", isTemporary: false)
    private static let unknown = ResolverAnswer.Outcome.failure("silence", isTemporary: true)

    private func query(_ number: Int) -> ResolverQuery { .addresses(host: "h\(number).example") }

    @Test(
        arguments: [
            (addresses, 0, 5), (addresses, 4, 5), (addresses, 5, 5), (addresses, 300, 300), (addresses, 3_600, 3_600),
            (addresses, 3_601, 3_600), (addresses, .max, 3_600),
            (.services([]), 86_400, 3_600), (none, 0, 5), (none, 60, 60), (none, 301, 300), (unknown, 0, 5),
            (unknown, 900, 5),
        ] as [(ResolverAnswer.Outcome, UInt32, Int)])
    func `lifetimes have bounds`(_ outcome: ResolverAnswer.Outcome, _ lifetime: UInt32, _ seconds: Int) {
        var cache = ResolverCache()
        let start = MonotonicInstant.nanoseconds(77)
        cache.insert(ResolverFinding(outcome, lifetime: lifetime), for: query(1), now: start)
        #expect(cache.outcome(of: query(1), now: start) == outcome)
        #expect(cache.outcome(of: query(1), now: start + .seconds(seconds) - .nanoseconds(1)) == outcome)
        #expect(cache.outcome(of: query(1), now: start + .seconds(seconds)) == nil)
    }

    @Test func `a doubtful answer is asked for again, once a second at most, and stays what is known until then`() {
        var cache = ResolverCache()
        var isAskedAgain = cache.doubt(query(1), now: .zero)
        #expect(!isAskedAgain)
        cache.insert(ResolverFinding(Self.addresses, lifetime: 600), for: query(1), now: .zero)
        isAskedAgain = cache.doubt(query(1), now: .zero + .milliseconds(500))
        #expect(!isAskedAgain)
        isAskedAgain = cache.doubt(query(1), now: .seconds(1))
        #expect(isAskedAgain)
        #expect(cache.outcome(of: query(1), now: .seconds(1) - .nanoseconds(1)) == Self.addresses)
        #expect(cache.outcome(of: query(1), now: .seconds(1)) == nil)
        // A name server that is overloaded or silent does not remove the answer.
        #expect(cache.staleOutcome(of: query(1), now: .seconds(1)) == Self.addresses)
        cache.insert(ResolverFinding(Self.unknown, lifetime: 0), for: query(1), now: .seconds(2))
        #expect(cache.outcome(of: query(1), now: .seconds(2)) == Self.addresses)
        isAskedAgain = cache.doubt(query(1), now: .seconds(2))
        #expect(!isAskedAgain)
        #expect(cache.outcome(of: query(1), now: .seconds(3) - .nanoseconds(1)) == Self.addresses)
        #expect(cache.outcome(of: query(1), now: .seconds(3)) == nil)
        // A doubted answer that has been kept for long is looked up at once; the new answer has its own lifetime.
        cache.insert(ResolverFinding(Self.addresses, lifetime: 600), for: query(1), now: .seconds(4))
        isAskedAgain = cache.doubt(query(1), now: .seconds(90))
        #expect(isAskedAgain)
        #expect(cache.outcome(of: query(1), now: .seconds(90)) == nil)
        cache.insert(ResolverFinding(Self.addresses, lifetime: 600), for: query(1), now: .seconds(91))
        #expect(cache.outcome(of: query(1), now: .seconds(690)) == Self.addresses)
        // That the name does not exist says nothing about addresses, and holds for its lifetime.
        cache.insert(ResolverFinding(Self.none, lifetime: 60), for: query(2), now: .zero)
        isAskedAgain = cache.doubt(query(2), now: .seconds(10))
        #expect(!isAskedAgain)
        #expect(cache.outcome(of: query(2), now: .seconds(59)) == Self.none)
        // An answer that expires by itself is not kept longer.
        cache.insert(ResolverFinding(Self.addresses, lifetime: 5), for: query(3), now: .zero)
        isAskedAgain = cache.doubt(query(3), now: .seconds(9))
        #expect(isAskedAgain)
        #expect(cache.outcome(of: query(3), now: .seconds(9)) == nil)
    }

    @Test func `kinds of questions are kept apart`() {
        var cache = ResolverCache()
        cache.insert(ResolverFinding(Self.addresses, lifetime: 60), for: .addresses(host: "a.example"), now: .zero)
        #expect(cache.outcome(of: .services(name: "a.example"), now: .nanoseconds(1)) == nil)
        #expect(cache.outcome(of: .addresses(host: "a.example"), now: .nanoseconds(1)) == Self.addresses)
    }

    @Test func `a newer finding replaces the older one`() {
        var cache = ResolverCache(capacity: 2)
        cache.insert(ResolverFinding(Self.none, lifetime: 300), for: query(1), now: .zero)
        cache.insert(ResolverFinding(Self.addresses, lifetime: 5), for: query(1), now: .seconds(1))
        #expect(cache.count == 1)
        #expect(cache.outcome(of: query(1), now: .seconds(2)) == Self.addresses)
        #expect(cache.outcome(of: query(1), now: .seconds(6)) == nil)
    }

    @Test func `it is bounded and keeps what is asked for`() {
        var cache = ResolverCache(capacity: 10)
        cache.insert(ResolverFinding(Self.addresses, lifetime: 3_600), for: query(-1), now: .zero)
        for number in 0..<1_000 {
            cache.insert(ResolverFinding(Self.none, lifetime: 300), for: query(number), now: .nanoseconds(number))
            #expect(cache.outcome(of: query(-1), now: .nanoseconds(number)) == Self.addresses)
            #expect(cache.count <= 10)
        }
        #expect(
            (0..<1_000).filter { cache.outcome(of: query($0), now: .nanoseconds(1_000)) != nil } == Array(991..<1_000))
    }

    @Test func `when everything is in use something goes all the same, outdated names first`() {
        var cache = ResolverCache(capacity: 3)
        for number in 0..<3 {
            cache.insert(ResolverFinding(Self.none, lifetime: number == 1 ? 5 : 300), for: query(number), now: .zero)
            #expect(cache.outcome(of: query(number), now: .zero) != nil)
        }
        let later = MonotonicInstant.seconds(10)
        cache.insert(ResolverFinding(Self.addresses, lifetime: 60), for: query(3), now: later)
        #expect(cache.outcome(of: query(1), now: later) == nil)
        #expect([0, 2, 3].allSatisfy { cache.outcome(of: query($0), now: later) != nil })
        cache.insert(ResolverFinding(Self.addresses, lifetime: 60), for: query(4), now: later)
        #expect([0, 2, 3, 4].filter { cache.outcome(of: query($0), now: later) != nil }.count == 3)
        #expect(cache.count == 3)
    }

    @Test func `records with very much text are not kept`() {
        let target = String(repeating: "abc.", count: 63) + "d"
        func records(_ count: Int) -> ResolverAnswer.Outcome {
            .services((0..<count).map { _ in ResolverRecord(priority: 0, weight: 0, port: 1, target: target) })
        }
        var cache = ResolverCache()
        cache.insert(ResolverFinding(records(16), lifetime: 60), for: query(1), now: .zero)
        cache.insert(ResolverFinding(records(17), lifetime: 60), for: query(2), now: .zero)
        #expect(cache.outcome(of: query(1), now: .zero) == records(16))
        #expect(cache.outcome(of: query(2), now: .zero) == nil)
    }

    @Test func `a clock near its end does not overflow`() {
        var cache = ResolverCache()
        cache.insert(
            ResolverFinding(Self.none, lifetime: 300), for: query(1), now: MonotonicInstant(nanoseconds: .max - 5))
        #expect(cache.outcome(of: query(1), now: MonotonicInstant(nanoseconds: .max - 1)) == Self.none)
    }
}

@Suite struct ResolverStalenessTests {
    private static let query = ResolverQuery.addresses(host: "a")
    private static let known = ResolverAnswer.Outcome.addresses([.ipv4(1, port: 0)])
    private static let failure = ResolverFinding(.failure("silence", isTemporary: true), lifetime: 0)

    private var cache: ResolverCache {
        var cache = ResolverCache()
        cache.insert(ResolverFinding(Self.known, lifetime: 60), for: Self.query, now: .zero)
        return cache
    }

    @Test func `what was known is given while nobody can be asked, and asked again soon`() {
        var cache = cache
        let later = MonotonicInstant.seconds(61)
        #expect(cache.outcome(of: Self.query, now: later) == nil)
        cache.insert(Self.failure, for: Self.query, now: later)
        #expect(cache.staleOutcome(of: Self.query, now: later) == Self.known)
        #expect(cache.outcome(of: Self.query, now: later + .seconds(4)) == Self.known)
        #expect(cache.outcome(of: Self.query, now: later + .seconds(5)) == nil)
    }

    @Test func `not for ever, and not when the name is gone`() {
        var old = cache
        let tomorrow = MonotonicInstant.seconds(60) + ResolverCache.stale
        #expect(old.staleOutcome(of: Self.query, now: tomorrow - .nanoseconds(1)) == Self.known)
        #expect(old.staleOutcome(of: Self.query, now: tomorrow) == nil)
        old.insert(Self.failure, for: Self.query, now: tomorrow)
        #expect(old.outcome(of: Self.query, now: tomorrow) == .failure("silence", isTemporary: true))
        var gone = cache
        gone.insert(
            ResolverFinding(.failure("no such name", isTemporary: false), lifetime: 60), for: Self.query,
            now: .nanoseconds(61))
        #expect(gone.staleOutcome(of: Self.query, now: .nanoseconds(62)) == nil)
    }

    @Test func `what was never known is not`() {
        var cache = ResolverCache()
        cache.insert(Self.failure, for: Self.query, now: .zero)
        #expect(cache.staleOutcome(of: Self.query, now: .nanoseconds(1)) == nil)
        #expect(cache.staleOutcome(of: .addresses(host: "b"), now: .nanoseconds(1)) == nil)
    }
}

@Suite struct ResolverQuestionsTests {
    private func asker(_ id: UInt64, _ host: String) -> ResolverQuestions.Asker {
        ResolverQuestions.Asker(id: id, query: .addresses(host: host))
    }

    @Test func `equal questions are one with many askers`() throws {
        var questions = ResolverQuestions()
        for id in 1...3 as ClosedRange<UInt64> {
            #expect(questions.add(asker(id, "a"), query: .addresses(host: "a"), now: .nanoseconds(Int(id))) == true)
        }
        #expect(questions.add(asker(4, "a"), query: .services(name: "a"), now: .nanoseconds(9)) == true)
        #expect(questions.count == 2)
        #expect(questions.oldestWaiting == .nanoseconds(1))
        let taken = questions.takeWaiting()
        let first = try #require(taken)
        #expect(first.query == .addresses(host: "a"))
        #expect(questions.oldestWaiting == .nanoseconds(9))
        // The question is still open: one more asker joins while a process works on it.
        #expect(questions.add(asker(5, "A"), query: .addresses(host: "a"), now: .nanoseconds(10)) == true)
        let closed = questions.close(first.id)
        #expect(closed?.askers == [asker(1, "a"), asker(2, "a"), asker(3, "a"), asker(5, "A")])
        #expect(questions.close(first.id) == nil)
        #expect(questions.takeWaiting()?.query == .services(name: "a"))
        #expect(questions.takeWaiting() == nil)
        #expect(questions.oldestWaiting == nil)
        #expect(questions.count == 1)
    }

    @Test func `strangers wait behind the others, however long they do`() throws {
        var questions = ResolverQuestions()
        for (host, isStrange) in [("s1", true), ("s2", true), ("a", false), ("s3", true), ("b", false)] {
            #expect(
                questions.add(asker(1, host), query: .addresses(host: host), isStrange: isStrange, now: .nanoseconds(1))
                    == true)
        }
        #expect(questions.takeWaiting()?.query == .addresses(host: "a"))
        #expect(questions.takeWaiting()?.query == .addresses(host: "b"))
        #expect(questions.takeWaiting(includingStrange: false) == nil)
        #expect(!questions.hasWaiting(includingStrange: false) && questions.hasWaiting(includingStrange: true))
        let taken = questions.takeWaiting()
        let first = try #require(taken)
        #expect(first.query == .addresses(host: "s1"))
        #expect(questions.strangeAtWork == 1)
        // A name that the operator's own domains need too no longer counts as a stranger's.
        #expect(questions.add(asker(2, "s3"), query: .addresses(host: "s3"), now: .nanoseconds(2)) == true)
        #expect(questions.takeWaiting(includingStrange: false)?.query == .addresses(host: "s3"))
        #expect(questions.strangeAtWork == 1)
        #expect(questions.add(asker(2, "s1"), query: .addresses(host: "s1"), now: .nanoseconds(2)) == true)
        #expect(questions.strangeAtWork == 0)
        #expect(questions.close(first.id)?.askers == [asker(1, "s1"), asker(2, "s1")])
        #expect(questions.strangeAtWork == 0)
        #expect(questions.takeOverdue { $0 < .nanoseconds(1) } == nil)
        let last = questions.takeOverdue { $0 <= .nanoseconds(1) }
        #expect(last?.query == .addresses(host: "s2"))
        #expect(!questions.hasWaiting(includingStrange: true))
    }

    @Test func `strangers cannot take all the places, nor one question all askers`() {
        var questions = ResolverQuestions()
        for number in 0..<ResolverQuestions.maximumStrange {
            let query = ResolverQuery.addresses(host: "s\(number)")
            #expect(questions.add(asker(1, ""), query: query, isStrange: true, now: .zero) == true)
        }
        #expect(questions.add(asker(1, ""), query: .addresses(host: "s"), isStrange: true, now: .zero) == false)
        for _ in 0..<ResolverQuestions.maximumAskers {
            #expect(questions.add(asker(1, ""), query: .addresses(host: "a"), now: .zero) == true)
        }
        #expect(questions.add(asker(1, ""), query: .addresses(host: "a"), now: .zero) == false)
    }

    @Test func `one whose process died waits once more, behind the others`() throws {
        var questions = ResolverQuestions()
        for host in ["a", "b"] {
            #expect(questions.add(asker(1, host), query: .addresses(host: host), now: .nanoseconds(1)) == true)
        }
        let taken = questions.takeWaiting()
        let first = try #require(taken)
        #expect(questions.retry(first.id, now: .nanoseconds(2)) == true)
        #expect(questions.takeWaiting()?.query == .addresses(host: "b"))
        #expect(questions.takeWaiting() == first)
        #expect(questions.retry(first.id, now: .nanoseconds(2)) == false)
        #expect(questions.takeWaiting() == nil)
        #expect(questions.close(first.id)?.askers == [asker(1, "a")])
        #expect(questions.retry(first.id, now: .nanoseconds(2)) == false)
    }

    @Test func `they wait in order and are bounded`() {
        var questions = ResolverQuestions()
        for number in 0..<ResolverQuestions.maximum {
            #expect(
                questions.add(asker(1, ""), query: .addresses(host: "h\(number)"), now: .nanoseconds(number)) == true)
        }
        #expect(questions.add(asker(1, ""), query: .addresses(host: "more"), now: .zero) == false)
        #expect(questions.add(asker(1, ""), query: .addresses(host: "h0"), now: .zero) == true)
        // Many more names pass through than fit at the same time.
        for number in 0..<(3 * ResolverQuestions.maximum) {
            let question = questions.takeWaiting()
            #expect(question?.query == .addresses(host: "h\(number)"))
            #expect(question.flatMap { questions.close($0.id) } != nil)
            let next = number + ResolverQuestions.maximum
            #expect(questions.add(asker(1, ""), query: .addresses(host: "h\(next)"), now: .zero) == true)
        }
        #expect(questions.count == ResolverQuestions.maximum)
    }
}
