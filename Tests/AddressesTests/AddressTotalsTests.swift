import Effort
import Primitives
import Testing

@testable import Addresses

/// Limits by address over several workers.
@Suite struct AddressTotalsTests {
    private var now: MonotonicInstant { MonotonicInstant(nanoseconds: 1_000_000_000_000) }

    private func ledger(_ connections: Int, _ sessions: Int, _ logins: Int) -> AddressLedger {
        AddressLedger(
            limits: AddressLedger.Limits(
                connections: connections, sessions: sessions, logins: logins, creations: 100_000, bytes: 1_000_000,
                ipv6Prefix: 64), seed: 7)
    }

    /// The ledgers of several workers, with the words that each shows the others.
    private struct Machine {
        var ledgers: [AddressLedger]
        var shown: [[UInt64]]

        init(_ ledger: AddressLedger, workers: Int) {
            ledgers = [AddressLedger](repeating: ledger, count: workers)
            shown = [[UInt64]](repeating: [UInt64](repeating: 0, count: AddressBuckets.count), count: workers)
        }

        func elsewhere(_ worker: Int, _ address: IPAddress) -> AddressTotals {
            var totals = AddressTotals.none
            guard let bucket = ledgers[worker].bucket(of: address) else { return totals }
            for other in shown.indices where other != worker { totals += AddressTotals(word: shown[other][bucket]) }
            return totals
        }

        mutating func show(_ worker: Int) {
            while let (bucket, word) = ledgers[worker].takeChange() { shown[worker][bucket] = word }
        }
    }

    @Test("a word has all three numbers, and cuts those that are too large")
    func words() {
        for (connections, sessions, logins) in [(0, 0, 0), (1, 2, 3), (AddressTotals.most, 0, AddressTotals.most)] {
            let totals = AddressTotals(connections: connections, sessions: sessions, logins: logins)
            #expect(AddressTotals(word: totals.word) == totals)
        }
        let cut = AddressTotals(connections: .max, sessions: -1, logins: 1 << 20)
        let most = AddressTotals.most
        #expect(AddressTotals(word: cut.word) == AddressTotals(connections: most, sessions: 0, logins: most))
        #expect(AddressTotals(word: .max) == AddressTotals(connections: most, sessions: most, logins: most))
    }

    @Test(
        "address-connections, address-sessions, address-logins: they hold over all workers, exactly if each sees the others"
    )
    func exact() throws {
        let address = IPAddress.v4(0xC000_0201)
        var machine = Machine(ledger(7, 9, 5), workers: 3)
        var connections: [(Int, AddressLedger.Account)] = []
        for index in 0..<30 {
            let worker = index % 3
            let elsewhere = machine.elsewhere(worker, address)
            if let account = try? machine.ledgers[worker].openConnection(
                from: address, elsewhere: elsewhere, now: now)
            {
                connections.append((worker, account))
            }
            machine.show(worker)
        }
        #expect(connections.count == 7)
        var logins = 0
        for index in 0..<30 {
            let worker = index % 3
            do throws(AddressLedger.Refusal) {
                _ = try machine.ledgers[worker].openSession(
                    from: address, elsewhere: machine.elsewhere(worker, address), now: now)
                logins += 1
            } catch {
                #expect(error == .logins)
            }
            machine.show(worker)
        }
        #expect(logins == 5)
        for (worker, account) in connections { machine.ledgers[worker].closeConnection(of: account, now: now) }
        for worker in 0..<3 { machine.show(worker) }
        #expect(machine.elsewhere(0, address) == AddressTotals(connections: 0, sessions: 3, logins: 3))
    }

    @Test("what others in the bucket hold may be counted too, and nothing is ever left out")
    func error() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        var machine = Machine(ledger(1_000, 1_000, 1_000), workers: 2)
        var truth: [UInt32: Int] = [:]
        let clients = 2_000
        for _ in 0..<clients {
            let number = UInt32(truncatingIfNeeded: generator.next())
            guard (try? machine.ledgers[1].openConnection(from: .v4(number), now: now)) != nil else { continue }
            truth[number, default: 0] += 1
            machine.show(1)
        }
        var excess = 0
        for (number, count) in truth {
            let seen = machine.elsewhere(0, .v4(number)).connections
            #expect(seen >= count, "seed \(seed)")
            excess += seen - count
        }
        // On average an address shares its bucket with one of eight others; chance seldom makes it a quarter.
        #expect(excess < clients / 4, "seed \(seed)")
    }

    @Test("after any history, what a worker shows is what its addresses hold")
    func histories() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<Effort.cases(200, atLeast: 20) {
            var machine = Machine(ledger(5, 5, 3), workers: 1)
            let address = IPAddress.v4(UInt32(truncatingIfNeeded: generator.next()))
            var connections: [AddressLedger.Account] = []
            var sessions: [(account: AddressLedger.Account, hasLoggedIn: Bool)] = []
            for _ in 0..<60 {
                switch generator.below(5) {
                case 0:
                    if let new = try? machine.ledgers[0].openConnection(from: address, now: now) {
                        connections.append(new)
                    }
                case 1:
                    if let new = try? machine.ledgers[0].openSession(from: address, now: now) {
                        sessions.append((new, false))
                    }
                case 2:
                    guard let last = connections.popLast() else { continue }
                    machine.ledgers[0].closeConnection(of: last, now: now)
                case 3:
                    guard let last = sessions.popLast() else { continue }
                    machine.ledgers[0].closeSession(of: last.account, hasLoggedIn: last.hasLoggedIn, now: now)
                default:
                    guard let index = sessions.firstIndex(where: { !$0.hasLoggedIn }) else { continue }
                    sessions[index].hasLoggedIn = true
                    machine.ledgers[0].loggedIn(sessions[index].account)
                }
                machine.show(0)
                guard let bucket = machine.ledgers[0].bucket(of: address) else { continue }
                let shown = AddressTotals(word: machine.shown[0][bucket])
                let held = AddressTotals(
                    connections: connections.count, sessions: sessions.count,
                    logins: sessions.count { !$0.hasLoggedIn })
                #expect(shown == held, "seed \(seed)")
            }
        }
    }

    @Test("a worker on its own shows nothing, and neither does one for clients without limits")
    func alone() throws {
        let limits = AddressLedger.Limits(
            connections: 1, sessions: 1, logins: 1, creations: 60, bytes: 1_000, ipv6Prefix: 64)
        var alone = AddressLedger(limits: limits)
        _ = try alone.openConnection(from: .v4(1), now: now)
        #expect(alone.bucket(of: .v4(1)) == nil)
        #expect(alone.takeChange() == nil)
        var shared = AddressLedger(limits: limits, seed: 1)
        _ = try shared.openConnection(from: nil, now: now)
        #expect(shared.bucket(of: nil) == nil)
        #expect(shared.takeChange() == nil)
    }
}
