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
        let count1 = taken(&allowance)
        #expect(count1 == Int(MessageAllowance.most))
        let count2 = taken(&allowance)
        #expect(count2 == 0)
    }

    @Test func `Data earns one for so many bytes, however they are cut`() {
        var allowance = MessageAllowance()
        _ = taken(&allowance)
        for _ in 0..<(MessageAllowance.bytesForOne - 1) { allowance.earn(1) }
        let count3 = taken(&allowance)
        #expect(count3 == 0)
        allowance.earn(1)
        let count4 = taken(&allowance)
        #expect(count4 == 1)
        allowance.earn(3 * MessageAllowance.bytesForOne)
        let count5 = taken(&allowance)
        #expect(count5 == 3)
    }

    @Test func `No more is earned than may come in a row`() {
        var allowance = MessageAllowance()
        allowance.earn(.max / 2)
        let count6 = taken(&allowance)
        #expect(count6 == Int(MessageAllowance.most))
        allowance.earn(0)
        allowance.earn(-5)
        let count7 = taken(&allowance)
        #expect(count7 == 0)
    }
}
