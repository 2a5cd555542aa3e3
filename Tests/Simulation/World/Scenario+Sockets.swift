/// The clients of a scenario that come over WebSocket.
extension Scenario {
    /// Draws from its own numbers, so that worlds without such clients stay the same. What a client does over BOSH alone
    /// is without effect on one of these.
    mutating func drawSockets(_ drawn: Chance, isRough: Bool, span: Int) {
        var chance = drawn
        guard chance.once(in: 4) else { return }
        for index in clients.indices where !chance.once(in: 3) {
            var plan = clients[index]
            plan["socket"] = 1
            for name in ["ending", "streams", "closes", "faultstream", "proxied", "breach"] { plan[name] = 0 }
            plan["departure"] = chance.below(isRough ? WebSocketClient.Departure.allCases.count : 5)
            if chance.once(in: 3) { plan["fragments"] = chance.one(of: [100, 1_000]) }
            if chance.once(in: 3) { plan["pings"] = chance.one(of: [100, 1_000]) }
            if chance.once(in: 3) { plan["hello"] = 1 }
            if chance.once(in: 4) { plan["preface"] = chance.within(1...3) }
            plan["cut"] = chance.one(of: [0, 0, 20, 300])
            if chance.once(in: 4) { plan["stall"] = chance.one(of: [3_000, 10_000, 90_000]) }
            if chance.once(in: 4) {
                plan["managed"] = 1
                plan["cuts"] = chance.below(4)
            }
            if chance.once(in: 6) { plan["offence"] = chance.within(1...Offence.allCases.count) }
            // A long message is read in steps.
            if chance.once(in: 8) { plan["large"] = 300_000 }
            if chance.once(in: 2) {
                // The end comes in the middle of a conversation.
                (plan["up"], plan["down"], plan["pace"]) = (chance.below(40), 40, chance.one(of: [20, 100, 300]))
                plan["life"] = chance.within(1...5)
            }
            clients[index] = plan
        }
        guard isRough, chance.once(in: 8) else { return }
        // A connection that cannot become a WebSocket for want of a descriptor.
        var fault = Plan("call")
        fault["at"] = chance.below(span + 10_000)
        (fault["call"], fault["errno"], fault["times"]) = (7, 24, chance.within(1...3))
        faults.append(fault)
    }
}
