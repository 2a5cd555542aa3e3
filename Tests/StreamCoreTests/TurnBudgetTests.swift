import StreamCore
import Testing

@Suite struct TurnBudgetTests {
    @Test func `Items alone spend it`() {
        var budget = TurnBudget(items: 3, bytes: 100)
        for _ in 0..<2 { budget.spend(items: 1, bytes: 0) }
        #expect(!budget.isSpent)
        budget.spend(items: 1, bytes: 0)
        #expect(budget.isSpent)
    }

    @Test func `Bytes alone spend it`() {
        var budget = TurnBudget(items: 3, bytes: 100)
        budget.spend(items: 1, bytes: 99)
        #expect(!budget.isSpent)
        budget.spend(items: 0, bytes: 1)
        #expect(budget.isSpent)
    }

    @Test func `An item may take more than is left, and the budget is spent then`() {
        var budget = TurnBudget(items: 3, bytes: 100)
        budget.spend(items: 1, bytes: .max)
        #expect(
            budget
                == {
                    var spent = TurnBudget(items: 2, bytes: 1); spent.end(); return spent
                }())
        budget.spend(items: .max, bytes: .max)
        #expect(budget.isSpent)
        #expect(budget.items == 0 && budget.bytes == 0)
    }

    @Test func `Whoever ends early has spent all`() {
        var budget = TurnBudget.ofStream
        budget.end()
        #expect(budget.isSpent)
    }

    @Test func `What is taken is not given back`() {
        var budget = TurnBudget(items: 3, bytes: 100)
        budget.spend(items: -5, bytes: -5)
        #expect(budget == TurnBudget(items: 3, bytes: 100))
    }

    @Test func `There is always something that may be done`() {
        #expect(!TurnBudget(items: 0, bytes: 0).isSpent)
        #expect(!TurnBudget(items: -1, bytes: .min).isSpent)
    }

    @Test func `What streams take is taken from all of them together`() {
        var all = TurnBudget(items: 10, bytes: 100)
        let full = TurnBudget(items: 6, bytes: 60)
        for turn in 0..<2 {
            #expect(!all.isSpent, "turn \(turn)")
            var one = full
            one.spend(items: 2, bytes: 50)
            all.spend(one, of: full)
        }
        #expect(all.items == 6)
        #expect(all.isSpent)
    }
}
