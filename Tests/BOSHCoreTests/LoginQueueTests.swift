import Effort
import Testing

@testable import BOSHCore

@Suite struct LoginQueueTests {
    @Test("login-sessions: the oldest is who joined first of those that are left")
    func order() {
        var queue = LoginQueue()
        #expect(queue.oldest == nil)
        for slot in [4, 0, 7, 2] as [UInt32] { queue.append(slot) }
        #expect(queue.oldest == 4)
        queue.append(4)
        #expect(queue.oldest == 4)
        queue.remove(0)
        queue.remove(4)
        #expect(queue.oldest == 7)
        queue.append(4)
        queue.remove(7)
        queue.remove(9)
        #expect(queue.oldest == 2)
        #expect(queue.count == 2)
        queue.remove(2)
        #expect(queue.oldest == 4)
        queue.remove(4)
        #expect(queue.oldest == nil)
        #expect(queue.count == 0)
    }

    @Test("login-sessions: whatever comes and goes, the queue is what a list would be")
    func isAList() {
        var chance = SeededGenerator(seed: 8)
        var queue = LoginQueue()
        var list: [UInt32] = []
        for _ in 0..<Effort.cases(20_000) {
            let slot = UInt32.random(in: 0..<50, using: &chance)
            if Bool.random(using: &chance) {
                queue.append(slot)
                if !list.contains(slot) { list.append(slot) }
            } else {
                queue.remove(slot)
                list.removeAll { $0 == slot }
            }
            #expect(queue.oldest == list.first)
            #expect(queue.count == list.count)
            #expect(queue.contains(slot) == list.contains(slot))
        }
    }
}
