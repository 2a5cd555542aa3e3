import Primitives
import StreamCore
import Testing

@Suite("addresses of a target (RFC 8305 §4, §5)")
struct AddressRaceTests {
    /// A plan that has just been given these addresses of its first target.
    private func raced(_ families: [AddressFamily], others: [String] = []) -> (PlanDialogue, [ConnectPlan.Effect]) {
        var plan = PlanDialogue(.fixed((["a"] + others).map { .example($0) }))
        _ = plan(.begin)
        let effects = plan(.addresses(families))
        return (plan, effects)
    }

    /// The addresses in the order in which a plan tries them when none answers.
    private func order(_ families: [AddressFamily]) -> [Int] {
        var (plan, effects) = raced(families)
        var order: [Int] = []
        while case .connect(_, let address) = effects.first {
            order.append(address)
            effects = plan.wake()
        }
        return order
    }

    @Test(
        "the families take turns, beginning with the resolver's first",
        arguments: [
            ("6", [0]), ("4", [0]), ("64", [0, 1]), ("46", [0, 1]), ("6644", [0, 2, 1, 3]), ("4466", [0, 2, 1, 3]),
            ("66644", [0, 3, 1, 4, 2]), ("64444", [0, 1, 2, 3, 4]), ("4644", [0, 1, 2, 3]), ("4446", [0, 3, 1, 2]),
            ("666", [0, 1, 2]),
        ])
    func interleaving(families: String, expected: [Int]) {
        #expect(order(families.map { $0 == "6" ? .ipv6 : .ipv4 }) == expected)
    }

    @Test(
        "whatever the families: each address at most once, the first first, eight at most, neighbours of two families")
    func interleavingOfAnything() {
        for length in 1...7 {
            for bits in 0..<(1 << length) {
                let families = (0..<length).map { bits >> $0 & 1 == 0 ? AddressFamily.ipv4 : .ipv6 }
                let order = order(families)
                #expect(order.sorted() == Array(0..<length))
                #expect(order.first == 0)
                // Within a family the resolver's order is kept.
                for family in [AddressFamily.ipv4, .ipv6] {
                    let own = order.filter { families[$0] == family }
                    #expect(own == own.sorted())
                }
                let rarer = min(families.count { $0 == .ipv4 }, families.count { $0 == .ipv6 })
                for place in 1..<max(2 * rarer, 1) {
                    #expect(families[order[place]] != families[order[place - 1]], "\(families)")
                }
            }
        }
    }

    @Test("a host with a thousand addresses: eight are tried, of both families")
    func manyAddresses() {
        let families = Array(repeating: AddressFamily.ipv6, count: 500) + Array(repeating: .ipv4, count: 500)
        #expect(order(families) == [0, 500, 1, 501, 2, 502, 3, 503])
    }

    @Test("the second attempt begins 250 ms after the first, beside it; the first that connects wins")
    func headStart() {
        var (plan, effects) = raced([.ipv6, .ipv4, .ipv6])
        #expect(effects == [.connect(attempt: 0, address: 0)])
        #expect(plan.pause == .milliseconds(250))
        plan.now += .milliseconds(249)
        #expect(plan(.wake) == [])
        plan.now += .milliseconds(1)
        #expect(plan(.wake) == [.connect(attempt: 1, address: 1)])
        #expect(plan.pause == .milliseconds(250))
        plan.now += .milliseconds(100)
        #expect(plan(.connected(attempt: 0)) == [.abandon(attempt: 1), .won(attempt: 0, .example("a"))])
        #expect(plan.pause == nil)
        #expect(plan(.wake) == [])
    }

    @Test("a failed attempt starts the next at once, and the head start counts from there")
    func failureStartsNext() {
        var (plan, _) = raced([.ipv6, .ipv4, .ipv6])
        plan.now += .milliseconds(10)
        #expect(plan(.failed(attempt: 0)) == [.connect(attempt: 1, address: 1)])
        #expect(plan.pause == .milliseconds(250))
        plan.now += .milliseconds(240)
        #expect(plan(.wake) == [])
        plan.now += .milliseconds(10)
        #expect(plan(.wake) == [.connect(attempt: 2, address: 2)])
        #expect(plan(.failed(attempt: 1)) == [])
        #expect(plan(.connected(attempt: 2)) == [.won(attempt: 2, .example("a"))])
    }

