import Effort
import Primitives
import Testing

@Suite struct DeadlineQueueTests {
    private static func at(_ value: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: value) }

    @Test("nothing is due in an empty queue")
    func startsEmpty() {
        var queue = DeadlineQueue()
        #expect(queue.next == nil)
        let none = queue.popDue(now: Self.at(.max))
        #expect(none == nil)
    }

    @Test("slots come up in the order of their deadlines, not before")
    func ordersSlots() {
        var queue = DeadlineQueue()
        for (slot, instant) in [30, 10, 20, 10].enumerated() {
            queue.schedule(slot: UInt32(slot), at: Self.at(UInt64(instant)))
        }
        #expect(queue.next == Self.at(10))
        let tooEarly = queue.popDue(now: Self.at(9))
        #expect(tooEarly == nil)
        let first = [queue.popDue(now: Self.at(10)), queue.popDue(now: Self.at(10))]
        #expect(Set(first) == [1, 3])
        let nothingLeft = queue.popDue(now: Self.at(10))
        #expect(nothingLeft == nil)
        #expect(queue.next == Self.at(20))
        let late = queue.popDue(now: Self.at(99))
        #expect(late == 2)
        let latest = queue.popDue(now: Self.at(99))
        #expect(latest == 0)
        let nothing = queue.popDue(now: Self.at(99))
        #expect(nothing == nil)
    }

    @Test("it is known when a slot comes up, and that another does not")
    func due() {
        var queue = DeadlineQueue()
        #expect(queue.due(0) == nil)
        for (slot, instant) in [30, 10, 20].enumerated() {
            queue.schedule(slot: UInt32(slot), at: Self.at(UInt64(instant)))
        }
        #expect((0...3).map { queue.due($0) } == [Self.at(30), Self.at(10), Self.at(20), nil])
        _ = queue.popDue(now: Self.at(10))
        #expect(queue.due(1) == nil)
        queue.schedule(slot: 0, at: Self.at(5))
        #expect(queue.due(0) == Self.at(5))
    }

    @Test("an earlier wish replaces a later one and comes up once")
    func replaces() {
        var queue = DeadlineQueue()
        queue.schedule(slot: 0, at: Self.at(50))
        queue.schedule(slot: 0, at: Self.at(20))
        #expect(queue.next == Self.at(20))
        let once = queue.popDue(now: Self.at(100))
        #expect(once == 0)
        let twice = queue.popDue(now: Self.at(100))
        #expect(twice == nil)
    }

    @Test("a later wish is satisfied by asking again at the earlier time")
    func keepsEarlier() {
        var queue = DeadlineQueue()
        queue.schedule(slot: 0, at: Self.at(20))
        queue.schedule(slot: 0, at: Self.at(50))
        let asked = queue.popDue(now: Self.at(20))
        #expect(asked == 0)
        queue.schedule(slot: 0, at: Self.at(50))
        let early = queue.popDue(now: Self.at(49))
        #expect(early == nil)
        let due = queue.popDue(now: Self.at(50))
        #expect(due == 0)
        #expect(queue.next == nil)
    }

    @Test("no slot oversleeps and none comes up without a wish", arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = DeadlineQueue()
        // For each slot the earliest deadline that was scheduled and has not come up.
        var model: [UInt32: UInt64] = [:]
        var now: UInt64 = 0
        for step in 0..<10_000 {
            if generator.oneIn(3) {
                now += UInt64(generator.below(20))
                while let slot = queue.popDue(now: Self.at(now)) {
                    guard let due = model.removeValue(forKey: slot), due <= now else {
                        Issue.record("seed \(seed), step \(step): slot \(slot) came up for nothing")
                        return
                    }
                }
                if let missed = model.first(where: { $0.value <= now }) {
                    Issue.record("seed \(seed), step \(step): slot \(missed.key) was forgotten")
                    return
                }
            } else {
                let slot = UInt32(generator.below(12))
                let instant = now + UInt64(generator.below(60))
                queue.schedule(slot: slot, at: Self.at(instant))
                model[slot] = min(model[slot] ?? .max, instant)
            }
            if let earliest = model.values.min() {
                if queue.next != Self.at(earliest) {
                    Issue.record("seed \(seed), step \(step): the next deadline is not the earliest")
                    return
                }
            }
            if queue.count != model.count {
                Issue.record("seed \(seed), step \(step): \(queue.count) deadlines stand")
                return
            }
        }
    }

    @Test("a slot that is scheduled for short and long times in turn does not fill the queue")
    func movesEarlierEntries() {
        var queue = DeadlineQueue()
        var now: UInt64 = 0
        for _ in 0..<10_000 {
            queue.schedule(slot: 3, at: Self.at(now + 1_000_000))
            queue.schedule(slot: 3, at: Self.at(now + 1))
            now += 1
            #expect(queue.popDue(now: Self.at(now)) == 3)
        }
        #expect(queue.count == 0)
        queue.schedule(slot: 3, at: Self.at(now + 5))
        #expect(queue.popDue(now: Self.at(now + 4)) == nil)
        #expect(queue.popDue(now: Self.at(now + 5)) == 3)
    }
}
