import Primitives
import Reactor
import Testing

@testable import Resolver

/// Strangers' names are looked up in turns of the requesters (`address-lookups`).
@Suite struct ResolverTurnsTests {
    private static func query(_ name: String) -> ResolverQuery { .addresses(host: name) }

    private static func asker(_ id: UInt64, _ name: String) -> ResolverQuestions.Asker {
        ResolverQuestions.Asker(id: id, query: query(name))
    }

    @discardableResult
    private static func add(
        _ name: String, by requester: UInt128?, to questions: inout ResolverQuestions, now: MonotonicInstant = .zero
    ) -> Bool {
        questions.add(asker(0, name), query: query(name), isStrange: true, requester: requester, now: now)
    }

    private static func takeAll(_ questions: inout ResolverQuestions) -> [String] {
        var names: [String] = []
        while let question = questions.takeWaiting() { names.append(question.query.name) }
        return names
    }

    @Test("address-lookups: one address has no more names looked up at a time, another's go on")
    func takesTurns() throws {
        var questions = ResolverQuestions(lookupsOfAddress: 2)
        for name in ["a.x", "b.x", "c.x", "d.x"] { Self.add(name, by: 1, to: &questions) }
        Self.add("e.x", by: 2, to: &questions)
        let taken = questions.takeWaiting()
        let first = try #require(taken)
        #expect(first.query.name == "a.x")
        let rest = Self.takeAll(&questions)
        #expect(rest == ["e.x", "b.x"])
        #expect(!questions.hasWaiting(includingStrange: true))
        _ = questions.close(first.id)
        #expect(questions.hasWaiting(includingStrange: true))
        let next = Self.takeAll(&questions)
        #expect(next == ["c.x"])
    }

    @Test("memory-limit: questions are counted with all who wait for them, and go with their answers")
    func countsBytes() throws {
        var questions = ResolverQuestions(lookupsOfAddress: 100)
        let name = String(repeating: "a", count: 60) + ".x"
        Self.add(name, by: 1, to: &questions)
        let alone = questions.heldBytes
        #expect(alone > name.utf8.count)
        Self.add(name, by: 2, to: &questions)
        let shared = questions.heldBytes
        #expect(shared > alone + name.utf8.count && shared < 2 * alone)
        Self.add("b.x", by: 1, to: &questions)
        #expect(questions.heldBytes > shared)
        while let question = questions.takeWaiting() { _ = questions.close(question.id) }
        #expect(questions.heldBytes == 0)
    }

    @Test("address-lookups: what one address waits with is bounded, and refuses nobody else")
    func boundsQueue() {
        var questions = ResolverQuestions()
        var taken = 0
        for number in 0..<300 where Self.add("n\(number).x", by: 1, to: &questions) { taken += 1 }
        #expect(taken == ResolverQuestions.maximumOfAddress)
        let other = Self.add("other.x", by: 2, to: &questions)
        let unknown = Self.add("unknown.x", by: nil, to: &questions)
        #expect(other && unknown)
    }

    @Test("address-lookups: who asks for a name that another waits with has it in a turn of its own")
    func sharesName() {
        var questions = ResolverQuestions(lookupsOfAddress: 1)
        for name in ["a.x", "b.x"] { Self.add(name, by: 1, to: &questions) }
        Self.add("b.x", by: 2, to: &questions)
        let all = Self.takeAll(&questions)
        #expect(all == ["a.x", "b.x"])
        #expect(questions.count == 2 && questions.strangeAtWork == 2)
    }

    @Test("address-lookups: the oldest that waits is given up in time, and all can be")
    func givesUp() throws {
        var questions = ResolverQuestions(lookupsOfAddress: 1)
        for (index, name) in ["a.x", "b.x", "c.x"].enumerated() {
            Self.add(name, by: 1, to: &questions, now: .nanoseconds(index))
        }
        let taken = questions.takeWaiting()
        let first = try #require(taken)
        #expect(questions.oldestWaiting == .nanoseconds(1))
        let none = Self.takeAll(&questions)
        #expect(none.isEmpty)
        let overdue = questions.takeOverdue { $0 <= .nanoseconds(1) }
        #expect(overdue?.query.name == "b.x")
        #expect(questions.oldestWaiting == .nanoseconds(2))
        let last = questions.takeOverdue { _ in true }
        #expect(last?.query.name == "c.x")
        _ = questions.close(first.id)
        #expect(questions.oldestWaiting == nil)
    }
}
