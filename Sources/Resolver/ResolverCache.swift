import Primitives

/// What is known about names, for its lifetime. The cache is bounded: when it is full, an entry that nobody has asked
/// for since the last round is replaced (second chance).
struct ResolverCache {
    /// The most names, by default.
    static let standardCapacity = 4_096
    /// Answers are kept at least 5 s, whatever their records say, so that a lifetime of 0 does not cost a look-up for
    /// every session; and at most an hour, so that a mistake in a zone has an end.
    static let positive: ClosedRange<UInt32> = 5...3_600
    /// The absence of a name or of records is kept at most 5 minutes (RFC 2308 §5 allows more).
    static let negative: ClosedRange<UInt32> = 5...300
    /// A failure to get an answer is remembered only to spare the name server.
    static let temporary: ClosedRange<UInt32> = 5...5
    /// Records with more text than this are not kept: only a hostile zone has them.
    static let maximumText = 4_096

    /// The age from which on an answer that was of no use is looked up again.
    static let doubtful = Duration.seconds(1)

    /// How long an expired answer is given when no new one can be had (RFC 8767 §5): a day.
    static let stale = Duration.seconds(86_400)

    private struct Slot {
        let query: ResolverQuery
        var outcome: ResolverAnswer.Outcome
        var validUntil: MonotonicInstant
        /// When the name was last asked for.
        var askedAt: MonotonicInstant
        /// When the answer's own lifetime ended.
        var freshUntil: MonotonicInstant
        var isInUse: Bool

        var isAnswer: Bool { if case .failure = outcome { false } else { true } }
    }

    private let capacity: Int
    private var slots: [Slot] = []
    private var index: [ResolverQuery: Int] = [:]
    private var hand = 0

    /// - Parameter capacity: the most names, at least 1.
    init(capacity: Int = ResolverCache.standardCapacity) {
        self.capacity = max(capacity, 1)
    }

    /// The number of names, outdated ones included.
    var count: Int { slots.count }

    /// What is known about `query` at `now`; nil if nothing is, or no longer.
    mutating func outcome(of query: ResolverQuery, now: MonotonicInstant) -> ResolverAnswer.Outcome? {
        guard let place = index[query], now < slots[place].validUntil else { return nil }
        slots[place].isInUse = true
        return slots[place].outcome
    }

    /// Marks what is known about `query` as possibly out of date, because nothing that it leads to is of use. The name
    /// is asked for again, whatever its lifetime, but at most once in `doubtful`. Until there is an answer, the old one
    /// remains.
    ///
    /// - Returns: whether a question now would be asked again.
    mutating func doubt(_ query: ResolverQuery, now: MonotonicInstant) -> Bool {
        guard let place = index[query], slots[place].isAnswer else { return false }
        let soonest = max(now, slots[place].askedAt.advanced(by: Self.doubtful))
        slots[place].validUntil = min(slots[place].validUntil, soonest)
        return slots[place].validUntil <= now
    }

    /// The last answer about `query` when a new one could not be had; nil if there was none, or too long ago.
    func staleOutcome(of query: ResolverQuery, now: MonotonicInstant) -> ResolverAnswer.Outcome? {
        guard let place = index[query], slots[place].isAnswer,
            now < slots[place].freshUntil.advanced(by: Self.stale)
        else { return nil }
        return slots[place].outcome
    }

    /// Keeps a finding of `now`. A failure to get an answer does not replace an answer.
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

    /// The seconds for which a finding is valid.
    static func lifetime(_ finding: ResolverFinding) -> UInt32 {
        let bounds =
            switch finding.outcome {
            case .addresses, .services: positive
            case .failure(_, let isTemporary): isTemporary ? temporary : negative
            }
        return min(max(finding.lifetime, bounds.lowerBound), bounds.upperBound)
    }

    private mutating func placeToReuse(now: MonotonicInstant) -> Int {
        // The loop ends after one round at the latest, because by then no mark is left.
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
