import Primitives

/// What each client address holds, so that no address takes everything: connections, sessions, sessions that have not
/// logged in, bytes, and the rates at which it begins sessions and fails to log in.
///
/// Every call takes the same time, however many addresses there are. An address takes memory while it holds something
/// and at most a minute longer, until its rates are forgotten. At most `capacity` addresses are known.
/// For a further one, the address that has rested longest is forgotten. When all of them hold something, a further
/// address is not limited: each of them has a descriptor then, and the limit on descriptors bounds the newcomer too.
package struct AddressLedger: Sendable {
    /// The most that one address may have.
    package struct Limits: Sendable, Equatable {
        package var connections: Int
        package var sessions: Int
        /// Sessions that have not logged in.
        package var logins: Int
        /// Sessions that may begin in a minute; all of them may come at once.
        package var creations: Int
        /// Failed log-ins in a minute, all of which may come at once; 0 for no limit.
        package var failures: Int
        package var bytes: Int
        /// How many bits of an IPv6 address count.
        package var ipv6Prefix: Int

        /// Limits of all their parts.
        package init(
            connections: Int, sessions: Int, logins: Int, creations: Int, failures: Int = 0, bytes: Int, ipv6Prefix: Int
        ) {
            self.failures = failures
            self.connections = connections
            self.sessions = sessions
            self.logins = logins
            self.creations = creations
            self.bytes = bytes
            self.ipv6Prefix = ipv6Prefix
        }
    }

    /// The place of an address in the ledger, for whoever holds something of it. Valid until that is given back.
    package struct Account: Sendable, Equatable {
        fileprivate let index: UInt32

        /// The account of a client that is not limited by its address: everything is granted and nothing is noted.
        package static let unlimited = Account(index: .max)

        /// Whether anything is noted for the account.
        package var isLimited: Bool { self != .unlimited }
    }

    /// Which limit an address has reached.
    package enum Refusal: Error, Equatable {
        case connections, sessions, logins, creations, failures, bytes
    }

    private struct Entry: Sendable {
        let key: AddressKey
        /// When the address may begin sessions as if it had begun none before.
        var isFreshAt = MonotonicInstant(nanoseconds: 0)
        /// When its failed log-ins are forgotten.
        var isForgivenAt = MonotonicInstant(nanoseconds: 0)
        var bytes = 0
        var connections: UInt32 = 0
        var sessions: UInt32 = 0
        var logins: UInt32 = 0
        /// Bodies that a proxy passes on for it.
        var bodies: UInt32 = 0
        /// The neighbours among the resting entries.
        var earlier = AddressLedger.none
        var later = AddressLedger.none
        var isResting = false

        /// When nothing has to be remembered of an address that holds nothing.
        var restsUntil: MonotonicInstant { max(isFreshAt, isForgivenAt) }

        var holdsNothing: Bool { connections == 0 && sessions == 0 && bodies == 0 && bytes == 0 }
    }

    private static let none = UInt32.max
    private static let window = Duration.seconds(60)

    private let limits: Limits
    private let capacity: Int
    private let creationInterval: Duration
    private let failureInterval: Duration
    private var entries: [Entry] = []
    private var vacant: [UInt32] = []
    private var indices: [AddressKey: UInt32] = [:]
    /// The ends of the list of resting entries, which hold nothing but whose rate is still known. Ordered by the time
    /// at which they let go of the last thing.
    private var oldestResting = AddressLedger.none
    private var newestResting = AddressLedger.none
    /// What other workers are told of the addresses; nil for a worker on its own.
    private var buckets: AddressBuckets?

    /// An empty ledger. `capacity`: the most addresses that are known at a time. `seed`: a random number that all workers
    /// of the machine share, nil for a worker on its own.
    package init(limits: Limits, capacity: Int = 65_536, seed: UInt64? = nil) {
        buckets = seed.map { AddressBuckets(seed: $0) }
        self.limits = limits
        self.capacity = min(max(capacity, 1), Int(Self.none))
        creationInterval = Self.window / max(limits.creations, 1)
        failureInterval = Self.window / max(limits.failures, 1)
    }

    /// How many addresses are known.
    package var count: Int { indices.count }

    /// Forgets the addresses whose minute of rest is over. Other calls do so in passing, two for each new address; this
    /// one is for a caller that wants to know how many are left.
    package mutating func forgetRested(now: MonotonicInstant) {
        while oldestResting != Self.none, entries[Int(oldestResting)].restsUntil <= now { forget(Int(oldestResting)) }
    }

    // MARK: Other workers

    /// The bucket in which other workers tell what an address holds there; nil for a worker on its own, and for an
    /// address that is not limited.
    package func bucket(of address: IPAddress?) -> Int? {
        guard let address, let buckets else { return nil }
        return buckets.bucket(of: AddressKey(address, prefix: limits.ipv6Prefix))
    }

    /// Takes a bucket that has changed, with what its addresses hold in this worker as the word of `AddressTotals`; nil when there is none.
    package mutating func takeChange() -> (bucket: Int, word: UInt64)? { buckets?.takeChange() }

    // MARK: Connections

    /// Counts a client's new connection; a nil address is not limited.
    ///
    /// - Parameter elsewhere: what the address holds in other workers.
    /// - Throws: `connections` when the address has as many as it may have.
    package mutating func openConnection(
        from address: IPAddress?, elsewhere: AddressTotals = .none, now: MonotonicInstant
    ) throws(Refusal) -> Account {
        guard let index = index(of: address, now: now) else { return .unlimited }
        guard Int(entries[index].connections) + elsewhere.connections < limits.connections else { throw .connections }
        return addConnection(index)
    }

    /// Counts a client's connection that another worker has admitted and counts no more; a nil address is not limited.
    package mutating func takeConnection(from address: IPAddress?, now: MonotonicInstant) -> Account {
        guard let index = index(of: address, now: now) else { return .unlimited }
        return addConnection(index)
    }

    private mutating func addConnection(_ index: Int) -> Account {
        // An address has far fewer connections than the number can count.
        entries[index].connections &+= 1
        buckets?.change(entries[index].key) { $0.connections += 1 }
        wake(index)
        return Account(index: UInt32(index))
    }

    /// Counts a connection as gone.
    package mutating func closeConnection(of account: Account, now: MonotonicInstant) {
        guard let index = index(of: account), entries[index].connections > 0 else { return }
        entries[index].connections -= 1
        buckets?.change(entries[index].key) { $0.connections -= 1 }
        restIfIdle(index, now: now)
    }

    // MARK: Sessions

    /// Counts a new session, which has not logged in; a nil address is not limited.
    ///
    /// - Parameter elsewhere: what the address holds in other workers.
    /// - Throws: what the address has too much of, `creations` when it begins sessions too fast, or `failures` when it
    ///   failed to log in too often. A refused session does not count.
    package mutating func openSession(
        from address: IPAddress?, elsewhere: AddressTotals = .none, now: MonotonicInstant
    ) throws(Refusal) -> Account {
        guard let index = index(of: address, now: now) else { return .unlimited }
        guard Int(entries[index].sessions) + elsewhere.sessions < limits.sessions else { throw .sessions }
        guard Int(entries[index].logins) + elsewhere.logins < limits.logins else { throw .logins }
        guard entries[index].bytes < limits.bytes else { throw .bytes }
        guard limits.failures == 0 || !hasFailedTooOften(entries[index], now: now) else { throw .failures }
        let isFreshAt = max(entries[index].isFreshAt, now).advanced(by: creationInterval)
        guard isFreshAt.elapsed(since: now) <= max(Self.window, creationInterval) else { throw .creations }
        entries[index].isFreshAt = isFreshAt
        entries[index].sessions += 1
        entries[index].logins += 1
        buckets?.change(entries[index].key) {
            $0.sessions += 1
            $0.logins += 1
        }
        wake(index)
        return Account(index: UInt32(index))
    }

    /// Notes that a session has logged in. Call it once for a session.
    package mutating func loggedIn(_ account: Account) {
        guard let index = index(of: account), entries[index].logins > 0 else { return }
        entries[index].logins -= 1
        buckets?.change(entries[index].key) { $0.logins -= 1 }
    }

    /// Notes that a server has refused a login of a session, which the account must hold. However many there are, the
    /// address may begin sessions again after at most a minute.
    package mutating func loginFailed(_ account: Account, now: MonotonicInstant) {
        guard limits.failures > 0, let index = index(of: account) else { return }
        let last = now.advanced(by: max(Self.window, failureInterval))
        let next = max(entries[index].isForgivenAt, now).advanced(by: failureInterval)
        entries[index].isForgivenAt = min(next, last)
    }

    /// Whether another failure would be one too many.
    private func hasFailedTooOften(_ entry: Entry, now: MonotonicInstant) -> Bool {
        let next = max(entry.isForgivenAt, now).advanced(by: failureInterval)
        return next.elapsed(since: now) > max(Self.window, failureInterval)
    }

    /// Counts a session as over.
    package mutating func closeSession(of account: Account, hasLoggedIn: Bool, now: MonotonicInstant) {
        guard let index = index(of: account), entries[index].sessions > 0 else { return }
        entries[index].sessions -= 1
        let wasLogin = !hasLoggedIn && entries[index].logins > 0
        if wasLogin { entries[index].logins -= 1 }
        buckets?.change(entries[index].key) {
            $0.sessions -= 1
            if wasLogin { $0.logins -= 1 }
        }
        restIfIdle(index, now: now)
    }

    // MARK: Bodies

    /// Counts a request body that is held for a client, which sent it itself or through a proxy that names it. A nil
    /// address is not limited. The caller reports the body's bytes by `note`, and takes them all back before
    /// `closeBody`.
    package mutating func openBody(from address: IPAddress?, now: MonotonicInstant) -> Account {
        guard let index = index(of: address, now: now) else { return .unlimited }
        entries[index].bodies += 1
        wake(index)
        return Account(index: UInt32(index))
    }

    /// Counts a body as no longer held.
    package mutating func closeBody(of account: Account, now: MonotonicInstant) {
        guard let index = index(of: account), entries[index].bodies > 0 else { return }
        entries[index].bodies -= 1
        restIfIdle(index, now: now)
    }

    // MARK: Bytes

    /// Adds to or subtracts from the bytes of an account, which must hold a connection, a session or a body. Nothing is
    /// refused here, because the bytes exist already.
    package mutating func note(_ difference: Int, of account: Account) {
        guard difference != 0, let index = index(of: account) else { return }
        entries[index].bytes = max(0, entries[index].bytes + difference)
    }

    /// Whether an account holds as many bytes as it may.
    package func isFull(_ account: Account) -> Bool {
        guard let index = index(of: account) else { return false }
        return entries[index].bytes >= limits.bytes
    }

    /// The bytes that an account holds.
    package func bytes(of account: Account) -> Int {
        guard let index = index(of: account) else { return 0 }
        return entries[index].bytes
    }

    // MARK: Entries

    private func index(of account: Account) -> Int? {
        let index = Int(account.index)
        return index < entries.count ? index : nil
    }

    /// The entry of an address, made when there is none. The caller either has it hold something, or leaves an entry
    /// that holds nothing and rests until it is forgotten.
    private mutating func index(of address: IPAddress?, now: MonotonicInstant) -> Int? {
        guard let address else { return nil }
        let key = AddressKey(address, prefix: limits.ipv6Prefix)
        if let index = indices[key] { return Int(index) }
        // Each new address has two rested ones forgotten, so that these never pile up.
        for _ in 0..<2 where oldestResting != Self.none && entries[Int(oldestResting)].restsUntil <= now {
            forget(Int(oldestResting))
        }
        if indices.count >= capacity {
            guard oldestResting != Self.none else { return nil }
            forget(Int(oldestResting))
        }
        let index: Int
        if let last = vacant.popLast() {
            index = Int(last)
            entries[index] = Entry(key: key)
        } else {
            index = entries.count
            entries.append(Entry(key: key))
        }
        indices[key] = UInt32(index)
        rest(index)
        return index
    }

    private mutating func restIfIdle(_ index: Int, now: MonotonicInstant) {
        guard entries[index].holdsNothing, !entries[index].isResting else { return }
        if entries[index].restsUntil <= now { forget(index) } else { rest(index) }
    }

    private mutating func rest(_ index: Int) {
        entries[index].isResting = true
        entries[index].earlier = newestResting
        entries[index].later = Self.none
        if newestResting == Self.none {
            oldestResting = UInt32(index)
        } else {
            entries[Int(newestResting)].later = UInt32(index)
        }
        newestResting = UInt32(index)
    }

    /// Takes an entry out of the resting ones, because it holds something now.
    private mutating func wake(_ index: Int) {
        guard entries[index].isResting else { return }
        let (earlier, later) = (entries[index].earlier, entries[index].later)
        if earlier == Self.none { oldestResting = later } else { entries[Int(earlier)].later = later }
        if later == Self.none { newestResting = earlier } else { entries[Int(later)].earlier = earlier }
        entries[index].isResting = false
    }

    private mutating func forget(_ index: Int) {
        wake(index)
        indices[entries[index].key] = nil
        vacant.append(UInt32(index))
        guard indices.isEmpty else { return }
        // The ledger is empty: give back the memory that a flood of addresses took.
        entries = []
        vacant = []
        indices = [:]
    }
}
