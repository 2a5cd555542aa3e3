import Settings

/// The description of a world, in lines that can be read, cut down and kept.
struct Scenario: CustomStringConvertible {
    var world = Plan("world")
    var clients: [Plan] = []
    var faults: [Plan] = []
    var settings: [SettingEntry] = []

    /// The scenario that a seed stands for.
    init(seed: Int) {
        // The sequences of successive seeds would be one shifted sequence, so the seeds are spread far apart.
        var chance = Chance(seed: UInt64(seed) &* 0xD134_2543_DE82_EF95)
        world["seed"] = seed
        let isRough = chance.once(in: 2)
        if isRough, chance.once(in: 6) { world["descriptors"] = chance.within(60...120) }
        if isRough, chance.once(in: 8) { world["refuses"] = chance.one(of: [30, 300, 1_000]) }
        let span = chance.one(of: [1_000, 20_000, 120_000])
        for _ in 0..<chance.within(1...40) {
            clients.append(Self.client(&chance, isRough: isRough, span: span))
        }
        for _ in 0..<(chance.once(in: 3) ? chance.within(1...4) : 0) {
            var stranger = Plan("stranger")
            stranger["at"] = chance.below(span + 10_000)
            stranger["act"] = chance.below(Stranger.acts.count)
            stranger["delay"] = chance.one(of: [1, 50])
            if chance.once(in: 4) { stranger["piece"] = chance.one(of: [1, 30]) }
            faults.append(stranger)
        }
        if chance.once(in: 6) { world["openslow"] = chance.one(of: [100, 3_000]) }
        if chance.once(in: 6) { world["redirects"] = chance.one(of: [200, 1_000]) }
        if chance.once(in: 6) {
            world["oversized"] = chance.one(of: [30, 300])
            for (name, value) in [("max-stanza", 10_000), ("stanza-depth", 20), ("stanza-attributes", 20)] {
                settings.append(SettingEntry(name, "\(value)", origin: .environment))
            }
        }
        if isRough, chance.once(in: 8) {
            var restart = Plan("restart")
            restart["at"] = chance.below(span + 10_000)
            restart["for"] = chance.one(of: [1, 1_000, 20_000])
            faults.append(restart)
        }
        if chance.once(in: 5) { addProxy(&chance, isRough: isRough) }
        drawUpstream(seed, isRough: isRough, span: span)
        machine(Chance(seed: UInt64(seed) | 1 << 40), span: span)
        drawWorkers(Chance(seed: UInt64(seed) | 1 << 41), isRough: isRough, span: span)
        defer {
            drawSockets(Chance(seed: UInt64(seed) | 1 << 42), isRough: isRough, span: span)
            drawPolling(Chance(seed: UInt64(seed) | 1 << 43), isRough: isRough)
        }
        guard isRough else { return }
        if chance.once(in: 4) {
            let size = chance.one(of: ["16 KiB", "64 KiB", "256 KiB"])
            settings.append(SettingEntry("session-buffer", size, origin: .environment))
        }
        for _ in 0..<chance.below(4) {
            var fault = Plan(chance.one(of: ["clock", "call", "call", "call", "burst"]))
            fault["at"] = chance.below(span + 10_000)
            if fault.kind == "burst" {
                fault["count"] = chance.within(1...200)
                fault["delay"] = chance.one(of: [1, 50])
            } else if fault.kind == "clock" {
                fault["by"] = chance.within(-100_000...100_000)
            } else {
                fault["call"] = chance.below(7)
                fault["errno"] = Self.errno(of: fault["call"], &chance)
                fault["times"] = chance.within(1...4)
            }
            faults.append(fault)
        }
    }

    /// Draws what any machine may do: take or give less than it could in a call, and have little room for waiting
    /// connections. Draws also its operator, who reads the admin pages and sends signals.
    private mutating func machine(_ drawn: Chance, span: Int) {
        var chance = drawn
        world["short"] = chance.one(of: [0, 0, 0, 20, 200])
        if chance.once(in: 8) { world["backlog"] = chance.within(1...4) }
        for _ in 0..<(chance.once(in: 4) ? chance.within(1...4) : 0) {
            var visit = Plan(chance.one(of: ["operator", "operator", "signal"]))
            visit["at"] = chance.below(span + 10_000)
            if visit.kind == "signal" { visit["signal"] = chance.below(3) }
            if visit.kind == "operator" {
                visit["act"] = chance.below(Stranger.operatorActs.count)
                visit["delay"] = chance.one(of: [1, 50])
            }
            faults.append(visit)
        }
    }

