import Testing

@testable import holdfast_bench

@Suite struct RepeatQueueTests {
    private func entry(_ number: Int) -> RepeatQueue.Entry {
        RepeatQueue.Entry(number: number, place: number % 2, life: number / 3)
    }

    @Test func `a request waits for its pause and comes once`() {
        var queue = RepeatQueue(pause: 100)
        queue.append(entry(1), now: 1_000)
        queue.append(entry(2), now: 1_050)
        #expect(queue.next(now: 1_099) == nil)
        #expect(queue.next(now: 1_100) == entry(1))
        #expect(queue.next(now: 1_149) == nil)
        #expect(queue.next(now: 2_000) == entry(2))
        #expect(queue.next(now: 9_000) == nil)
    }

    @Test func `many requests keep their order, also when more come meanwhile`() {
        var queue = RepeatQueue(pause: 10)
        var came: [Int] = []
        for number in 0..<5_000 {
            queue.append(entry(number), now: UInt64(number))
            guard number % 3 == 0 else { continue }
            while let next = queue.next(now: UInt64(number)) { came.append(next.number) }
        }
        while let next = queue.next(now: 1_000_000) { came.append(next.number) }
        #expect(came == Array(0..<5_000))
    }
}
