import BOSHCore
import Testing

/// The account adds up differences, and leaves a state somewhat below its mark.
@Suite struct ByteAccountTests {
    @Test("memory-limit: what is settled twice counts once, and goes as it came")
    func settles() {
        var account = ByteAccount(limit: 1_000)
        var charged: UInt32 = 0
        account.settle(.bodies, 300, charged: &charged)
        account.settle(.bodies, 300, charged: &charged)
        #expect(account.total == 300 && account.held(.bodies) == 300 && account.held(.replays) == 0)
        account.settle(.bodies, 100, charged: &charged)
        #expect(account.total == 100 && charged == 100)
        account.settle(.bodies, 0, charged: &charged)
        #expect(account.total == 0 && account.held(.bodies) == 0)
    }

    @Test("memory-limit: the marks, up and down")
    func marks() {
        var account = ByteAccount(limit: 1_000)
        var charged: UInt32 = 0
        let pressures = [700, 701, 601, 600, 900, 901, 801, 800, 601, 600].map { bytes in
            account.settle(.stanzas, bytes, charged: &charged)
            return account.pressure
        }
        #expect(pressures == [.none, .high, .high, .none, .high, .full, .full, .high, .high, .none])
    }

    @Test("memory-limit: from nothing to beyond everything and back at once")
    func leaps() {
        var account = ByteAccount(limit: 1_000)
        var charged: UInt32 = 0
        account.settle(.upstream, .max, charged: &charged)
        #expect(account.pressure == .full && account.total == Int(UInt32.max))
        account.settle(.upstream, -5, charged: &charged)
        #expect(account.pressure == .none && account.total == 0)
    }
}
