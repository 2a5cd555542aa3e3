/// The order in which the targets of a domain are tried (RFC 2782, XEP-0368 §2).
enum TargetOrder {
    /// Sorts targets by priority. Within a priority it draws them by chance, in proportion to their weights. If no
    /// target of a priority has a weight, the given order is kept, so that a plain list means "in this order". Targets
    /// that lead to the same place are listed once. `most`: how many targets are wanted.
    static func order(
        _ targets: [UpstreamTarget], most: Int = .max, using chance: inout ChanceSource
    ) -> [UpstreamTarget] {
        var ordered: [UpstreamTarget] = []
        var remaining = distinct(byPriority(targets))[...]
        while let first = remaining.first, ordered.count < most {
            let group = remaining.prefix { $0.priority == first.priority }
            remaining = remaining.dropFirst(group.count)
            ordered += drawn(from: Array(group), most: most - ordered.count, using: &chance)
        }
        return ordered
    }

    private static func byPriority(_ targets: [UpstreamTarget]) -> [UpstreamTarget] {
        // The standard library's sort does not promise to keep equal elements in their order.
        targets.enumerated()
            .sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }
            .map(\.element)
    }

    private static func distinct(_ targets: [UpstreamTarget]) -> [UpstreamTarget] {
        var places: Set<Place> = []
        return targets.filter { places.insert(Place($0)).inserted }
    }

    /// Draws from targets of one priority as RFC 2782 says, one after the other.
    private static func drawn(
        from group: [UpstreamTarget], most: Int, using chance: inout ChanceSource
    ) -> [UpstreamTarget] {
        // Targets without a weight stand first, where a draw of zero selects them: so they keep a small chance (RFC
        // 2782).
        var waiting = group.filter { $0.weight == 0 } + group.filter { $0.weight > 0 }
        var total = waiting.reduce(into: UInt64(0)) { $0 += UInt64($1.weight) }
        var drawn: [UpstreamTarget] = []
        while let first = waiting.first, drawn.count < most {
            // Zero selects only targets without a weight. If there are none, a draw of zero would favour the first
            // target.
            let lowest: UInt64 = first.weight == 0 || total == 0 ? 0 : 1
            var rest = UInt64.random(in: lowest...total, using: &chance)
            var chosen = 0
            for (index, target) in waiting.enumerated() {
                chosen = index
                guard UInt64(target.weight) < rest else { break }
                rest -= UInt64(target.weight)
            }
            let target = waiting.remove(at: chosen)
            total -= UInt64(target.weight)
            drawn.append(target)
        }
        return drawn
    }

    /// The place that a target leads to, whatever its priority and weight.
    private struct Place: Hashable {
        let host: String
        let port: UInt16
        let tls: TLSMode

        init(_ target: UpstreamTarget) {
            host = target.host.lowercased()
            port = target.port
            tls = target.tls
        }
    }
}

/// Random numbers derived from a seed (SplitMix64). They are good enough to spread connections, but not to keep a
/// secret.
struct ChanceSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates the source of the numbers that follow from `seed`.
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
