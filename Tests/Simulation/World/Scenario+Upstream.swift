/// How the servers of a scenario are found, protected and compressed.
extension Scenario {
    /// Draws from its own numbers, so that other draws stay the same.
    mutating func drawUpstream(_ seed: Int, isRough: Bool, span: Int) {
        var chance = Chance(seed: UInt64(seed) &+ 1 << 40)
        if chance.once(in: 24) { drawTLS(&chance, isRough: isRough, span: span) }
        if chance.once(in: 12) { world["compresses"] = 1 }
        if chance.once(in: 8) { drawNames(&chance, isRough: isRough, span: span) }
        guard isRough, world["tls"] + world["compresses"] > 0 else { return }
        for index in clients.indices where chance.once(in: 6) {
            clients[index]["linefault"] = chance.within(1...6)
            clients[index]["lineat"] = chance.below(clients[index]["life"] * 1_000 + 2_000)
        }
    }

    private mutating func drawTLS(_ chance: inout Chance, isRough: Bool, span: Int) {
        world["tls"] = chance.within(1...2)
        if chance.once(in: 4) { world["oldtls"] = 1 }
        if chance.once(in: 3) { world["rekeys"] = chance.one(of: [20, 300]) }
        if chance.once(in: 8) { world["piece"] = chance.one(of: [7, 100, 1_000]) }
        guard isRough else { return }
        if chance.once(in: 2) { world["cuts"] = chance.one(of: [50, 300]) }
        if chance.once(in: 3) { world["wrong"] = chance.one(of: [50, 300, 1_000]) }
        if chance.once(in: 3) { world["refusals"] = chance.one(of: [50, 300, 1_000]) }
        guard chance.once(in: 4) else { return }
        // Somebody sets the clock to another year.
        var fault = Plan("clock")
        fault["at"] = chance.below(span + 10_000)
        fault["by"] = chance.one(of: [-1, 1]) * 40_000_000
        faults.append(fault)
    }

    private mutating func drawNames(_ chance: inout Chance, isRough: Bool, span: Int) {
        world["names"] = chance.within(1...3)
        world["zone"] = chance.below(1_000_000_000)
        world["lookup"] = chance.one(of: [1, 50, 1_000])
        if chance.once(in: 2) { world["ipv6"] = 1 }
        guard isRough else { return }
        if chance.once(in: 3) { world["childfaults"] = chance.one(of: [50, 300]) }
        if chance.once(in: 4) { world["nonames"] = chance.one(of: [100, 1_000]) }
        if chance.once(in: 6) { world["nospawn"] = chance.one(of: [300, 1_000]) }
        if chance.once(in: 4) { world["moves"] = chance.below(span + 10_000) + 1 }
    }
}
