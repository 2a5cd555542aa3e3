import Testing

@testable import holdfast_bench

@Suite struct DeliveryLedgerTests {
    private func ledger(sent: Int, received: [Int]) -> DeliveryLedger {
        var ledger = DeliveryLedger()
        for number in 0..<sent { #expect(ledger.send() == number) }
        for sequence in received { _ = ledger.receive(sequence) }
        return ledger
    }

    @Test(arguments: [
        (3, [0, 1, 2], 0, 0, 0), (3, [0, 2], 1, 0, 0), (3, [], 3, 0, 0), (3, [0, 1], 1, 0, 0),
        (3, [0, 2, 1], 0, 0, 1), (3, [2, 1, 0], 0, 0, 2), (3, [0, 0, 1, 2], 0, 1, 0), (3, [0, 1, 2, 0, 1], 0, 2, 0),
        (4, [0, 3, 1, 1], 1, 1, 1), (2, [1, 1], 1, 1, 0),
    ])
    func `losses, doubles and disorder are told apart`(
        _ sent: Int, _ received: [Int], _ lost: Int, _ doubled: Int, _ outOfOrder: Int
    ) {
        let ledger = ledger(sent: sent, received: received)
        #expect(ledger.lost == lost)
        #expect(ledger.doubled == doubled)
        #expect(ledger.outOfOrder == outOfOrder)
        #expect(ledger.received == Set(received).count)
    }

    @Test func `a message that a later one has overtaken is told from one on its way`() {
        #expect(ledger(sent: 6, received: [0, 1, 3]).overtaken == 1)
        #expect(ledger(sent: 6, received: [0, 1, 3]).lost == 3)
        #expect(ledger(sent: 6, received: [0, 1]).overtaken == 0)
        #expect(ledger(sent: 6, received: [0, 2, 1]).overtaken == 0)
    }

    @Test func `the successor of a ledger goes on counting and passes over the messages of the former`() {
        var former = ledger(sent: 4, received: [0, 1])
        former = former.successor
        #expect(former == former.successor)
        var ledger = former
        #expect([ledger.send(), ledger.send(), ledger.send()] == [4, 5, 6])
        #expect([2, 4, 0, 3, 6, 5].map { ledger.receive($0) } == [false, true, false, false, true, true])
        #expect(ledger.sent == 3 && ledger.received == 3 && ledger.lost == 0)
        #expect(ledger.doubled == 0 && ledger.outOfOrder == 1)
        #expect(ledger.successor.successor.lost == 0)
        var next = ledger.successor
        #expect(next.send() == 7)
    }

    @Test func `any order and doubling keeps the account balanced`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = Int.random(in: 1...30, using: &generator)
            let arrivals = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                Int.random(in: 0..<count, using: &generator)
            }
            let ledger = ledger(sent: count, received: arrivals)
            #expect(ledger.lost == count - Set(arrivals).count)
            #expect(ledger.doubled == arrivals.count - Set(arrivals).count)
        }
    }

    @Test func `marks survive a stanza and others are ignored`() {
        let first = Mark(sender: 3, sequence: 0, due: 1)
        let second = Mark(sender: 40_000, sequence: 7, due: 9_999_999_999_999)
        let bytes = Array("<body>hf|x|1|2| hf|1| hf||".utf8) + first.text + Array("xx</body><body>".utf8) + second.text
        #expect(Mark.all(in: bytes[...]) == [first, second])
        #expect(Mark.all(in: Array("hf|1|2|3".utf8)[...]) == [])
        #expect(Mark.all(in: Array("hf|99999999999999999999|1|1|".utf8)[...]) == [])
    }
}
