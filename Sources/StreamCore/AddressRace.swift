import Primitives

/// The connection attempts to the addresses of one target (RFC 8305 §4 and §5): one after the other, each with a head start,
/// and the first that connects wins.
struct AddressRace: Sendable {
    /// How long an attempt is waited for before the next address is tried beside it (RFC 8305 §5: 250 ms recommended).
    static let headStart = Duration.milliseconds(250)

    /// How long the last attempt is waited for before the next target gets its turn.
    static let attemptTime = Duration.seconds(5)

    /// The most addresses of one target that are tried, and so the most attempts that are open at once.
    static let mostAddresses = 8

    /// Positions of addresses that were not tried yet, the next one first.
    private var waiting: ArraySlice<Int>
    /// The numbers of the attempts that have not ended, the oldest first.
    private(set) var open: [Int] = []
    private var lastStart = MonotonicInstant(nanoseconds: 0)
    /// The attempt that was started last: its number, its address, and when the one before it was started.
    private var latest: (number: Int, address: Int, before: MonotonicInstant)?
    /// When an address is tried again that could not be for want of something of our own; nil while none waits for that.
    private var retry: MonotonicInstant?

    /// A race between the addresses of these families, named by their positions.
    init(families: [AddressFamily]) {
        waiting = Self.interleaved(families).prefix(Self.mostAddresses)
    }

    /// Whether every address was tried in vain.
    var isLost: Bool { waiting.isEmpty && open.isEmpty }

    /// Whether an address is left that was not tried.
    var hasWaiting: Bool { !waiting.isEmpty }

    /// Whether an address waits for something of our own, and the target that has it has had its time.
    func isOverdue(hasRival: Bool, now: MonotonicInstant) -> Bool {
        retry != nil && hasRival && lastStart.advanced(by: Self.attemptTime) <= now
    }

    /// When to look again; nil when only an attempt's end can bring the race on. `hasRival`: whether another target waits for
    /// its turn.
    func nextWake(hasRival: Bool) -> MonotonicInstant? {
        if let retry { return hasRival ? min(retry, lastStart.advanced(by: Self.attemptTime)) : retry }
        if !waiting.isEmpty { return lastStart.advanced(by: Self.headStart) }
        return hasRival ? lastStart.advanced(by: Self.attemptTime) : nil
    }

    /// Starts the next attempt under this number; the position of its address, nil when there is none left.
    mutating func start(_ number: Int, now: MonotonicInstant) -> Int? {
        guard let address = waiting.popFirst() else { return nil }
        open.append(number)
        latest = (number, address, before: lastStart)
        lastStart = now
        retry = nil
        return address
    }

    /// Puts the address of the attempt that was started last back, to be tried a head start later. False when that is none of
    /// the open ones, or the only one: then nothing is to be waited for.
    mutating func postpone(_ number: Int, now: MonotonicInstant) -> Bool {
        guard let latest, latest.number == number, open.count > 1, remove(number) else { return false }
        waiting = [latest.address] + waiting
        lastStart = latest.before
        retry = now.advanced(by: Self.headStart)
        self.latest = nil
        return true
    }

    /// Takes an attempt out of the race; false when it is none of its open ones.
    mutating func remove(_ number: Int) -> Bool {
        guard let index = open.firstIndex(of: number) else { return false }
        open.remove(at: index)
        return true
    }

    /// Positions of the addresses, the families taking turns from the resolver's first one on (RFC 8305 §4).
    static func interleaved(_ families: [AddressFamily]) -> [Int] {
        guard let first = families.first else { return [] }
        var preferred = families.indices.filter { families[$0] == first }[...]
        var other = families.indices.filter { families[$0] != first }[...]
        var order: [Int] = []
        while !preferred.isEmpty || !other.isEmpty {
            if let index = preferred.popFirst() { order.append(index) }
            if let index = other.popFirst() { order.append(index) }
        }
        return order
    }
}
