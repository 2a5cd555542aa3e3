import Bridge
import DialogueScripts

extension DialogueLine {
    /// Whether this says that a server cannot be reached.
    var isUnreachable: Bool { kind == "U" && plain == ["end", "upstream-unreachable"] }
}

extension DialogueScript {
    /// Whether its client names no version, and so is a legacy one (`T-10`).
    var isLegacy: Bool {
        guard let creation = lines.first(where: { $0.kind == "C" }) else { return false }
        return creation["ver"] == nil
    }

    /// The same script with a client that is not a legacy one.
    var modern: DialogueScript {
        guard isLegacy, let index = lines.firstIndex(where: { $0.kind == "C" }) else { return self }
        var script = self
        script.lines[index].words.append("ver=1.6")
        return script
    }

    /// Whether a legacy client learns of its end in another way than other clients.
    private var endsByStatus: Bool {
        let conditions: Set = ["bad-request", "policy-violation", "item-not-found"]
        return lines.contains { $0.kind == "S" && $0["condition"].map { conditions.contains($0) } ?? false }
    }

    /// The part that can be played with a real clock and with settings that have flags; nil when there is none.
    ///
    /// - Parameters:
    ///   - flags: the settings that the player sets.
    ///   - words: what only the core can be told.
    private func playablePart(flags: Set<String>, without words: Set<String>) -> DialogueScript? {
        var script = self
        script.lines = Array(
            lines.prefix { line in
                line.isExpectation || line.kind == "P"
                    || line.kind != "T" && words.isDisjoint(with: line.plain + line.values.map(\.key))
            })
        let isPlayable = script.lines.allSatisfy { line in
            line.kind != "P" || line.values.allSatisfy { flags.contains($0.key) }
        }
        // Scripts that end with the creation are played often enough elsewhere.
        let isShort = script.lines.count < lines.count && script.lines.filter { $0.kind == "C" }.count < 2
        return isPlayable && !isShort ? script : nil
    }

    /// What only the core can be told: a scripted server cannot do it, or not at a time of its own choice.
    private static let unplayable: Set<String> = {
        let ends: Set = [EndReason.upstreamUnreachable, .upstreamLost, .upstreamClosed, .upstreamStreamError]
        let others = EndReason.allCases.filter { $0.isOfUpstream && !ends.contains($0) }.map(\.rawValue)
        return Set(others + ["stall", "full", "overfull", "flow"])
    }()

    /// Every script of a door that can be played over sockets, by name.
    static func playable(of door: DialogueDoor) throws -> [DialogueScript] {
        let (flags, others): (Set<String>, Set<String>) =
            switch door {
            case .bosh: (["max-wait", "max-hold", "inactivity", "domains"], [])
            case .webSocket: (["domains"], ["stalled", "unread", "displace", "register"])
            case .polling: (["domains"], ["oversized", "displace", "register"])
            }
        return try all(of: door).compactMap { $0.playablePart(flags: flags, without: unplayable.union(others)) }
    }

    /// The playable scripts of BOSH that end differently for a legacy client.
    static func legacy() throws -> [DialogueScript] {
        try playable(of: .bosh).filter { $0.isLegacy && $0.endsByStatus }
    }
}
