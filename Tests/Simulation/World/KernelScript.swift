/// A random sequence of system calls over a few descriptors, which the model and the real kernel both play.
///
/// A step is a line: the call, and the slots with its descriptors. A step whose slot is empty does nothing, so a script
/// stays valid when lines are left out.
struct KernelScript: CustomStringConvertible {
    static let slots = 8
    var steps: [Plan] = []

    var description: String { steps.map(\.description).joined(separator: "\n") }

    /// The content of a slot, as far as the writer of a script can tell.
    private enum Holding {
        case nothing, fresh, bound, listening, connection
    }

    init(seed: Int) {
        var chance = Chance(seed: UInt64(seed))
        var held = [Holding](repeating: .nothing, count: Self.slots)
        // Few scripts wait for the timers of a kernel with tiny buffers or a full queue.
        let isTight = chance.once(in: 8)
        func slot(_ wanted: Holding) -> Int? {
            let found = held.indices.filter { held[$0] == wanted }
            return found.isEmpty ? nil : chance.one(of: found)
        }
        func add(_ kind: String, _ slot: Int, _ numbers: [(String, Int)] = []) {
            var step = Plan(kind)
            step["slot"] = slot
            for (name, value) in numbers { step[name] = value }
            steps.append(step)
        }
        func open() {
            guard let free = slot(.nothing) else { return }
            add("socket", free)
            held[free] = .fresh
            if isTight, chance.once(in: 2) {
                add(chance.once(in: 2) ? "sndbuf" : "rcvbuf", free, [("size", chance.one(of: [1, 5_000, 20_000]))])
            }
        }
        func listen(_ slot: Int) {
            add("listen", slot, [("backlog", isTight ? chance.below(3) : 16)])
            held[slot] = .listening
        }
        for _ in 0..<chance.within(1...2) {
            open()
            guard let first = slot(.fresh) else { continue }
            add("bind", first)
            listen(first)
        }
        for _ in 0..<chance.within(10...60) {
            let roll = chance.below(100)
            let any = chance.below(Self.slots)
            switch roll {
            case 0..<5: open()
            case 5..<20:
                open()
                guard let fresh = slot(.fresh) else { continue }
                let target = chance.once(in: 8) ? chance.below(Self.slots) : slot(.listening) ?? any
                add("connect", fresh, [("to", target)])
                held[fresh] = .connection
                if chance.once(in: 2), let free = slot(.nothing) {
                    add("accept", target, [("into", free)])
                    held[free] = .connection
                }
            case 20..<25:
                guard let free = slot(.nothing), let door = slot(.listening) else { continue }
                add("accept", chance.once(in: 8) ? any : door, [("into", free)])
                held[free] = .connection
            case 25..<40:
                guard let end = slot(.connection) else { continue }
                let size = chance.one(of: [1, 100, 5_000, 70_000, isTight ? 6_000_000 : 300_000])
                add("send", end, [("size", size)])
            case 40..<53:
                guard let end = slot(.connection) else { continue }
                add("recv", end, [("size", chance.one(of: [1, 50, 16_384, 1_000_000]))])
            case 53..<59:
                guard let end = slot(.connection) else { continue }
                add("shutdown", end)
            case 59..<62: add(chance.one(of: ["send", "recv", "shutdown"]), any, [("size", 10)])
            case 62..<66:
                guard let end = slot(.connection) else { continue }
                add("close", end)
                held[end] = .nothing
            case 66..<70:
                guard let end = slot(.connection) else { continue }
                add("reset", end)
                held[end] = .nothing
            case 70..<71:
                add("close", any)
                held[any] = .nothing
            case 71..<73: add(chance.one(of: ["nodelay", "lowat", "keepalive"]), any)
            case 73..<77: add("error", any)
            case 77..<80: add(chance.once(in: 2) ? "unread" : "unacked", any)
            case 80..<88:
                let open = held.indices.filter { held[$0] != .nothing }
                let watched = open.isEmpty ? any : chance.one(of: open)
                for _ in 0..<chance.within(1...3) {
                    add(chance.one(of: ["add", "add", "mod", "del"]), watched, [("interest", chance.below(6))])
                }
            case 88..<96: add("wait", 0, [("count", chance.once(in: 4) ? 1 : 64)])
            case 96..<97: add("listen", any, [("backlog", 4)])
            case 97..<98: add("bind", any, chance.once(in: 2) ? [] : [("to", chance.below(Self.slots) + 1)])
            default: add(chance.one(of: ["signals", "raise", "read", "null"]), any)
            }
        }
    }

    init(steps: [Plan]) { self.steps = steps }
}
