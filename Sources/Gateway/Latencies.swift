import Primitives

/// How long things take in a worker, for all domains together.
///
/// No number here reads a clock. All instants are those at which turns of the loop begin, and the loop reads the clock
/// at the end of a turn anyway, to know how long it may sleep.
struct Latencies {
    /// From the turn that reads bytes of a server to the end of the turn that passes them on to a client that waits for
    /// them: to a held request, or to a WebSocket.
    private(set) var forward = LatencySummary(.turns)
    /// How long stanzas have waited for the next request of their client over BOSH. This is the client's time, not the
    /// program's.
    private(set) var fetch = LatencySummary(.waits)
    /// How long requests over BOSH were held before they were answered.
    private(set) var hold = LatencySummary(.waits)
    /// From the beginning of a session to its login.
    private(set) var login = LatencySummary(.logins)
    /// How long turns of the loop take. An event that comes during a turn waits for its end.
    private(set) var turn = LatencySummary(.turns)
    /// How many times this turn has passed on what was read in it.
    private var forwarded: UInt64 = 0
    /// When the stanzas were read that a session is being given; nil while none are, and once they were passed on.
    private var arrival: MonotonicInstant?

    // MARK: What comes from servers

    /// Notes that a session is about to be given stanzas that were read at `instant`.
    mutating func beginDelivery(readAt instant: MonotonicInstant) { arrival = instant }

    /// Notes that stanzas were passed on to a client, if any are being delivered.
    mutating func notePassedOn(now: MonotonicInstant) {
        guard let arrival else { return }
        self.arrival = nil
        // How long this turn takes is only known at its end.
        if arrival < now { forward.record(now.elapsed(since: arrival)) } else { forwarded &+= 1 }
    }

    /// Notes that the session has taken the stanzas. Returns whether they were passed on.
    mutating func endDelivery() -> Bool {
        defer { arrival = nil }
        return arrival == nil
    }

    /// Notes that a client has fetched stanzas that had waited for it.
    mutating func noteFetched(after time: Duration) { fetch.record(time) }

    // MARK: What else takes time

    /// Notes that a request was held and is answered now.
    mutating func noteHeld(for time: Duration) { hold.record(time) }

    /// Notes that a session has logged in; nothing when nobody knows when it began.
    mutating func noteLogin(after time: Duration?) { if let time { login.record(time) } }

    /// Notes that a turn of the loop is over.
    mutating func endTurn(after time: Duration) {
        turn.record(time)
        guard forwarded > 0 else { return }
        forward.record(time, times: forwarded)
        forwarded = 0
    }
}

/// A point in time in three bytes, for objects of which there are many: milliseconds on the monotonic clock, modulo four
/// hours and a half. Differences of longer times are wrong; no poll and no login lasts so long.
struct ShortInstant: Equatable {
    // Single bytes, because those fit anywhere between other fields.
    private let low: UInt8
    private let middle: UInt8
    private let high: UInt8

    /// No point in time.
    static let none = ShortInstant(milliseconds: 0)

    init(_ instant: MonotonicInstant) {
        let milliseconds = UInt32(truncatingIfNeeded: instant.nanoseconds / 1_000_000) & Self.most
        // Zero stands for none.
        self.init(milliseconds: max(milliseconds, 1))
    }

    private init(milliseconds: UInt32) {
        low = UInt8(truncatingIfNeeded: milliseconds)
        middle = UInt8(truncatingIfNeeded: milliseconds >> 8)
        high = UInt8(truncatingIfNeeded: milliseconds >> 16)
    }

    private var milliseconds: UInt32 { UInt32(high) << 16 | UInt32(middle) << 8 | UInt32(low) }

    /// How long ago this instant was; nil for none.
    func elapsed(until now: MonotonicInstant) -> Duration? {
        guard milliseconds != 0 else { return nil }
        return .milliseconds(Int64((ShortInstant(now).milliseconds &- milliseconds) & Self.most))
    }

    private static let most: UInt32 = 0xFF_FFFF
}

/// Since when something of each session lasts, by slot: three bytes for each slot that was ever in use.
struct SlotTimes {
    private var begun: [ShortInstant] = []

    /// Notes that it begins at a slot, whether or not it lasts there already.
    mutating func begin(_ slot: UInt32, now: MonotonicInstant) {
        let place = Int(slot)
        while begun.count <= place { begun.append(.none) }
        begun[place] = ShortInstant(now)
    }

    /// Notes that it begins at a slot, unless it lasts there already.
    mutating func beginUnlessBegun(_ slot: UInt32, now: MonotonicInstant) {
        guard Int(slot) >= begun.count || begun[Int(slot)] == .none else { return }
        begin(slot, now: now)
    }

    /// Notes that it is over at a slot. Returns how long it lasted; nil when it did not.
    mutating func end(_ slot: UInt32, now: MonotonicInstant) -> Duration? {
        guard Int(slot) < begun.count else { return nil }
        defer { begun[Int(slot)] = .none }
        return begun[Int(slot)].elapsed(until: now)
    }
}
