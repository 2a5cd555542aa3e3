import Effort
import Testing

@testable import Handover

/// How a worker shows which connections it has taken.
@Suite struct ReceiptsTests {
    private static func receipts(answered: UInt32, refused: UInt32 = 0) -> Receipts {
        Receipts(word: UInt64(refused) << 32 | UInt64(answered))
    }

    @Test("a new page shows that nothing was answered")
    func empty() {
        #expect(Receipts() == Receipts(word: 0))
        #expect(Receipts(word: 0).takenCount(from: 0, refusals: 0) == 0)
    }

    @Test("what was taken is counted from where the sender stands")
    func taken() {
        var receipts = Receipts()
        for _ in 0..<5 { receipts.take() }
        #expect(receipts.takenCount(from: 0, refusals: 0) == 5)
        #expect(receipts.takenCount(from: 3, refusals: 0) == 2)
        #expect(receipts.takenCount(from: 5, refusals: 0) == 0)
    }

    @Test("while the message of a refusal is on its way, nothing is known")
    func refused() {
        var receipts = Receipts()
        receipts.take()
        receipts.refuse()
        receipts.take()
        #expect(receipts.takenCount(from: 0, refusals: 0) == nil)
        // The message has come: number 0 was taken, 1 was not.
        #expect(receipts.takenCount(from: 2, refusals: 1) == 1)
    }

    @Test("numbers go round")
    func round() {
        #expect(Self.receipts(answered: 2).takenCount(from: .max - 1, refusals: 0) == 4)
        var receipts = Self.receipts(answered: .max, refused: .max)
        receipts.refuse()
        #expect(receipts == Receipts())
        #expect(receipts.takenCount(from: 0, refusals: 0) == 0)
    }

    @Test("a damaged page shows less than was answered, never a negative number", arguments: [1, 7, 0x7FFF_FFFF])
    func damaged(first: UInt32) {
        #expect(Self.receipts(answered: 0).takenCount(from: first, refusals: 0) == 0)
    }

    @Test("the word keeps both numbers")
    func word() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let word = generator.next()
            #expect(Receipts(word: word).word == word, "seed \(seed)")
        }
    }

    @Test("each of two workers has a word of its own")
    func places() {
        #expect(Set([Receipts.place(of: 4, for: 9), Receipts.place(of: 9, for: 4)]) == [0, 1])
        #expect(Receipts.words == 2)
    }
}
