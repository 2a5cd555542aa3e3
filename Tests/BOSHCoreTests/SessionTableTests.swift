import BOSHCore
import Effort
import Testing

@Suite struct SessionTableTests {
    private static func id(_ high: UInt64, _ low: UInt64) -> SessionID {
        SessionID(node: NodeName(ofHost: "n"), worker: 1, high: high, low: low)
    }

    @Test("a session is found until it is removed")
    func finds() {
        var table = SessionTable()
        #expect(table.slot(of: Self.id(1, 2)) == nil)
        let isNew = table.insert(Self.id(1, 2), slot: 9)
        #expect(isNew)
        #expect(table.slot(of: Self.id(1, 2)) == 9)
        #expect(table.slot(of: Self.id(2, 2)) == nil, "the lower half alone is not enough")
        table.remove(Self.id(2, 2))
        #expect(table.count == 1)
        table.remove(Self.id(1, 2))
        #expect(table.slot(of: Self.id(1, 2)) == nil)
        #expect(table.count == 0)
    }

    @Test("S-02 a random part that is taken is refused and stays what it was")
    func refusesTaken() {
        var table = SessionTable()
        let answers = [
            table.insert(Self.id(1, 2), slot: 3), table.insert(Self.id(1, 2), slot: 4),
            table.insert(SessionID(node: NodeName(ofHost: "m"), worker: 7, high: 1, low: 2), slot: 4),
        ]
        #expect(answers == [true, false, false])
        #expect(table.slot(of: Self.id(1, 2)) == 3)
        #expect(table.count == 1)
    }

    @Test("a random part of zeros is as good as any other")
    func holdsZero() {
        var table = SessionTable()
        #expect(table.slot(of: Self.id(0, 0)) == nil)
        let isNew = table.insert(Self.id(0, 0), slot: 0)
        #expect(isNew)
        #expect(table.slot(of: Self.id(0, 0)) == 0)
    }

    @Test("removal closes the hole in every order, across the end of the table")
    func closesHoles() {
        // All belong to the last two places, so that they probe past the end.
        let ids = [(14, 1), (15, 2), (14, 3), (15, 4), (0, 5)].map { Self.id($0.1, $0.0) }
        for first in ids.indices {
            for second in ids.indices where second != first {
                var table = SessionTable()
                for (slot, id) in ids.enumerated() { _ = table.insert(id, slot: UInt32(slot)) }
                table.remove(ids[first])
                table.remove(ids[second])
                for (slot, id) in ids.enumerated() {
                    let expected = slot == first || slot == second ? nil : UInt32(slot)
                    #expect(table.slot(of: id) == expected, "removed \(first), then \(second)")
                }
            }
        }
    }

    @Test("the table agrees with a dictionary", arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = SessionTable()
        var model: [SessionID: UInt32] = [:]
        // With few distinct low halves, probing and clustering are the rule.
        let lowBits = seed.isMultiple(of: 2) ? UInt64(31) : .max
        for step in 0..<Effort.cases(20_000) {
            let id = Self.id(generator.next() & 7, generator.next() & lowBits)
            let known = model.keys.first
            switch generator.below(4) {
            case 0, 1:
                let slot = UInt32(step)
                let isNew = model[id] == nil
                if isNew { model[id] = slot }
                let answer = table.insert(id, slot: slot)
                #expect(answer == isNew, "seed \(seed), step \(step)")
            case 2:
                let target = known ?? id
                model[target] = nil
                table.remove(target)
            default:
                #expect(table.slot(of: id) == model[id], "seed \(seed), step \(step)")
            }
            if table.count != model.count { Issue.record("seed \(seed), step \(step): \(table.count) sessions") }
        }
        for (id, slot) in model { #expect(table.slot(of: id) == slot, "seed \(seed)") }
        for id in model.keys { table.remove(id) }
        #expect(table.count == 0)
    }
}
