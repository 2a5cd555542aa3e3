/// The clients of a scenario that come over HTTP polling.
extension Scenario {
    /// Draws from its own numbers, so that worlds without such clients stay the same. What a client does over another
    /// door alone is without effect on one of these.
    mutating func drawPolling(_ drawn: Chance, isRough: Bool) {
        var chance = drawn
        guard chance.once(in: 5) else { return }
        world["pollgone"] = chance.one(of: [60, 120, 300])
        world["pollhold"] = chance.one(of: [0, 500, 500, 3_000])
        for index in clients.indices where clients[index]["socket"] == 0 && chance.once(in: 2) {
            var plan = clients[index]
            plan["httppoll"] = 1
            for name in ["streams", "closes", "faultstream", "breach", "gzip", "pipelines", "polling"] {
                plan[name] = 0
            }
            for name in ["pauses", "reloads", "ack", "keys"] { plan[name] = 0 }
            if chance.below(3) > 0 { plan["keys"] = chance.one(of: [1, 3, 50]) }
            plan["pollmax"] = chance.one(of: [1, 6, 12])
            plan["hello"] = chance.below(2)
            if chance.once(in: 3) { plan["split"] = chance.one(of: [100, 1_000]) }
            if chance.once(in: 3) { plan["strangers"] = chance.within(1...4) }
            if chance.once(in: 6) { plan["misdeed"] = chance.within(1...Misdeed.allCases.count) }
            if chance.once(in: 2) { plan["runs"] = 1 }
            if plan["sleeps"] > 0, plan["ending"] > 0 { plan["sleeps"] = 0 }
            if isRough, chance.once(in: 2) { plan["lost"] = chance.one(of: [30, 200]) }
            if isRough, chance.once(in: 3) { plan["cut"] = chance.one(of: [20, 200]) }
            // Without keys a repeat cannot be told from the next request.
            if plan["keys"] == 0 { for name in ["twice", "half", "proxied"] { plan[name] = 0 } }
            clients[index] = plan
        }
    }
}
