import Primitives

/// The processes that look up names for all workers of a supervisor: when one is started, and who gets a connection to it.
///
/// There is no process until a worker needs one. From then on each place has a process, or waits until it gets one. Each
/// process has a tag of its own, which is never used again.
package struct ResolverTable: Sendable {
    /// What has happened.
    package enum Input: Equatable, Sendable {
        /// A worker has names to look up.
        case needed
        /// The process of this tag has ended, or could not be started.
        case ended(UInt32)
        /// A worker was given a connection to the process of this tag, and has none.
        case lost(UInt32, worker: UInt32)
        /// `nextDeadline` has come.
        case deadlineReached
    }

    /// What is to be done, in this order.
    package enum Effect: Equatable, Sendable {
        /// Start a process of this tag, and give each worker a connection to it.
        case start(UInt32)
        /// Give this worker a connection to the process of this tag.
        case connect(UInt32, worker: UInt32)
        /// Forget the process of this tag. Another is started after this time.
        case gone(UInt32, restart: Duration)
    }

    /// A place for one process.
    private struct Place {
        /// The process that runs; nil while there is none.
        var tag: UInt32?
        var startedAt = MonotonicInstant(nanoseconds: 0)
        /// How often in a row a process of this place has died young.
        var youngDeaths = 0
        /// When the next process is started; nil while there is one, and before any is needed.
        var startsAt: MonotonicInstant?
    }

    /// A worker that gets another connection.
    private struct Loss {
        let tag: UInt32
        let worker: UInt32
        let mendsAt: MonotonicInstant
    }

    private var places: [Place]
    private var losses: [Loss] = []
    private var nextTag: UInt32 = 1
    private var isNeeded = false

    /// - Parameter count: how many processes there shall be, at least 1.
    package init(count: Int = ResolverTable.standardCount) {
        places = [Place](repeating: Place(), count: max(count, 1))
    }

    /// The processes that run, in the order of their places.
    package var living: [UInt32] { places.compactMap(\.tag) }

    /// The place of the process of this tag; nil when it does not run.
    package func place(of tag: UInt32) -> Int? { places.firstIndex { $0.tag == tag } }

    /// When `deadlineReached` is due; nil when nothing is.
    package var nextDeadline: MonotonicInstant? {
        (places.compactMap(\.startsAt) + losses.map(\.mendsAt)).min()
    }

    /// Decides what follows from `input`, at the instant `now`.
    package mutating func handle(_ input: Input, now: MonotonicInstant, into effects: inout [Effect]) {
        switch input {
        case .needed:
            guard !isNeeded else { return }
            isNeeded = true
            for index in places.indices { start(index, now, &effects) }
        case .ended(let tag):
            end(tag, now, &effects)
        case .lost(let tag, let worker):
            guard place(of: tag) != nil, !losses.contains(where: { $0.tag == tag && $0.worker == worker }) else {
                return
            }
            losses.append(Loss(tag: tag, worker: worker, mendsAt: now.advanced(by: Self.mendingPause)))
        case .deadlineReached:
            for index in places.indices where places[index].startsAt.map({ $0 <= now }) ?? false {
                start(index, now, &effects)
            }
            effects += losses.filter { $0.mendsAt <= now }.map { .connect($0.tag, worker: $0.worker) }
            losses.removeAll { $0.mendsAt <= now }
        }
    }

    private mutating func start(_ index: Int, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        let tag = nextTag
        nextTag = max(nextTag &+ 1, 1)
        places[index].tag = tag
        places[index].startedAt = now
        places[index].startsAt = nil
        effects.append(.start(tag))
    }

    private mutating func end(_ tag: UInt32, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard let index = place(of: tag) else { return }
        // Every worker gets a connection to the next process anyway.
        losses.removeAll { $0.tag == tag }
        if places[index].startedAt.advanced(by: Self.longLife) <= now { places[index].youngDeaths = 0 }
        let delay = Self.delays[places[index].youngDeaths]
        places[index].youngDeaths = min(places[index].youngDeaths + 1, Self.delays.count - 1)
        places[index].tag = nil
        effects.append(.gone(tag, restart: delay))
        guard delay > .zero else {
            start(index, now, &effects)
            return
        }
        places[index].startsAt = now.advanced(by: delay)
    }

    // MARK: Constants

    /// How many names are looked up at the same time, so that one slow name server does not delay all. Two places are
    /// kept for the operator's domains; of the rest one stranger may take `address-lookups`.
    package static let standardCount = 6
    /// A process that dies earlier than this after its start has died young.
    static let longLife = WorkerTable.longLife
    /// How long a place stays empty, by how many of its processes have died young in a row.
    static let delays = WorkerTable.delays
    /// How long a worker waits for another connection. What took the last one, such as a lack of descriptors, is still
    /// there at once.
    static let mendingPause = Duration.seconds(1)
}
