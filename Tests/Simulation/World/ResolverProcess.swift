/// The names of a world, and the processes that look them up. The worker starts them; they may be slow, die or answer
/// nonsense.
final class Names {
    private let world: World
    private let plan: Plan
    fileprivate var chance: Chance
    var zone: Zone
    /// How many processes have died over a question, by its number.
    private var deaths: [UInt64: Int] = [:]

    init(_ plan: Plan, world: World) {
        self.world = world
        self.plan = plan
        chance = Chance(seed: UInt64(plan["zone"]) &+ 1)
        zone = Zone(plan, world.protection.tls)
        let children = world.kernel.children
        children.program = { [self] in _ = ResolverProcess($0, names: self, kernel: world.kernel) }
        children.refusal = { [self] in
            guard chance.below(1_000) < plan["nospawn"] else { return nil }
            world.judge.excuseLogins(from: world.kernel.now)
            return 11
        }
        children.wasShort = { world.judge.excuseLogins(from: world.kernel.now) }
        guard plan["moves"] > 0 else { return }
        world.kernel.after(.milliseconds(plan["moves"])) { [self] in
            zone.hasMoved = true
            // An old answer is believed until somebody has tried it in vain.
            world.judge.excuseLogins(from: world.kernel.now)
        }
    }

    /// What happens to a question.
    fileprivate enum Fate {
        case answered(Zone.Answer, lifetime: UInt32, after: Duration)
        case dies, hangs, talksNonsense
    }

    fileprivate func fate(of question: ResolverProcess.Question) -> Fate {
        world.tell("somebody looks up \(question.name)")
        if chance.below(1_000) < plan["childfaults"] {
            let fate = chance.one(of: [Fate.dies, .hangs, .talksNonsense])
            // A process that dies is replaced, and nobody is told unless the next one dies over the same name.
            deaths[question.number, default: 0] += 1
            if case .hangs = fate { world.judge.excuseLogins(from: world.kernel.now + .seconds(30)) }
            if deaths[question.number, default: 0] > 1 { world.judge.excuseLogins(from: world.kernel.now) }
            return fate
        }
        let time = chance.time(.microseconds(100)...(.milliseconds(max(plan["lookup"], 1))))
        let lifetime = UInt32(chance.one(of: [0, 5, 60, 3_600]))
        if chance.below(1_000) < plan["nonames"] {
            world.judge.excuseLogins(from: world.kernel.now + time)
            return .answered(.nothing(isTemporary: chance.once(in: 2)), lifetime: 0, after: time)
        }
        let answer = question.isService ? zone.services(question.name) : zone.addresses(question.name)
        return .answered(answer, lifetime: lifetime, after: time)
    }
}

/// A process that looks up names for the worker, one after the other.
private final class ResolverProcess {
    struct Question {
        let number: UInt64
        let isService: Bool
        let name: String
    }

    private let process: Children.Process
    private let names: Names
    private let kernel: Kernel
    private var bytes: [UInt8] = []

    init(_ process: Children.Process, names: Names, kernel: Kernel) {
        self.process = process
        self.names = names
        self.kernel = kernel
        process.wire.received = { [self] in receive($0) }
        process.wire.ended = { _ in process.end(status: 0) }
        // The others of whom a shared process could be busy have processes of their own here.
        if process.isShared { process.wire.send([0, 0, 0, 1, 0x81]) }
    }

    private func receive(_ received: [UInt8]) {
        bytes += received
        while bytes.count >= 4 {
            let length = Int(Self.number(bytes[..<4]))
            guard bytes.count >= 4 + length else { return }
            let payload = bytes[4..<4 + length]
            let question = Question(
                number: Self.number(payload.prefix(8)), isService: payload[12] == 1,
                name: String(decoding: payload.dropFirst(9), as: UTF8.self))
            bytes.removeFirst(4 + length)
            meet(question)
        }
    }

    private func meet(_ question: Question) {
        switch names.fate(of: question) {
        case .answered(let answer, let lifetime, let time):
            kernel.after(time) { [self] in reply(question, answer, lifetime) }
        case .dies:
            kernel.after(names.chance.time(.microseconds(1)...(.milliseconds(50)))) { [self] in process.end(status: 11)
            }
        case .hangs:
            // A shared process ends by itself; another one is ended by its worker.
            if process.isShared { kernel.after(.seconds(35)) { [self] in process.end(status: 14) } }
        case .talksNonsense:
            process.wire.send([0, 0, 0, 5, 1, 2, 3, 4, 5])
        }
    }

    private func reply(_ question: Question, _ answer: Zone.Answer, _ lifetime: UInt32) {
        guard process.status == nil else { return }
        var payload = Self.bytes(question.number)
        switch answer {
        case .addresses(let addresses):
            payload += [0] + Self.bytes(lifetime)
            for address in addresses {
                payload += [address.isIPv6 ? 6 : 4] + address.bytes + (address.isIPv6 ? [0, 0, 0, 0] : [])
            }
        case .services(let records):
            payload += [1] + Self.bytes(lifetime)
            for record in records {
                payload += Self.bytes(record.priority) + Self.bytes(record.weight) + Self.bytes(record.port)
                payload += [UInt8(record.target.utf8.count)] + Array(record.target.utf8)
            }
        case .nothing(let isTemporary):
            payload += [isTemporary ? 3 : 2] + Self.bytes(lifetime) + Array("nothing is known".utf8)
        }
        process.wire.send(Self.bytes(UInt32(payload.count)) + payload)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
