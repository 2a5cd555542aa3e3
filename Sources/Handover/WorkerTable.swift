import Primitives

/// The workers of a supervisor: which there are, when one is started again, which one no longer does its work, and which
/// generation serves new clients.
///
/// A generation has as many places as workers are wanted. A place of the current generation has one living worker, or
/// waits until it gets one. Each worker has a tag of its own, which is never used again. A new generation takes the place
/// of the current one when all its workers are ready; the old one then keeps its sessions until they end.
package struct WorkerTable: Sendable {
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

    /// A worker that an earlier supervisor has started and that serves.
    package struct Inherited: Equatable, Sendable {
        let tag: UInt32
        let generation: UInt32
        let workers: Int
        let isRetired: Bool

        /// A worker of this tag and generation. `workers`: how many that generation is to have, 1 or more. `isRetired`:
        /// whether the worker takes no new sessions.
        package init(tag: UInt32, generation: UInt32, workers: Int, isRetired: Bool) {
            self.tag = tag
            self.generation = generation
            self.workers = workers
            self.isRetired = isRetired
        }
    }

    /// How long old generations live, and how many.
    package struct Retirement: Equatable, Sendable {
        /// How long a generation lives at most after another has taken its place.
        package var linger: Duration
        /// How many generations live at most, 1 or more, the current one among them.
        package var generations: Int

        /// Rules made of their parts.
        package init(linger: Duration, generations: Int) {
            self.linger = linger
            self.generations = generations
        }
    }

    /// A worker whose process has been started and has not ended.
    private struct Member {
        let tag: UInt32
        let generation: UInt32
        let place: Int
        let startedAt: MonotonicInstant
        var isReady = false
        var isKilled = false
    }

    /// A place for one worker.
    private struct Place {
        /// How often in a row a worker of this place has died young.
        var youngDeaths = 0
        /// When the next worker is started; nil while there is one.
        var startsAt: MonotonicInstant?
    }

    /// A generation that no longer takes new sessions.
    private struct Retired {
        let generation: UInt32
        /// When its sessions are ended; nil when they were.
        var drainsAt: MonotonicInstant?
    }

    /// How the whole stands.
    package private(set) var phase = Phase.starting
    /// How many workers have died while they should have served new clients.
    package private(set) var deaths: UInt64 = 0
    /// How long old generations live. A change holds for those that are retired later.
    package var retirement: Retirement
    /// The generation that serves new clients, or will; 1 or more.
    package private(set) var current: UInt32 = 1
    private var members: [Member] = []
    private var places: [Place]
    /// Whether nothing is known of the current generation, because none of its workers was left to take over: then none of
    /// them can be started either.
    private var isCurrentUnknown = false
    /// The new generation whose workers are not all ready yet, and how many it has.
    private var candidate: (generation: UInt32, wanted: Int)?
    private var retired: [Retired] = []
    private var nextTag: UInt32
    private var nextGeneration: UInt32 = 2
    private var watch = LoopWatch()

    /// - Parameters:
    ///   - wanted: how many workers there shall be, at least 1.
    ///   - next: the tag of the first one, at least 1: workers of an earlier supervisor had the others.
    package init(
        wanted: Int, next: UInt32 = 1, retirement: Retirement = Retirement(linger: .seconds(86_400), generations: 8)
    ) {
        places = [Place](repeating: Place(), count: max(wanted, 1))
        nextTag = max(next, 1)
        self.retirement = retirement
    }

    /// A table of workers that an earlier supervisor has started. The newest generation that is not retired is the
    /// current one.
    ///
    /// - Parameters:
    ///   - next: the tag of the next worker, unless an inherited one has that or a higher one.
    package init(inheriting inherited: [Inherited], next: UInt32, retirement: Retirement, now: MonotonicInstant) {
        let newest = inherited.filter { !$0.isRetired }.map(\.generation).max()
        current = newest ?? max((inherited.map(\.generation).max() ?? 0) &+ 1, 1)
        let serving = inherited.filter { $0.generation == newest }
        // Some may have ended whose successors did not serve yet. Their places stay empty until it is certain that no new
        // generation follows.
        let wanted = min(serving.map(\.workers).max() ?? 1, Self.mostPlaces)
        places = [Place](repeating: Place(), count: max(serving.count, wanted, 1))
        isCurrentUnknown = newest == nil
        self.retirement = retirement
        phase = .serving
        nextTag = max(next, (inherited.map(\.tag).max() ?? 0) &+ 1, 1)
        nextGeneration = max(current &+ 1, 1)
        watch.begin(now: now)
        var place = 0
        for worker in inherited.sorted(by: { $0.tag < $1.tag }) {
            let isCurrent = worker.generation == current
            members.append(
                Member(
                    tag: worker.tag, generation: worker.generation, place: isCurrent ? place : 0, startedAt: now,
                    isReady: true))
            if isCurrent { place += 1 }
        }
        for generation in Set(inherited.map(\.generation)).subtracting([current]).sorted() {
            retired.append(Retired(generation: generation, drainsAt: now.advanced(by: retirement.linger)))
        }
    }

    /// The tags of the workers whose processes run, oldest first.
    package var living: [UInt32] { members.map(\.tag) }

    /// The tags of those among them that are ready to serve, oldest first.
    package var ready: [UInt32] { members.filter(\.isReady).map(\.tag) }

    /// The tags of those among them that serve, oldest first: not those of a new generation that starts.
    package var serving: [UInt32] {
        members.filter { $0.isReady && $0.generation != candidate?.generation && phase != .starting }.map(\.tag)
    }

    /// The tags of those among them that take no new sessions, oldest first.
    package var retiredTags: [UInt32] { members.filter { isRetired($0.generation) }.map(\.tag) }

    /// The generations that have workers, oldest first.
    package var generations: [UInt32] { Set(members.map(\.generation)).union([current]).sorted() }

    /// Whether a new generation is being started.
    package var isRenewing: Bool { candidate != nil }

    /// The generation of a worker; nil when its process does not run.
    package func generation(of tag: UInt32) -> UInt32? { members.first { $0.tag == tag }?.generation }

    /// The number that the next generation gets.
    package var upcomingGeneration: UInt32 { nextGeneration }

    /// The tag that the next worker gets.
    package var upcomingTag: UInt32 { nextTag }

    /// When `deadlineReached` is due; nil when nothing is.
    package var nextDeadline: MonotonicInstant? {
        let starts = places.compactMap(\.startsAt) + retired.compactMap(\.drainsAt)
        let limits = members.filter { !$0.isReady && !$0.isKilled }.map { $0.startedAt.advanced(by: Self.startLimit) }
        return (starts + limits + [watch.looksAt].compactMap { $0 }).min()
    }

    /// Decides what follows from `input`, at the instant `now`.
    package mutating func handle(_ input: Input, now: MonotonicInstant, into effects: inout [Effect]) {
        switch input {
        case .begin:
            for place in places.indices { start(place, now, &effects) }
            watch.begin(now: now)
        case .renew(let wanted):
            renew(max(wanted, 1), now, &effects)
        case .keep:
            if phase == .serving, candidate == nil { complete(now, &effects) }
        case .ready(let tag):
            becomeReady(tag, now, &effects)
        case .ended(let tag):
            end(tag, now, &effects)
        case .drain:
            drain(&effects)
        case .deadlineReached(let turns):
            startDue(now, &effects)
            killLate(now, &effects)
            drainDue(now, &effects)
            for tag in watch.look(at: turns, of: ready, now: now) {
                if let index = index(of: tag) { kill(index, .isStuck, &effects) }
            }
        }
    }

    // MARK: Starting and ending

    private mutating func start(_ place: Int, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        places[place].startsAt = nil
        add(place, current, now, &effects)
    }

    private mutating func add(
        _ place: Int, _ generation: UInt32, _ now: MonotonicInstant, _ effects: inout [Effect]
    ) {
        let tag = nextTag
        // No worker has the tag 0.
        nextTag = max(nextTag &+ 1, 1)
        members.append(Member(tag: tag, generation: generation, place: place, startedAt: now))
        effects.append(.start(tag, generation: generation))
    }

    private mutating func startDue(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        for place in places.indices {
            guard let startsAt = places[place].startsAt, startsAt <= now else { continue }
            start(place, now, &effects)
        }
    }

    private mutating func becomeReady(_ tag: UInt32, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard let index = index(of: tag), !members[index].isReady, !members[index].isKilled else { return }
        members[index].isReady = true
        if members[index].generation == candidate?.generation {
            promoteIfReady(now, &effects)
        } else if phase == .starting {
            guard members.count == places.count, members.allSatisfy(\.isReady) else { return }
            phase = .serving
            effects += members.map { .serve($0.tag) }
            effects.append(.announce)
        } else if phase == .serving {
            effects.append(.serve(tag))
        }
    }

    private mutating func end(_ tag: UInt32, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard let index = index(of: tag) else { return }
        let member = members.remove(at: index)
        watch.forget(tag)
        switch phase {
        case .starting:
            // What keeps one worker from starting keeps all of them, and the operator is to see it at once.
            effects.append(.gone(tag, restart: nil))
            endAll(&effects)
        case .serving where member.generation == current:
            replace(member, now, &effects)
        case .serving where member.generation == candidate?.generation && isCurrentUnknown:
            insist(&effects)
            replace(member, now, &effects)
        case .serving where member.generation == candidate?.generation:
            effects.append(.gone(tag, restart: nil))
            abandon(now, &effects)
        case .serving, .draining, .ending:
            effects.append(.gone(tag, restart: nil))
        }
        retired.removeAll { old in !members.contains { $0.generation == old.generation } }
        finishIfEmpty(&effects)
    }

    private mutating func replace(_ member: Member, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        deaths += 1
        let delay = delay(after: now.elapsed(since: member.startedAt), in: member.place)
        places[member.place].startsAt = now.advanced(by: delay)
        effects.append(.gone(member.tag, restart: delay))
        startDue(now, &effects)
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
            for index in retired.indices { retired[index].drainsAt = nil }
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
        watch.end()
        effects.append(.finished)
    }

    // MARK: Generations

    private mutating func renew(_ wanted: Int, _ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard phase == .serving, candidate == nil else { return }
        let generation = nextGeneration
        nextGeneration = max(nextGeneration &+ 1, 1)
        candidate = (generation, wanted)
        for place in 0..<wanted { add(place, generation, now, &effects) }
    }

    /// Puts the new generation in the place of the current one once all its workers are ready.
    private mutating func promoteIfReady(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard phase == .serving, let (generation, wanted) = candidate else { return }
        let new = members.filter { $0.generation == generation }
        guard new.count == wanted, new.allSatisfy(\.isReady) else { return }
        let old = current
        begin(generation, wanted)
        retired.append(Retired(generation: old, drainsAt: now.advanced(by: retirement.linger)))
        // A worker that was being started again has nothing to keep.
        for index in members.indices where members[index].generation == old && !members[index].isReady {
            kill(index, .isAbandoned, &effects)
        }
        effects += new.map { .serve($0.tag) }
        effects.append(.renewed(generation))
        retireOld(&effects)
        retired.removeAll { old in !members.contains { $0.generation == old.generation } }
        drainSurplus(&effects)
    }

    private mutating func begin(_ generation: UInt32, _ wanted: Int) {
        candidate = nil
        current = generation
        isCurrentUnknown = false
        places = [Place](repeating: Place(), count: wanted)
    }

    private func retireOld(_ effects: inout [Effect]) {
        effects += members.filter { isRetired($0.generation) && $0.isReady }.map { .retire($0.tag) }
    }

    /// Goes on with the new generation although not all its workers are ready.
    private mutating func insist(_ effects: inout [Effect]) {
        guard let (generation, wanted) = candidate else { return }
        begin(generation, wanted)
        effects += members.filter { $0.generation == generation && $0.isReady }.map { .serve($0.tag) }
        effects.append(.insisted(generation))
        retireOld(&effects)
    }

    private mutating func abandon(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard let (generation, _) = candidate else { return }
        candidate = nil
        effects.append(.abandoned(generation))
        for index in members.indices where members[index].generation == generation {
            kill(index, .isAbandoned, &effects)
        }
        // Until their ends have come they are no part of the current generation.
        retired.append(Retired(generation: generation, drainsAt: nil))
        complete(now, &effects)
    }

    /// Starts the workers of the current generation that were missing when it was taken over.
    private mutating func complete(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        guard !isCurrentUnknown else { return }
        let taken = Set(members.filter { $0.generation == current }.map(\.place))
        for place in places.indices where places[place].startsAt == nil && !taken.contains(place) {
            start(place, now, &effects)
        }
    }

    /// Ends the oldest generations while more live than may.
    private mutating func drainSurplus(_ effects: inout [Effect]) {
        var surplus = retired.count + 1 - max(retirement.generations, 1)
        for index in retired.indices where surplus > 0 {
            drain(index, &effects)
            surplus -= 1
        }
    }

    private mutating func drainDue(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        for index in retired.indices where retired[index].drainsAt.map({ $0 <= now }) ?? false {
            drain(index, &effects)
        }
    }

    private mutating func drain(_ index: Int, _ effects: inout [Effect]) {
        guard retired[index].drainsAt != nil else { return }
        retired[index].drainsAt = nil
        let generation = retired[index].generation
        effects += members.filter { $0.generation == generation && !$0.isKilled }.map { .drain($0.tag) }
    }

    private func isRetired(_ generation: UInt32) -> Bool { retired.contains { $0.generation == generation } }

    // MARK: Looking after them

    /// Kills the workers that were not ready in time.
    private mutating func killLate(_ now: MonotonicInstant, _ effects: inout [Effect]) {
        for index in members.indices where !members[index].isReady {
            guard members[index].startedAt.advanced(by: Self.startLimit) <= now else { continue }
            kill(index, .didNotStart, &effects)
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
    /// The most workers of a generation that was taken over. What is said of their number may be wrong.
    static let mostPlaces = 1_024
    /// How long a worker may take until it is ready: the machine may be slow.
    static let startLimit = Duration.seconds(60)
}
