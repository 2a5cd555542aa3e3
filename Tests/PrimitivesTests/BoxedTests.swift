import Primitives
import Testing

@Suite struct BoxedTests {
    private struct Large: Equatable {
        var numbers = [1, 2, 3]
        var name = "a name that has an allocation of its own"
        var count = 0
    }

    @Test("it has the size of a pointer, also where there may be none")
    func size() {
        #expect(MemoryLayout<Boxed<Large>>.size == 8)
        #expect(MemoryLayout<Boxed<Large>?>.size == 8)
    }

    @Test("a copy is a value of its own once either is changed")
    func copies() {
        var box = Boxed(Large())
        let copy = box
        box.value.count = 1
        box.value.numbers.append(4)
        #expect(copy.value == Large())
        #expect(box.value.count == 1 && box.value.numbers == [1, 2, 3, 4])
    }

    @Test("boxes are compared by what stands in them")
    func equality() {
        var box = Boxed(Large())
        let copy = box
        #expect(box == copy && box == Boxed(Large()))
        box.value.count = 1
        #expect(box != copy)
        #expect(Boxed(1) as Boxed<Int>? != nil)
    }

    @Test("a change where there is no copy takes place where the value stands")
    func changesInPlace() {
        final class Witness {}
        var box: Boxed<(witness: Witness, count: Int)>? = Boxed((Witness(), 0))
        weak let witness = box?.value.witness
        for _ in 0..<10 { box?.value.count += 1 }
        #expect(box?.value.count == 10 && witness != nil)
        box = nil
        #expect(witness == nil)
    }
}
