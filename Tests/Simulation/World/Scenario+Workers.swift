import Settings

/// The workers of a scenario, and what befalls them.
extension Scenario {
    /// Draws from its own numbers, so that other draws stay the same.
    mutating func drawWorkers(_ drawn: Chance, isRough: Bool, span: Int) {
        var chance = drawn
        guard chance.once(in: 4) else { return }
        world["workers"] = chance.within(2...3)
        // A little room in the mailboxes, mailboxes that are full at times, and counts that the others see late.
        if chance.once(in: 2) { world["mailbox"] = chance.one(of: [300, 5_000]) }
        if chance.once(in: 3) { world["mailfull"] = chance.one(of: [20, 300]) }
        if chance.once(in: 3) { world["stale"] = chance.one(of: [200, 5_000]) }
        for _ in 0..<chance.below(3) {
            var stranger = Plan("stranger")
            stranger["at"] = chance.below(span)
            stranger["act"] = Stranger.pair
            stranger["delay"] = chance.one(of: [1, 50])
            faults.append(stranger)
        }
        guard isRough else { return }
        if chance.once(in: 4) { world["toomany"] = chance.one(of: [20, 300]) }
        for _ in 0..<chance.below(4) {
            var fault = Plan("kill")
            fault["at"] = chance.below(span + 10_000)
            fault["which"] = chance.below(3)
            if chance.once(in: 2) {
                fault["calls"] = chance.within(1...100)
            } else {
                fault["messages"] = chance.within(1...10)
            }
            fault["back"] = chance.one(of: [1, 1_000, 10_000])
            faults.append(fault)
        }
        // Another generation, at most some at once; what follows was drawn last, so that other draws stay the same.
        for _ in 0..<(chance.once(in: 2) ? chance.within(1...3) : 0) {
            var fault = Plan("renew")
            fault["at"] = chance.below(span + 10_000)
            fault["workers"] = chance.within(1...3)
            faults.append(fault)
        }
        drawSupervision(&chance, span: span)
    }

    /// Draws what befalls the supervisor, and how long old generations live.
    private mutating func drawSupervision(_ chance: inout Chance, span: Int) {
        for kind in ["upgrade", "orphan"] {
            for _ in 0..<(chance.once(in: 3) ? chance.within(1...2) : 0) {
                var fault = Plan(kind)
                fault["at"] = chance.below(span + 10_000)
                fault["gap"] = chance.one(of: [1, 100, 5_000, 30_000])
                if kind == "upgrade" {
                    fault["workers"] = chance.within(1...3)
                    fault["probe"] = chance.one(of: [1, 100, 2_000])
                } else if chance.once(in: 2) {
                    fault["messages"] = chance.within(1...30)
                }
                faults.append(fault)
            }
        }
        if chance.once(in: 4) {
            settings.append(
                SettingEntry("generations", "\(chance.within(1...3))", origin: .environment))
        }
        if chance.once(in: 4) {
            settings.append(SettingEntry("linger", "\(chance.one(of: [0, 1, 30]))", origin: .environment))
        }
        // Some workers die while they answer the next supervisor.
        for index in faults.indices where faults[index].kind == "orphan" && chance.once(in: 2) {
            faults[index]["dies"] = chance.within(1...8)
        }
    }
}
