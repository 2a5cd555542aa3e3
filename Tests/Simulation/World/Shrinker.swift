/// Cuts a failing scenario down to a smaller one that still fails.
enum Shrinker {
    static func shrink(_ scenario: Scenario, seconds limit: Double) -> Scenario {
        var smallest = scenario
        let deadline = seconds() + limit
        var left: Double { deadline - seconds() }
        var hasShrunk = true
        let kind = World.play(scenario).failure.map(kind(of:))
        func fails(_ candidate: Scenario) -> Bool {
            left > 0 && World.play(candidate).failure.map(self.kind(of:)) == kind
        }
        while hasShrunk, left > 0 {
            hasShrunk = false
            // Removes runs of clients, then single ones, then faults; then lowers numbers to nothing and to half.
            var width = max(smallest.clients.count / 2, 1)
            while width > 0 {
                var start = 0
                while start < smallest.clients.count {
                    var candidate = smallest
                    candidate.clients.removeSubrange(start..<min(start + width, candidate.clients.count))
                    if fails(candidate) {
                        smallest = candidate
                        hasShrunk = true
                    } else {
                        start += width
                    }
                }
                width /= 2
            }
            for index in smallest.faults.indices.reversed() {
                var candidate = smallest
                candidate.faults.remove(at: index)
                if fails(candidate) {
                    smallest = candidate
                    hasShrunk = true
                }
            }
            for name in smallest.world.names where name != "seed" && name != "zone" {
                var candidate = smallest
                candidate.world[name] = 0
                if fails(candidate) {
                    smallest = candidate
                    hasShrunk = true
                }
            }
            for index in smallest.clients.indices {
                for name in smallest.clients[index].names where name != "seed" && name != "life" {
                    for value in [0, smallest.clients[index][name] / 2] where value != smallest.clients[index][name] {
                        var candidate = smallest
                        candidate.clients[index][name] = value
                        if fails(candidate) {
                            smallest = candidate
                            hasShrunk = true
                            break
                        }
                    }
                }
            }
        }
        return smallest
    }

    /// The kind of a failure, whoever it concerns: a failure of another kind on the way to the smallest scenario would
    /// mislead.
    private static func kind(of failure: String) -> String {
        failure.split(separator: ":").last.map { $0.filter { !$0.isNumber } } ?? ""
    }
}
