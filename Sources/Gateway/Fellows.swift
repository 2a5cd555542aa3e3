import Addresses
import BOSHCore
import Handover

/// What this worker knows of the others on this machine, and what it shows them of itself.
struct Fellows {
    /// Another living worker.
    private struct Other {
        let tag: UInt32
        /// Its counter page; nil until it has come.
        var page: WorkerPage?
        /// Whether it takes new sessions.
        var takesSessions = true
        var hasMailbox = false
    }

    /// This worker's own number, which stands in each `sid` that it gives out.
    let tag: UInt32
    /// The name of this machine, which stands there as well.
    let node: NodeName
    /// This worker's own counter page; nil for a worker on its own.
    private(set) var ownPage: WorkerPage?
    /// The page with the counters of all workers that have ended; nil until it has come.
    private(set) var pastPage: WorkerPage?
    private var others: [Other] = []
    private var spread = Spread()
    /// Whether this worker takes no new sessions.
    private(set) var isRetired = false
    /// Which of the others gets the next connection that this worker does not keep.
    private var nextSuccessor = 0

    init(tag: UInt32, node: NodeName) {
        self.tag = tag
        self.node = node
    }

    // MARK: The others

    /// Whether there are other workers.
    var hasOthers: Bool { !others.isEmpty }

    /// How many other workers there are.
    var otherCount: Int { others.count }

    /// How many sessions the other workers have.
    var sessionsElsewhere: Int {
        others.reduce(0) { sum, other in sum &+ Int(clamping: other.page?[.sessions] ?? 0) }
    }

    /// The tags of the others that can be sent connections.
    var known: [UInt32] { others.filter(\.hasMailbox).map(\.tag) }

    /// Notes that this worker takes no new sessions any more.
    mutating func retire() {
        isRetired = true
        spread.takesSessions = false
    }

    /// Whether another worker takes new sessions.
    var hasSuccessor: Bool { others.contains { $0.hasMailbox && $0.takesSessions } }

    /// Another worker for what this one does not keep, each in its turn; nil when none takes new sessions.
    mutating func successor() -> UInt32? {
        let able = others.filter { $0.hasMailbox && $0.takesSessions }
        guard !able.isEmpty else { return nil }
        nextSuccessor = (nextSuccessor + 1) % able.count
        return able[nextSuccessor].tag
    }

    /// Whether a session may be with another living worker of this machine.
    func mayHave(_ sid: SessionID) -> Bool {
        others.contains { $0.tag == sid.worker && $0.hasMailbox } && sid.node == node
    }

    /// Notes that a worker can be sent connections.
    mutating func addMailbox(of tag: UInt32) { change(tag) { $0.hasMailbox = true } }

    /// Notes the counter page of a worker: of this one, of a living one, or with `Self.past` that of those that have
    /// ended.
    mutating func add(_ page: WorkerPage, of tag: UInt32) {
        switch tag {
        case self.tag: ownPage = page
        case Self.past: pastPage = page
        default: change(tag) { $0.page = page }
        }
    }

    /// Notes that a worker takes no new sessions any more.
    mutating func retire(_ tag: UInt32) {
        change(tag) { $0.takesSessions = false }
        spread.remove(tag)
    }

    /// Notes that a worker has ended.
    mutating func remove(_ tag: UInt32) {
        others.removeAll { $0.tag == tag }
        spread.remove(tag)
    }

    private mutating func change(_ tag: UInt32, _ body: (inout Other) -> Void) {
        if let index = others.firstIndex(where: { $0.tag == tag }) {
            body(&others[index])
        } else {
            var other = Other(tag: tag)
            body(&other)
            others.append(other)
        }
    }

    /// What an address holds in the other workers, by its bucket. It may be taken for more, by what other addresses in
    /// the bucket hold there.
    func held(bucket: Int?) -> AddressTotals {
        var totals = AddressTotals.none
        guard let bucket else { return totals }
        for other in others { if let page = other.page { totals += AddressTotals(word: page[address: bucket]) } }
        return totals
    }

    // MARK: What this worker shows, and what all show together

    /// Counts a turn of the loop.
    func countTurn() {
        guard let ownPage else { return }
        ownPage[.turns] &+= 1
    }

    /// Shows how many sessions this worker has.
    func show(sessions: Int) { ownPage?[.sessions] = UInt64(clamping: sessions) }

    /// Shows what the addresses of a bucket hold here.
    func show(_ word: UInt64, bucket: Int) { ownPage?[address: bucket] = word }

    /// The samples of all workers together, and some of each under `workers`. The own ones are these, those of the
    /// others come from their pages, and may be a second old.
    func added(to own: [Sample]) -> [Sample] {
        var all = CounterSums()
        var list = SampleList()
        let counted = own.filter { $0.word != nil }
        if let ownPage {
            ownPage.add(own: counted, to: &all)
        } else {
            for case let (field, word)? in counted.map(\.counter) { all.add(field, word) }
        }
        // To take the names apart again costs more than all the rest.
        let isKnown = all.fields.count == counted.count
        Self.addShare(of: tag, Self.sharePaths.map { path in own.first { $0.path == path } }, to: &list)
        for other in others {
            guard let page = other.page else { continue }
            Self.addShare(of: other.tag, page.samples(at: Self.sharePaths, like: ownPage), to: &list)
            page.add(to: &all, like: ownPage)
        }
        pastPage?.add(to: &all, isOfDead: true)
        for (place, field) in all.fields.enumerated() {
            let path = isKnown && place < counted.count ? counted[place].path : nil
            let sample = Sample(field, all.word(at: place), path: path)
            list.add(sample.path, sample.kind, sample.value)
        }
        return list.samples
    }

    private static func addShare(of tag: UInt32, _ samples: [Sample?], to list: inout SampleList) {
        for (row, sample) in zip(share, samples) {
            guard let sample else { continue }
            list.add(["workers", "\(tag)", row.0], sample.kind, sample.value)
        }
    }

    private static let sharePaths = share.map(\.1)

    /// What `/stats` tells of each worker, and where the number stands among those of all.
    private static let share: [(String, [String])] = [
        ("pid", ["process", "own_pid"]), ("generation", ["process", "own_generation"]),
        ("retired", ["process", "own_retired"]), ("sessions", ["sessions", "now"]),
        ("connections", ["http", "connections_now"]), ("streams", ["upstream", "streams_now"]),
        ("requests", ["http", "requests"]), ("moved_in", ["http", "moved_in"]), ("moved_out", ["http", "moved_out"]),
        ("held_bytes", ["memory", "held"]),
    ]

    /// The number of no worker: the page of this number has the counters of those that have ended.
    private static let past: UInt32 = 0

    // MARK: New sessions

    /// The worker that is to begin the next session; nil for this one. `noteAnswer` has to follow.
    ///
    /// - Parameters:
    ///   - own: how many sessions this worker has.
    ///   - draw: a random number.
    mutating func placeForNew(own: Int, _ mobility: Mobility, draw: @autoclosure () -> UInt64) -> UInt32? {
        guard !others.isEmpty, mobility != .placed else { return nil }
        for other in others where other.hasMailbox && other.takesSessions {
            guard let page = other.page else { continue }
            spread.update(other.tag, sessions: page[.sessions])
        }
        guard case .worker(let tag) = spread.place(own: own, isBusy: mobility == .bound, draw: draw()) else {
            return nil
        }
        spread.noteSent(to: tag)
        return tag
    }

    /// Notes that another worker has begun a session, or will not.
    mutating func noteAnswer(by tag: UInt32) { spread.noteAnswered(by: tag) }
}
