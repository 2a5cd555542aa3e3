import Effort
import Primitives
import Testing

@Suite struct ShortListTests {
    @Test("a list begins with one element and can be emptied")
    func begins() {
        var list = ShortList(7)
        #expect(Array(list) == [7] && list.count == 1)
        list.append(8)
        list.removeAll()
        #expect(list.isEmpty && list.first == nil)
        list.append(9)
        #expect(Array(list) == [9])
    }

    @Test("the first element that is meant is taken out, wherever it stands")
    func removesFirst() {
        var list = ShortList<Int>()
        #expect(list.isEmpty)
        let none = list.removeFirst { _ in true }
        #expect(none == nil)
        for number in [3, 5, 7, 5] { list.append(number) }
        let five = list.removeFirst { $0 == 5 }
        #expect(five == 5 && Array(list) == [3, 7, 5])
        let other = list.removeFirst { $0 == 4 }
        #expect(other == nil && list.count == 3)
        list.removeFirst { $0 == 3 }
        #expect(Array(list) == [7, 5])
    }

    @Test("the list agrees with an array", arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var list = ShortList<[UInt8]>([])
        var model: [[UInt8]] = [[]]
        for step in 0..<Effort.cases(5_000) {
            let element = [UInt8(truncatingIfNeeded: step)]
            switch generator.below(5) {
            case 0, 1:
                list.append(element)
                model.append(element)
            case 2 where !model.isEmpty:
                let position = generator.below(model.count)
                let removed = list.remove(at: position)
                let expected = model.remove(at: position)
                #expect(removed == expected, "seed \(seed), step \(step)")
            case 3 where !model.isEmpty:
                let removed = list.removeFirst()
                let expected = model.removeFirst()
                #expect(removed == expected, "seed \(seed), step \(step)")
            case 4 where !model.isEmpty:
                let position = generator.below(model.count)
                list[position].append(contentsOf: element)
                model[position].append(contentsOf: element)
            default: break
            }
            if Array(list) != model || list.count != model.count || list.first != model.first || list.last != model.last
            {
                Issue.record("seed \(seed), step \(step): \(Array(list)) instead of \(model)")
                return
            }
        }
    }

    @Test("a change of a copy leaves the other list as it was")
    func isAValue() {
        var list = ShortList([1])
        list.append([2])
        var copy = list
        copy[0].append(9)
        copy[1].append(8)
        copy.removeFirst()
        #expect(Array(list) == [[1], [2]])
        #expect(Array(copy) == [[2, 8]])
    }
}
