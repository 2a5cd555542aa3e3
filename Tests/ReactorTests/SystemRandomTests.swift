import Testing

@testable import Reactor

@Suite struct SystemRandomTests {
    @Test(arguments: [0, 1, 16, 255, 256, 257, 5_000])
    func `every byte is filled`(_ count: Int) {
        // Combines many fills by OR: a byte that is never written stays 0.
        var union = [UInt8](repeating: 0, count: count)
        for _ in 0..<64 {
            var bytes = [UInt8](repeating: 0, count: count)
            SystemRandom.fill(&bytes)
            #expect(bytes.count == count)
            for index in bytes.indices { union[index] |= bytes[index] }
        }
        #expect(union.allSatisfy { $0 != 0 })
    }

    @Test func `values do not repeat and use all bits`() {
        var seen: Set<UInt128> = []
        var ones: UInt128 = 0
        var zeros: UInt128 = 0
        for _ in 0..<256 {
            let value = SystemRandom.value128()
            seen.insert(value)
            ones |= value
            zeros |= ~value
        }
        #expect(seen.count == 256)
        #expect(ones == .max && zeros == .max)
    }
}
