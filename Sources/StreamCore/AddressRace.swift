import Primitives

/// The connection attempts to the addresses of one target (RFC 8305 §4 and §5). They start one after the other, each
/// with a head start, and the first one that connects wins.
struct AddressRace: Sendable {
    /// How long the race waits for an attempt before it tries the next address beside it (RFC 8305 §5 recommends 250
    /// ms).
    static let headStart = Duration.milliseconds(250)

    /// How long the race waits for the last attempt before the next target gets its turn.
    static let attemptTime = Duration.seconds(5)

    /// How many addresses of one target are tried at most, and so how many attempts are open at once at most.
    static let mostAddresses = 8

    /// Positions of the addresses that were not tried yet, the next one first.
    private var waiting: ArraySlice<Int>
    /// The numbers of the attempts that have not ended, the oldest first.
    private(set) var open: [Int] = []
    private var lastStart = MonotonicInstant(nanoseconds: 0)
    /// The attempt that was started last: its number, its address, and when the one before it was started.
    private var latest: (number: Int, address: Int, before: MonotonicInstant)?
    /// When to try an address again whose attempt failed for lack of a resource on this side; nil while no address
    /// waits for that.
    private var retry: MonotonicInstant?

    /// A race between the addresses of these families, named by their positions.
    init(families: [AddressFamily]) {
        waiting = Self.interleaved(families).prefix(Self.mostAddresses)
    }

    /// Whether every address was tried without success.
    var isLost: Bool { waiting.isEmpty && open.isEmpty }

    /// Whether any address was not tried yet.
    var hasWaiting: Bool { !waiting.isEmpty }

    /// Whether an address waits for a resource on this side, another target waits for its turn, and this target's time is up.
    func isOverdue(hasRival: Bool, now: MonotonicInstant) -> Bool {
        retry != nil && hasRival && lastStart.advanced(by: Self.attemptTime) <= now
    }

    /// When to look again; nil when only the end of an attempt can advance the race. `hasRival`: whether another target
    /// waits for its turn.
    func nextWake(hasRival: Bool) -> MonotonicInstant? {
        if let retry { return hasRival ? min(retry, lastStart.advanced(by: Self.attemptTime)) : retry }
        if !waiting.isEmpty { return lastStart.advanced(by: Self.headStart) }
        return hasRival ? lastStart.advanced(by: Self.attemptTime) : nil
    }

    /// Starts the next attempt under this number. Returns the position of its address; nil when no address is left.
    mutating func start(_ number: Int, now: MonotonicInstant) -> Int? {
        guard let address = waiting.popFirst() else { return nil }
        open.append(number)
        latest = (number, address, before: lastStart)
        lastStart = now
        retry = nil
        return address
    }

    /// Puts back the address of the attempt that was started last, to try it again a head start later. Returns false
    /// when that attempt is not open, or is the only open one: then there is nothing to wait for.
    mutating func postpone(_ number: Int, now: MonotonicInstant) -> Bool {
        guard let latest, latest.number == number, open.count > 1, remove(number) else { return false }
        waiting = [latest.address] + waiting
        lastStart = latest.before
        retry = now.advanced(by: Self.headStart)
        self.latest = nil
        return true
    }

    /// Takes an attempt out of the race. Returns false when the attempt is not open.
    mutating func remove(_ number: Int) -> Bool {
        guard let index = open.firstIndex(of: number) else { return false }
        open.remove(at: index)
        return true
    }

    /// The positions of the addresses in the order of trying. The families alternate, and the resolver's first one
    /// begins (RFC 8305 §4).
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
