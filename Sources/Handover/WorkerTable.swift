import Primitives

/// The workers of a supervisor: which there are, when one is started again, and which one no longer does its work.
///
/// There are as many places as workers are wanted. A place has one living worker, or waits until it gets one. Each
/// worker has a tag of its own, which is never used again.
package struct WorkerTable: Sendable {
    /// What has happened.
    package enum Input: Equatable, Sendable {
        /// The listeners are open: start.
        case begin
        /// A worker serves.
        case ready(UInt32)
        /// The process of a worker has ended, or could not be started.
        case ended(UInt32)
        /// The workers are to finish. The second time, they are to end at once.
        case drain
        /// `nextDeadline` has come. `turns` has the loop counter of each living worker by its tag.
        case deadlineReached(turns: [UInt32: UInt64])
    }

    /// What is to be done, in this order.
    package enum Effect: Equatable, Sendable {
        /// Start a worker of this tag, and make it and the other living ones known to each other.
        case start(UInt32)
        /// All workers serve for the first time.
        case announce
        /// End the process of this worker at once, for this reason; `ended` follows.
        case kill(UInt32, KillReason)
        /// Tell the living workers that this one has ended. Another is started after this time; never for nil.
        case gone(UInt32, restart: Duration?)
        /// Ask this worker to finish and to end by itself.
        case drain(UInt32)
        /// No worker is left, and none will be started.
        case finished
    }

    /// Why the process of a worker is ended.
    package enum KillReason: Equatable, Sendable {
        /// Its loop has stood still.
        case isStuck
        /// It did not begin to serve in time.
        case didNotStart
        /// All of them end, because another one could not start or because they were asked twice.
        case allEnd
    }

    /// How the whole stands.
    package enum Phase: Equatable, Sendable {
        /// Not all workers have served yet. If one ends now, the program cannot start.
        case starting
        /// A worker that ends is replaced.
        case serving
        /// The workers finish, and none is replaced.
        case draining
        /// The workers are being ended, because one could not start or because they were asked twice.
        case ending
    }

    /// A worker whose process has been started and has not ended.
    private struct Member {
        let tag: UInt32
        let place: Int
        let startedAt: MonotonicInstant
        var isReady = false
        var isKilled = false
        /// The loop counter at the last look, and for how many looks it has stood still.
        var turns: UInt64 = 0
        var stillFor = 0
    }

    /// A place for one worker.
    private struct Place {
        /// How often in a row a worker of this place has died young.
        var youngDeaths = 0
        /// When the next worker is started; nil while there is one.
        var startsAt: MonotonicInstant?
    }

    /// How the whole stands.
    package private(set) var phase = Phase.starting
    /// How many workers have died while they should have served.
    package private(set) var deaths: UInt64 = 0
    private var members: [Member] = []
    private var places: [Place]
    private var nextTag: UInt32 = 1
    private var looksAt: MonotonicInstant?

    /// - Parameter wanted: how many workers there shall be, at least 1.
    package init(wanted: Int) {
        places = [Place](repeating: Place(), count: max(wanted, 1))
    }

    /// The tags of the workers whose processes run, oldest first.
    package var living: [UInt32] { members.map(\.tag) }

    /// The tags of those among them that serve, oldest first.
    package var ready: [UInt32] { members.filter(\.isReady).map(\.tag) }

    /// When `deadlineReached` is due; nil when nothing is.
    package var nextDeadline: MonotonicInstant? {
        let starts = places.compactMap(\.startsAt)
        let limits = members.filter { !$0.isReady && !$0.isKilled }.map { $0.startedAt.advanced(by: Self.startLimit) }
        return (starts + limits + [looksAt].compactMap { $0 }).min()
    }

    /// Decides what follows from `input`, at the instant `now`.
    package mutating func handle(_ input: Input, now: MonotonicInstant, into effects: inout [Effect]) {
        switch input {
        case .begin:
            for place in places.indices { start(place, now, &effects) }
            looksAt = now.advanced(by: Self.lookInterval)
        case .ready(let tag):
            becomeReady(tag, &effects)
        case .ended(let tag):
            end(tag, now, &effects)
        case .drain:
            drain(&effects)
        case .deadlineReached(let turns):
            startDue(now, &effects)
            killLate(now, &effects)
            look(at: turns, now, &effects)
        }
    }

    // MARK: Starting and ending

    private mutating func start(_ place: Int, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        let tag = nextTag
        // No worker has the tag 0.
        nextTag = max(nextTag &+ 1, 1)
        places[place].startsAt = nil
        members.append(Member(tag: tag, place: place, startedAt: now))
        effects.append(.start(tag))
    }

    private mutating func startDue(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        for place in places.indices {
            guard let startsAt = places[place].startsAt, startsAt <= now else { continue }
            start(place, now, &effects)
        }
    }

    private mutating func becomeReady(_ tag: UInt32, _ effects: inout [Effect]) {
        guard let index = index(of: tag) else { return }
        members[index].isReady = true
        guard phase == .starting, members.count == places.count, members.allSatisfy(\.isReady) else { return }
        phase = .serving
        effects.append(.announce)
    }

    private mutating func end(_ tag: UInt32, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard let index = index(of: tag) else { return }
        let member = members.remove(at: index)
        switch phase {
        case .starting:
            // What keeps one worker from starting keeps all of them, and the operator is to see it at once.
            effects.append(.gone(tag, restart: nil))
            endAll(&effects)
        case .serving:
            deaths += 1
            let delay = delay(after: now.elapsed(since: member.startedAt), in: member.place)
            places[member.place].startsAt = now.advanced(by: delay)
            effects.append(.gone(tag, restart: delay))
            startDue(now, &effects)
        case .draining, .ending:
            effects.append(.gone(tag, restart: nil))
        }
        finishIfEmpty(&effects)
    }

    /// How long a place waits for its next worker, after the last one lived for `life`.
    private mutating func delay(after life: Duration, in place: Int) -> Duration {
        if life >= Self.longLife { places[place].youngDeaths = 0 }
        let before = places[place].youngDeaths
        places[place].youngDeaths = min(before + 1, Self.delays.count - 1)
        return Self.delays[before]
    }

    private mutating func drain(_ effects: inout [Effect]) {
        switch phase {
        case .starting, .serving:
            phase = .draining
            for place in places.indices { places[place].startsAt = nil }
            effects += members.map { .drain($0.tag) }
            finishIfEmpty(&effects)
        case .draining, .ending:
            endAll(&effects)
        }
    }

    private mutating func endAll(_ effects: inout [Effect]) {
        phase = .ending
        for place in places.indices { places[place].startsAt = nil }
        for index in members.indices { kill(index, .allEnd, &effects) }
    }

    private mutating func finishIfEmpty(_ effects: inout [Effect]) {
        guard members.isEmpty, phase == .draining || phase == .ending else { return }
        looksAt = nil
        effects.append(.finished)
    }

    // MARK: Looking after them

    /// Kills the workers that did not begin to serve in time.
    private mutating func killLate(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        for index in members.indices where !members[index].isReady {
            guard members[index].startedAt.advanced(by: Self.startLimit) <= now else { continue }
            kill(index, .didNotStart, &effects)
        }
    }

    /// Compares the loop counters with those of the last look, when the next one is due.
    ///
    /// A worker is stuck after some looks, not after some time: when the whole machine was halted, its workers have
    /// stood still for a long time and only one look.
    private mutating func look(
        at turns: [UInt32: UInt64], _ now: MonotonicInstant, _ effects: inout [Effect]
    ) {
        guard let due = looksAt, due <= now else { return }
        looksAt = now.advanced(by: Self.lookInterval)
        for index in members.indices where members[index].isReady {
            guard let turns = turns[members[index].tag] else { continue }
            members[index].stillFor = turns == members[index].turns ? members[index].stillFor + 1 : 0
            members[index].turns = turns
            if members[index].stillFor >= Self.stillLimit { kill(index, .isStuck, &effects) }
        }
    }

    private mutating func kill(_ index: Int, _ reason: KillReason, _ effects: inout [Effect]) {
        guard !members[index].isKilled else { return }
        members[index].isKilled = true
        effects.append(.kill(members[index].tag, reason))
    }

    private func index(of tag: UInt32) -> Int? { members.firstIndex { $0.tag == tag } }

    // MARK: Constants

    /// A worker that dies earlier than this after its start has died young.
    static let longLife = Duration.seconds(10)
    /// How long a place stays empty, by how many of its workers have died young in a row.
    static let delays: [Duration] = [.zero] + [1, 2, 4, 8, 16, 32, 60].map { .seconds($0) }
    /// How long a worker may take until it serves: its files may lie on a slow disk.
    static let startLimit = Duration.seconds(60)
    /// How often the loop counters are compared. An idle loop turns at least twice as often.
    static let lookInterval = Duration.seconds(2)
    /// After how many looks a counter that stands still means that its worker is stuck.
    static let stillLimit = 5
}
