import Effort
import Primitives
import Testing

@testable import Addresses

/// Limits on what each client address may have.
@Suite struct AddressLedgerTests {
    private static let limits = AddressLedger.Limits(
        connections: 3, sessions: 4, logins: 2, creations: 60, bytes: 1_000, ipv6Prefix: 64)
    private var one: IPAddress { .v4(0xC000_0201) }
    private var other: IPAddress { .v4(0xC000_0202) }
    private var ledger: AddressLedger { AddressLedger(limits: Self.limits) }
    private var now: MonotonicInstant { MonotonicInstant(nanoseconds: 1_000_000_000_000) }

    /// How often an act succeeds before it is refused, and the reason of the refusal.
    private func count(
        _ act: () throws(AddressLedger.Refusal) -> AddressLedger.Account
    ) -> (Int, AddressLedger.Refusal?) {
        for count in 0..<2_000 {
            do throws(AddressLedger.Refusal) {
                _ = try act()
            } catch {
                return (count, error)
            }
        }
        return (2_000, nil)
    }

    @Test("address-memory: a body that a proxy passes on counts for whom it names, as long as it lasts")
    func bodies() throws {
        var ledger = ledger
        let first = ledger.openBody(from: one, now: now)
        let second = ledger.openBody(from: other, now: now)
        ledger.note(1_000, of: first)
        #expect(ledger.isFull(first))
        #expect(!ledger.isFull(second))
        ledger.note(-1_000, of: first)
        #expect(ledger.count == 2, "both bodies are there still")
        ledger.closeBody(of: first, now: now)
        ledger.closeBody(of: second, now: now)
        #expect(ledger.count == 0)
        #expect(!ledger.openBody(from: nil, now: now).isLimited)
    }

    @Test("address-connections: of one address; another has its own")
    func connections() throws {
        var ledger = ledger
        let now = now
        let one = one
        var accounts: [AddressLedger.Account] = []
        let result = count { () throws(AddressLedger.Refusal) in
            accounts.append(try ledger.openConnection(from: one, now: now))
            return accounts[0]
        }
        #expect(result == (3, .connections))
        _ = try ledger.openConnection(from: other, now: now)
        ledger.closeConnection(of: accounts[0], now: now)
        _ = try ledger.openConnection(from: one, now: now)
        #expect(throws: AddressLedger.Refusal.connections) { try ledger.openConnection(from: one, now: now) }
    }

    @Test("a connection that another worker has admitted counts, also beyond the limit")
    func takenConnections() throws {
        var ledger = ledger
        let taken = (0..<4).map { _ in ledger.takeConnection(from: one, now: now) }
        for account in taken.prefix(2) {
            #expect(throws: AddressLedger.Refusal.connections) { try ledger.openConnection(from: one, now: now) }
            ledger.closeConnection(of: account, now: now)
        }
        _ = try ledger.openConnection(from: one, now: now)
        #expect(ledger.takeConnection(from: nil, now: now) == .unlimited)
    }

    @Test("address-logins, address-sessions: whoever logs in makes room for the next login, not for the next session")
    func sessions() throws {
        var ledger = ledger
        let first = try ledger.openSession(from: one, now: now)
        let second = try ledger.openSession(from: one, now: now)
        #expect(throws: AddressLedger.Refusal.logins) { try ledger.openSession(from: one, now: now) }
        ledger.loggedIn(first)
        ledger.loggedIn(second)
        let third = try ledger.openSession(from: one, now: now)
        ledger.loggedIn(third)
        _ = try ledger.openSession(from: one, now: now)
        #expect(throws: AddressLedger.Refusal.sessions) { try ledger.openSession(from: one, now: now) }
        ledger.closeSession(of: third, hasLoggedIn: true, now: now)
        _ = try ledger.openSession(from: one, now: now)
    }

    @Test(
        "address-creations: a minute's worth at once, then one for each that the minute brings; what is refused is free"
    )
    func creations() throws {
        var ledger = AddressLedger(
            limits: AddressLedger.Limits(
                connections: 1, sessions: 2_000, logins: 2_000, creations: 1_200, bytes: 1, ipv6Prefix: 64))
        var now = now
        let one = one
        let create = { () throws(AddressLedger.Refusal) in try ledger.openSession(from: one, now: now) }
        #expect(count(create) == (1_200, .creations))
        #expect(count(create) == (0, .creations))
        now = now.advanced(by: .milliseconds(49))
        #expect(count(create) == (0, .creations))
        now = now.advanced(by: .milliseconds(1))
        #expect(count(create) == (1, .creations))
        now = now.advanced(by: .seconds(10))
        #expect(count(create) == (200, .creations))
    }

