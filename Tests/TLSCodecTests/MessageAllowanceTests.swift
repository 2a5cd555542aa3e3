import Testing

@testable import TLSCodec

@Suite struct MessageAllowanceTests {
    private func taken(_ allowance: inout MessageAllowance) -> Int {
        var count = 0
        while count < 1_000, allowance.take() { count += 1 }
        return count
    }

    @Test func `So many may come in a row`() {
        var allowance = MessageAllowance()
        #expect(taken(&allowance) == Int(MessageAllowance.most))
        #expect(!allowance.take())
    }

    @Test func `Data earns one for so many bytes, however they are cut`() {
        var allowance = MessageAllowance()
        _ = taken(&allowance)
        for _ in 0..<(MessageAllowance.bytesForOne - 1) { allowance.earn(1) }
        #expect(!allowance.take())
        allowance.earn(1)
        #expect(taken(&allowance) == 1)
        allowance.earn(3 * MessageAllowance.bytesForOne)
        #expect(taken(&allowance) == 3)
    }

    @Test func `No more is earned than may come in a row`() {
        var allowance = MessageAllowance()
        allowance.earn(.max / 2)
        #expect(taken(&allowance) == Int(MessageAllowance.most))
        allowance.earn(0)
        allowance.earn(-5)
        #expect(!allowance.take())
    }
}
