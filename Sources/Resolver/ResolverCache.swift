import Primitives

/// What is known about names, for as long as it may be believed. Bounded: when full, one that nobody has asked for since
/// the last round makes room (second chance).
struct ResolverCache {
    /// Names kept at most unless said otherwise.
    static let standardCapacity = 4_096
    /// Answers are kept for 5 s at least, whatever their records say, so that a lifetime of 0 does not cost a look-up for
    /// every session, and for an hour at most, so that a mistake in a zone ends.
    static let positive: ClosedRange<UInt32> = 5...3_600
    /// "There is no such thing" holds for 5 minutes at most (RFC 2308 §5 allows more).
    static let negative: ClosedRange<UInt32> = 5...300
    /// A failure to get an answer is remembered only to spare the name server.
    static let temporary: ClosedRange<UInt32> = 5...5
    /// Records with more text than this are asked for again each time: only a hostile zone has them.
    static let maximumText = 4_096

    /// An answer that proved to be of no use is asked for again when this is over since it came.
    static let doubtful = Duration.seconds(1)

    /// For how long an answer whose time is over is given when no new one can be had (RFC 8767 §5): a day.
    static let stale = Duration.seconds(86_400)

    private struct Slot {
        let query: ResolverQuery
        var outcome: ResolverAnswer.Outcome
        var validUntil: MonotonicInstant
        /// When somebody was asked last.
        var askedAt: MonotonicInstant
        /// When the answer was over by its own time to live.
        var freshUntil: MonotonicInstant
        var isInUse: Bool

        var isAnswer: Bool { if case .failure = outcome { false } else { true } }
    }

    private let capacity: Int
    private var slots: [Slot] = []
    private var index: [ResolverQuery: Int] = [:]
    private var hand = 0

    /// - Parameter capacity: names kept at most, at least 1.
    init(capacity: Int = ResolverCache.standardCapacity) {
        self.capacity = max(capacity, 1)
    }

    /// How many names are kept, outdated ones included.
    var count: Int { slots.count }

    /// What is known about `query` at `now`; nil if nothing is, or no longer.
    mutating func outcome(of query: ResolverQuery, now: MonotonicInstant) -> ResolverAnswer.Outcome? {
        guard let place = index[query], now < slots[place].validUntil else { return nil }
        slots[place].isInUse = true
        return slots[place].outcome
    }

    /// What is known about `query` may be out of date: nothing that it leads to is of use. It is asked for again, however long
    /// it was to hold, at most once in `doubtful`; until somebody answers it is still what is known.
    ///
    /// - Returns: whether it is asked for again if somebody wants to know now.
    mutating func doubt(_ query: ResolverQuery, now: MonotonicInstant) -> Bool {
        guard let place = index[query], slots[place].isAnswer else { return false }
        let soonest = max(now, slots[place].askedAt.advanced(by: Self.doubtful))
        slots[place].validUntil = min(slots[place].validUntil, soonest)
        return slots[place].validUntil <= now
    }

    /// What was known about `query` before nobody could be asked about it; nil if nothing was, or too long ago.
    func staleOutcome(of query: ResolverQuery, now: MonotonicInstant) -> ResolverAnswer.Outcome? {
        guard let place = index[query], slots[place].isAnswer,
            now < slots[place].freshUntil.advanced(by: Self.stale)
        else { return nil }
        return slots[place].outcome
    }

    /// Keeps what was found out at `now`. A failure to get an answer does not take the place of one.
    mutating func insert(_ finding: ResolverFinding, for query: ResolverQuery, now: MonotonicInstant) {
        guard Self.textLength(finding.outcome) <= Self.maximumText else { return }
        let validUntil = now.advanced(by: .seconds(Self.lifetime(finding)))
        if case .failure(_, isTemporary: true) = finding.outcome, staleOutcome(of: query, now: now) != nil,
            let place = index[query]
        {
            slots[place].validUntil = validUntil
            slots[place].askedAt = now
            return
        }
        let slot = Slot(
            query: query, outcome: finding.outcome, validUntil: validUntil, askedAt: now, freshUntil: validUntil,
            isInUse: false)
        if let place = index[query] {
            slots[place] = slot
        } else if slots.count < capacity {
            index[query] = slots.count
            slots.append(slot)
        } else {
            let place = placeToReuse(now: now)
            index[slots[place].query] = nil
            index[query] = place
            slots[place] = slot
        }
    }

    /// Seconds for which a finding is believed.
    static func lifetime(_ finding: ResolverFinding) -> UInt32 {
        let bounds =
            switch finding.outcome {
            case .addresses, .services: positive
            case .failure(_, let isTemporary): isTemporary ? temporary : negative
            }
        return min(max(finding.lifetime, bounds.lowerBound), bounds.upperBound)
    }

    private mutating func placeToReuse(now: MonotonicInstant) -> Int {
        // Ends after one round at the latest: by then no mark is left.
        while true {
            let place = hand
            hand = hand + 1 < slots.count ? hand + 1 : 0
            if !slots[place].isInUse || slots[place].validUntil <= now { return place }
            slots[place].isInUse = false
        }
    }

    private static func textLength(_ outcome: ResolverAnswer.Outcome) -> Int {
        guard case .services(let records) = outcome else { return 0 }
        return records.reduce(0) { $0 + $1.target.utf8.count }
    }
}