    @Test(
        "address-login-failures: as many as a minute allows, then the address begins no session until some are forgotten"
    )
    func failures() throws {
        var ledger = AddressLedger(
            limits: AddressLedger.Limits(
                connections: 1, sessions: 2_000, logins: 2_000, creations: 100_000, failures: 60, bytes: 1,
                ipv6Prefix: 64))
        var now = now
        let one = one
        let create = { () throws(AddressLedger.Refusal) in try ledger.openSession(from: one, now: now) }
        let account = try create()
        for _ in 0..<59 { ledger.loginFailed(account, now: now) }
        _ = try create()
        ledger.loginFailed(account, now: now)
        #expect(throws: AddressLedger.Refusal.failures) { try create() }
        _ = try ledger.openSession(from: other, now: now)
        now = now.advanced(by: .milliseconds(999))
        #expect(throws: AddressLedger.Refusal.failures) { try create() }
        now = now.advanced(by: .milliseconds(1))
        _ = try create()
        // However many fail, a minute is enough.
        for _ in 0..<1_000 { ledger.loginFailed(account, now: now) }
        now = now.advanced(by: .milliseconds(999))
        #expect(throws: AddressLedger.Refusal.failures) { try create() }
        now = now.advanced(by: .milliseconds(1))
        _ = try create()
    }

    @Test("address-login-failures: 0 for any number; one alone is the shortest limit; who is not limited is not")
    func anyFailures() throws {
        for (limit, isRefused) in [(0, false), (1, true)] {
            var ledger = AddressLedger(
                limits: .init(
                    connections: 9, sessions: 9, logins: 9, creations: 9, failures: limit, bytes: 9, ipv6Prefix: 64))
            let account = try ledger.openSession(from: one, now: now)
            ledger.loginFailed(account, now: now)
            ledger.loginFailed(.unlimited, now: now)
            let one = one
            let now = now
            let again = count { () throws(AddressLedger.Refusal) in try ledger.openSession(from: one, now: now) }
            #expect(again == (isRefused ? (0, .failures) : (8, .sessions)))
            ledger.closeSession(of: account, hasLoggedIn: false, now: now)
            let later = now.advanced(by: .seconds(60))
            #expect(throws: Never.self) { try ledger.openSession(from: one, now: later) }
        }
    }

    @Test("address-login-failures: an address that failed is remembered for a minute after its last session")
    func failuresRest() throws {
        var ledger = AddressLedger(
            limits: .init(
                connections: 9, sessions: 9, logins: 9, creations: 100_000, failures: 2, bytes: 9, ipv6Prefix: 64))
        let account = try ledger.openSession(from: one, now: now)
        for _ in 0..<2 { ledger.loginFailed(account, now: now) }
        ledger.closeSession(of: account, hasLoggedIn: false, now: now)
        ledger.forgetRested(now: now.advanced(by: .seconds(59)))
        #expect(ledger.count == 1)
        #expect(throws: AddressLedger.Refusal.failures) { try ledger.openSession(from: one, now: now) }
        ledger.forgetRested(now: now.advanced(by: .seconds(60)))
        #expect(ledger.count == 0)
    }

    @Test("address-sessions: 400 users of one address log in at nine o'clock under the defaults")
    func company() throws {
        var ledger = AddressLedger(
            limits: AddressLedger.Limits(
                connections: 3_000, sessions: 2_000, logins: 500, creations: 1_200, bytes: 1 << 26, ipv6Prefix: 64))
        for _ in 0..<400 {
            _ = try ledger.openConnection(from: one, now: now)
            _ = try ledger.openConnection(from: one, now: now)
            ledger.loggedIn(try ledger.openSession(from: one, now: now))
        }
        // All come at the same moment, and again after a failure of the network.
        for _ in 0..<400 { _ = try ledger.openSession(from: one, now: now) }
    }

    @Test("address-memory: bytes that are there already are noted, and an address that is full begins no session")
    func notesBytes() throws {
        var ledger = AddressLedger(
            limits: .init(connections: 9, sessions: 9, logins: 9, creations: 9, bytes: 1_000, ipv6Prefix: 64))
        let address = IPAddress("192.0.2.1")
        let account = try ledger.openConnection(from: address, now: now)
        ledger.note(1_500, of: account)
        #expect(ledger.isFull(account) && ledger.bytes(of: account) == 1_500)
        #expect(throws: AddressLedger.Refusal.bytes) { try ledger.openSession(from: address, now: now) }
        #expect(throws: Never.self) { try ledger.openSession(from: IPAddress("192.0.2.2"), now: now) }
        ledger.note(-501, of: account)
        #expect(!ledger.isFull(account))
        #expect(throws: Never.self) { try ledger.openSession(from: address, now: now) }
        ledger.note(-9_999, of: account)
        #expect(ledger.bytes(of: account) == 0)
        ledger.note(5, of: .unlimited)
        #expect(!ledger.isFull(.unlimited))
    }

    @Test("address-prefix: the addresses of one network are one; an IPv4 address is one however it is written")
    func prefix() throws {
        let of = { (text: String, prefix: Int) in IPAddress(text).map { AddressKey($0, prefix: prefix) } }
        #expect(of("2001:db8:1:2::1", 64) == of("2001:db8:1:2:ffff:ffff:ffff:ffff", 64))
        #expect(of("2001:db8:1:2::1", 64) != of("2001:db8:1:3::1", 64))
        #expect(of("2001:db8:1:2::1", 56) == of("2001:db8:1:3::1", 56))
        #expect(of("2001:db8::1", 128) != of("2001:db8::2", 128))
        #expect(of("2001:db8::1", 0) == of("fe80::1", 0))
        #expect(of("192.0.2.1", 32) == of("::ffff:192.0.2.1", 32))
        #expect(of("192.0.2.1", 32) != of("192.0.2.2", 32))
        #expect(of("192.0.2.1", 64) != of("::", 64))
    }

