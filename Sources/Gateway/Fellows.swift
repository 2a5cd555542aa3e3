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
    /// This worker's own counter page; nil for a worker on its own.
    private(set) var ownPage: WorkerPage?
    private var others: [Other] = []

    init(tag: UInt32) {
        self.tag = tag
    }

    // MARK: The others

    /// Whether another living worker has this number, so that a session of this number may be there.
    func owns(_ tag: UInt32) -> Bool { others.contains { $0.tag == tag && $0.hasMailbox } }

    /// Notes that a worker can be sent connections.
    mutating func addMailbox(of tag: UInt32) { change(tag) { $0.hasMailbox = true } }

    /// Notes the counter page of a worker; of the living ones or of this one.
    mutating func add(_ page: WorkerPage, of tag: UInt32) {
        if tag == self.tag { ownPage = page } else { change(tag) { $0.page = page } }
    }

    /// Notes that a worker takes no new sessions any more.
    mutating func retire(_ tag: UInt32) { change(tag) { $0.takesSessions = false } }

    /// Notes that a worker has ended.
    mutating func remove(_ tag: UInt32) { others.removeAll { $0.tag == tag } }

    private mutating func change(_ tag: UInt32, _ body: (inout Other) -> Void) {
        if let index = others.firstIndex(where: { $0.tag == tag }) {
            body(&others[index])
        } else {
            var other = Other(tag: tag)
            body(&other)
            others.append(other)
        }
    }

    // MARK: What this worker shows

    /// Counts a turn of the loop.
    func countTurn() {
        guard let ownPage else { return }
        ownPage[.turns] &+= 1
    }

    /// Shows how many sessions this worker has.
    func show(sessions: Int) { ownPage?[.sessions] = UInt64(clamping: sessions) }

    // MARK: New sessions

    /// The worker that is to begin the next session; nil for this one.
    ///
    /// - Parameter own: how many sessions this worker has.
    mutating func placeForNew(own: Int, _ mobility: Mobility) -> UInt32? {
        guard mobility == .free else { return nil }
        var best: (tag: UInt32, count: UInt64)?
        for other in others where other.hasMailbox && other.takesSessions {
            guard let page = other.page else { continue }
            let count = page[.sessions]
            if count < best?.count ?? .max { best = (other.tag, count) }
        }
        guard let best, best.count < UInt64(clamping: own) else { return nil }
        return best.tag
    }
}