    private static func client(_ chance: inout Chance, isRough: Bool, span: Int) -> Plan {
        var plan = Plan("client")
        plan["seed"] = chance.below(1_000_000_000)
        plan["at"] = chance.below(span)
        plan["hold"] = chance.within(1...3)
        plan["wait"] = chance.within(5...60)
        plan["up"] = chance.below(8)
        plan["down"] = chance.below(8)
        plan["pace"] = chance.one(of: [5, 300, 5_000])
        plan["life"] = chance.one(of: [1, 3, 10, 40])
        plan["ack"] = chance.below(2)
        plan["delay"] = chance.one(of: [1, 5, 50, 400])
        plan["large"] = plan["seed"] % 16 == 0 ? 100_000 : chance.one(of: [0, 0, 2_000])
        guard isRough else {
            if chance.once(in: 3) { addHabits(to: &plan, &chance) }
            return plan
        }
        if chance.once(in: 3) { plan["ending"] = chance.within(1...2) }
        if plan["ending"] > 0 {
            // The failure comes in the middle of a conversation.
            (plan["up"], plan["down"], plan["pace"]) = (chance.below(40), 40, chance.one(of: [20, 100, 300]))
            plan["life"] = chance.within(1...3)
        }
        if chance.once(in: 3) { plan["lost"] = chance.one(of: [30, 200]) }
        if chance.once(in: 4) { plan["twice"] = chance.one(of: [10, 100]) }
        if chance.once(in: 4) { plan["half"] = chance.one(of: [10, 300]) }
        if chance.once(in: 16) { plan["piece"] = chance.one(of: [1, 30, 300]) }
        if chance.once(in: 8) { plan["slow"] = chance.one(of: [100, 2_000]) }
        if chance.once(in: 8) { plan["pipelines"] = 1 }
        if chance.once(in: 8) { plan["serverslow"] = chance.one(of: [100, 1_000, 10_000]) }
        if chance.once(in: 4) {
            plan["fault"] = chance.within(1...XMPPServer.Fault.allCases.count)
            plan["faultat"] = chance.below(plan["life"] * 1_000 + 2_000)
        }
        if chance.once(in: 8) {
            // More than the session keeps, and the client is slow to fetch it.
            plan["bulk"] = chance.one(of: [1_000, 8_000])
            plan["thinks"] = chance.one(of: [0, 500, 5_000])
            plan["down"] = 60
            // Byte by byte this would be most of the work of all worlds.
            if plan["piece"] > 0 { plan["piece"] = 300 }
            if plan["slow"] > 0 { plan["slow"] = 2_000 }
            if chance.once(in: 2) { plan["pace"] = 5 }
        }
        if chance.once(in: 3) { addHabits(to: &plan, &chance) }
        return plan
    }

    /// Puts a proxy in front of the worker, for many of the clients.
    private mutating func addProxy(_ chance: inout Chance, isRough: Bool) {
        var proxy = Plan("proxy")
        proxy["seed"] = chance.below(1_000_000_000)
        proxy["aborts"] = chance.below(2)
        proxy["retries"] = proxy["seed"] % 3 == 0 ? 1 : 0
        proxy["patience"] = isRough ? chance.one(of: [15, 70]) : 300
        faults.append(proxy)
        for index in clients.indices where clients[index]["slow"] == 0 && chance.below(3) > 0 {
            clients[index]["proxied"] = 1
        }
    }

    /// What only some clients do, and what all may do.
    private static func addHabits(to plan: inout Plan, _ chance: inout Chance) {
        if chance.once(in: 3) { plan["keys"] = chance.one(of: [1, 3, 50]) }
        if chance.once(in: 3) { plan["pauses"] = chance.within(1...3) }
        if plan["ending"] == 0, chance.once(in: 3) {
            plan["streams"] = chance.within(1...2)
            plan["closes"] = chance.below(2)
            plan["faultstream"] = chance.below(2)
        }
        if chance.once(in: 3) {
            plan["reloads"] = chance.within(1...3)
            plan["reload"] = chance.below(2)
        }
        if chance.once(in: 6) { plan["polling"] = chance.within(1...2) }
        if chance.once(in: 4) { plan["spread"] = chance.within(2...10) }
        if chance.once(in: 4) { plan["http"] = chance.within(1...3) }
        if chance.once(in: 4) { plan["chunked"] = 1 }
        if chance.once(in: 8) { plan["header"] = chance.within(1...2) }
        if chance.once(in: 8) { plan["gzip"] = chance.within(1...3) }
        if chance.once(in: 4) { plan["cut"] = chance.one(of: [20, 200]) }
        if chance.once(in: 4) { plan["managed"] = 1 }
        if chance.once(in: 8) { plan["flood"] = chance.one(of: [20, 1_000, 5_000]) }
        if plan["ending"] + plan["streams"] + plan["pauses"] + plan["reloads"] == 0, chance.once(in: 4) {
            plan["sleeps"] = 1
        }
        if plan["managed"] > 0 { plan["streams"] = 0 }
        if plan["ending"] == 0, chance.once(in: 4) { plan["breach"] = chance.within(1...Breach.allCases.count) }
    }

    private static func errno(of call: Int, _ chance: inout Chance) -> Int {
        switch call {
        case 0: chance.one(of: [24, 23, 12, 105, 103])
        case 1: chance.one(of: [24, 23, 105, 12])
        case 2: chance.one(of: [99, 101, 111, 12])
        case 3: chance.one(of: [12, 28])
        case 4: chance.one(of: [32, 104, 105])
        case 5: chance.one(of: [104, 110, 12])
        default: 24
        }
    }

    /// Reads what `description` has written; nil when a line is invalid.
    init?(text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") && !line.isEmpty {
            if line.hasPrefix("set ") {
                let words = line.dropFirst(4).split(separator: "=", maxSplits: 1)
                guard words.count == 2 else { return nil }
                settings.append(SettingEntry(String(words[0]), String(words[1]), origin: .environment))
                continue
            }
            guard let plan = Plan(line: line) else { return nil }
            switch plan.kind {
            case "world": world = plan
            case "client": clients.append(plan)
            default: faults.append(plan)
            }
        }
    }

    var description: String {
        let set = settings.map { "set \($0.name)=\($0.value)" }
        return ([world.description] + set + clients.map(\.description) + faults.map(\.description))
            .joined(separator: "\n") + "\n"
    }
}