    @Test("an address that is not limited has everything, and nothing is noted")
    func unlimited() throws {
        var ledger = ledger
        for _ in 0..<100 {
            let connection = try ledger.openConnection(from: nil, now: now)
            let session = try ledger.openSession(from: nil, now: now)
            #expect(!connection.isLimited && !session.isLimited)
        }
        ledger.loggedIn(.unlimited)
        ledger.closeSession(of: .unlimited, hasLoggedIn: true, now: now)
        ledger.closeConnection(of: .unlimited, now: now)
        ledger.note(5, of: .unlimited)
        #expect(ledger.count == 0)
    }

    @Test("an address that holds nothing is forgotten, at once or when its minute is over, whoever comes next")
    func forgets() throws {
        var ledger = ledger
        var now = now
        ledger.closeConnection(of: try ledger.openConnection(from: one, now: now), now: now)
        #expect(ledger.count == 0)
        ledger.closeSession(of: try ledger.openSession(from: one, now: now), hasLoggedIn: false, now: now)
        #expect(ledger.count == 1)
        now = now.advanced(by: .seconds(1))
        _ = try ledger.openConnection(from: other, now: now)
        #expect(ledger.count == 1)
    }

    @Test(
        "the table is bounded: the address that rested longest is forgotten; where all hold something, nobody is refused"
    )
    func isBounded() throws {
        var ledger = AddressLedger(limits: Self.limits, capacity: 100)
        for index in 0..<1_000 as Range<UInt32> {
            let account = try ledger.openSession(from: .v4(index), now: now)
            ledger.closeSession(of: account, hasLoggedIn: false, now: now)
        }
        #expect(ledger.count == 100)
        for index in 0..<100 as Range<UInt32> { _ = try ledger.openConnection(from: .v4(index), now: now) }
        #expect(ledger.count == 100)
        let newcomer = try ledger.openSession(from: one, now: now)
        let known = try ledger.openConnection(from: .v4(7), now: now)
        #expect(!newcomer.isLimited && known.isLimited)
    }

    /// The things that a random history has opened.
    private enum Thing {
        case connection(AddressLedger.Account, bytes: Int)
        case session(AddressLedger.Account, bytes: Int)
    }

    @Test("whatever is opened and ended in whatever order, in the end the ledger is empty")
    func isExact() {
        let first = Chance.firstSeed("address ledger")
        for seed in first..<first + Effort.cases(200) {
            var chance = Chance(seed: seed)
            var ledger = AddressLedger(limits: Self.limits, capacity: 6)
            var now = now
            var things: [Thing] = []
            for _ in 0..<500 {
                now = now.advanced(by: .milliseconds(Int.random(in: 0..<400, using: &chance)))
                if Bool.random(using: &chance), let index = things.indices.randomElement(using: &chance) {
                    end(things.remove(at: index), in: &ledger, now: now, &chance)
                } else if let thing = try? open(in: &ledger, now: now, &chance) {
                    things.append(thing)
                }
                #expect(ledger.count <= 6, "HOLDFAST_SEED=\(seed)")
            }
            while let thing = things.popLast() { end(thing, in: &ledger, now: now, &chance) }
            // The minute of the last creation passes.
            now = now.advanced(by: .seconds(61))
            ledger.forgetRested(now: now)
            #expect(ledger.count == 0, "HOLDFAST_SEED=\(seed)")
        }
    }

    private func open(
        in ledger: inout AddressLedger, now: MonotonicInstant, _ chance: inout Chance
    ) throws(AddressLedger.Refusal) -> Thing {
        let address = IPAddress.v4(UInt32.random(in: 0..<9, using: &chance))
        let bytes = Int.random(in: 0..<600, using: &chance)
        if Bool.random(using: &chance) {
            let account = try ledger.openConnection(from: address, now: now)
            ledger.note(bytes, of: account)
            return .connection(account, bytes: bytes)
        }
        let account = try ledger.openSession(from: address, now: now)
        ledger.note(bytes, of: account)
        return .session(account, bytes: bytes)
    }

    private func end(_ thing: Thing, in ledger: inout AddressLedger, now: MonotonicInstant, _ chance: inout Chance) {
        switch thing {
        case .connection(let account, let bytes):
            ledger.note(-bytes, of: account)
            ledger.closeConnection(of: account, now: now)
        case .session(let account, let bytes):
            let hasLoggedIn = Bool.random(using: &chance)
            if hasLoggedIn { ledger.loggedIn(account) }
            ledger.note(-bytes, of: account)
            ledger.closeSession(of: account, hasLoggedIn: hasLoggedIn, now: now)
        }
    }
}
