import Effort
import Primitives
import Testing

/// The slot that holds most is found at once; slots that hold the same take turns.
@Suite struct SizeOrderTests {
    @Test("replay-budget: the largest is first, within a factor of two")
    func findsTheLargest() {
        var order = SizeOrder()
        #expect(order.largest == nil && order.total == 0)
        for number in 0..<100 as Range<UInt32> { order.set(number, to: 100) }
        order.set(70, to: 1_000)
        #expect(order.largest == 70)
        #expect(order.total == 99 * 100 + 1_000)
        order.set(70, to: 0)
        #expect(order.largest == 0)
        #expect(order.size(of: 70) == 0 && order.size(of: 71) == 100 && order.size(of: 1_000) == 0)
    }

    @Test("replay-budget: of those that hold as much each gives in turn")
    func takesTurns() {
        var order = SizeOrder()
        for number in 0..<3 as Range<UInt32> { order.set(number, to: 1_000) }
        var turns: [UInt32] = []
        for _ in 0..<6 {
            guard let number = order.largest else { break }
            turns.append(number)
            order.set(number, to: order.size(of: number) - 1)
            order.passTurn(of: number)
        }
        #expect(turns == [0, 1, 2, 0, 1, 2])
    }

    @Test("replay-budget: against a plain list of all sizes")
    func agreesWithAList() {
        var generator = SeededGenerator(seed: 7)
        var order = SizeOrder()
        var sizes = [Int](repeating: 0, count: 40)
        for _ in 0..<Effort.cases(20_000) {
            let number = generator.below(40)
            sizes[number] = generator.below(4) == 0 ? 0 : generator.below(1 << generator.below(20))
            order.set(UInt32(number), to: sizes[number])
            if generator.below(3) == 0 { order.passTurn(of: UInt32(number)) }
            #expect(order.total == sizes.reduce(0, +))
            let largest = order.largest.map { sizes[Int($0)] } ?? 0
            #expect(largest * 2 > (sizes.max() ?? 0) || largest == sizes.max())
        }
    }
}