    @Test("an attempt that was not begun for want of something of our own is begun a head start later")
    func postponed() {
        var (plan, _) = raced([.ipv6, .ipv4, .ipv6])
        #expect(plan.wake() == [.connect(attempt: 1, address: 1)])
        #expect(plan(.postponed(attempt: 1)) == [])
        #expect(plan.pause == .milliseconds(250))
        #expect(plan(.failed(attempt: 1)) == [])
        #expect(plan.wake() == [.connect(attempt: 2, address: 1)])
        #expect(plan.wake() == [.connect(attempt: 3, address: 2)])
        #expect(
            plan(.connected(attempt: 2)) == [
                .abandon(attempt: 0), .abandon(attempt: 3), .won(attempt: 2, .example("a")),
            ])
    }

    @Test("it is begun at once when the attempts beside it have failed, and is used up when there is none beside it")
    func postponedBesideFailure() {
        var (plan, _) = raced([.ipv6, .ipv4])
        _ = plan.wake()
        #expect(plan(.postponed(attempt: 1)) == [])
        #expect(plan(.failed(attempt: 0)) == [.connect(attempt: 2, address: 1)])
        #expect(plan(.postponed(attempt: 2)) == [.exhausted(.unreachable)])
        var (lone, _) = raced([.ipv6, .ipv4])
        #expect(lone(.postponed(attempt: 0)) == [.connect(attempt: 1, address: 1)])
    }

    @Test("what waits for something of our own does not keep another target from its turn")
    func postponedBesideSilence() {
        var (plan, _) = raced([.ipv6, .ipv4], others: ["b"])
        _ = plan.wake()
        _ = plan(.postponed(attempt: 1))
        var attempt = 2
        // The silent address began 250 ms before the first try of the other.
        for _ in 0..<18 {
            #expect(plan.wake() == [.connect(attempt: attempt, address: 1)])
            #expect(plan(.postponed(attempt: attempt)) == [])
            attempt += 1
        }
        #expect(plan.wake() == [.abandon(attempt: 0), .lookUpAddresses(.example("b"))])
    }

    @Test("only the attempt that was begun last can be postponed")
    func postponedTooLate() {
        var (plan, _) = raced([.ipv6, .ipv4, .ipv6])
        _ = plan.wake()
        #expect(plan(.postponed(attempt: 0)) == [.connect(attempt: 2, address: 2)])
        #expect(plan(.postponed(attempt: 7)) == [])
    }

    @Test("all refused: the end at once, without waiting for anything")
    func allRefused() {
        var (plan, _) = raced([.ipv6, .ipv4])
        #expect(plan(.failed(attempt: 0)) == [.connect(attempt: 1, address: 1)])
        #expect(plan(.failed(attempt: 1)) == [.exhausted(.unreachable)])
        #expect(plan.pause == nil)
    }

    @Test("an address that never answers: the next target comes five seconds after the last start")
    func silence() {
        var (plan, _) = raced([.ipv6, .ipv4], others: ["b"])
        #expect(plan.wake() == [.connect(attempt: 1, address: 1)])
        #expect(plan.pause == .seconds(5))
        plan.now += .milliseconds(4999)
        #expect(plan(.wake) == [])
        plan.now += .milliseconds(1)
        #expect(
            plan(.wake) == [.abandon(attempt: 0), .abandon(attempt: 1), .lookUpAddresses(.example("b"))])
        #expect(plan.pause == nil)
        #expect(plan(.connected(attempt: 0)) == [])
        #expect(plan(.addresses([.ipv4])) == [.connect(attempt: 2, address: 0)])
    }

    @Test("the last target's attempts are left running: only they or the caller's deadline can end it")
    func silenceOfTheLast() {
        var (plan, _) = raced([.ipv4])
        #expect(plan.pause == nil)
        plan.now += .seconds(100)
        #expect(plan(.wake) == [])
        #expect(plan(.connected(attempt: 0)) == [.won(attempt: 0, .example("a"))])
    }

    @Test("a refusal while an earlier attempt is silent: it is waited for as long as from the last start")
    func refusalBesideSilence() {
        var (plan, _) = raced([.ipv6, .ipv4], others: ["b"])
        _ = plan.wake()
        plan.now += .seconds(1)
        #expect(plan(.failed(attempt: 1)) == [])
        #expect(plan.pause == .seconds(4))
        #expect(plan.wake() == [.abandon(attempt: 0), .lookUpAddresses(.example("b"))])
    }

    @Test("a wake that comes hours late starts one attempt, not all of them")
    func lateWake() {
        var (plan, _) = raced([.ipv6, .ipv4, .ipv6])
        plan.now += .seconds(10_000)
        #expect(plan(.wake) == [.connect(attempt: 1, address: 1)])
        #expect(plan.pause == .milliseconds(250))
    }

    @Test("answers for attempts that are none: unknown, abandoned, ended, doubled")
    func strangers() {
        var (plan, _) = raced([.ipv6, .ipv4, .ipv4])
        for attempt in [-1, 1, 7, Int.max, Int.min] {
            #expect(plan(.connected(attempt: attempt)) == [])
            #expect(plan(.failed(attempt: attempt)) == [])
        }
        #expect(plan(.failed(attempt: 0)) == [.connect(attempt: 1, address: 1)])
        #expect(plan(.failed(attempt: 0)) == [])
        #expect(plan(.connected(attempt: 0)) == [])
        #expect(plan(.connected(attempt: 1)) == [.won(attempt: 1, .example("a"))])
        #expect(plan(.connected(attempt: 1)) == [])
        #expect(plan(.failed(attempt: 1)) == [])
    }
}
