import Primitives

/// Decides which target, and which address of it, to connect to next, until a connection is made or nothing is left to
/// try.
///
/// It is driven like the other machines: inputs in, effects out, time as an argument. The caller executes the effects
/// of a list in order. An answer that comes at once (a cached name, a refused connection) may append its effects to the
/// same list. So an effect that can lead to an input is always the last of its list. The only exception are the two
/// look-ups of services, which do not depend on each other. The plan ignores inputs that it does not expect (from
/// abandoned attempts, repeated or late ones).
///
/// Every plan ends with `won` or `exhausted`, provided that every look-up is answered and every attempt ends. A `won`
/// plan continues when `targetFailed` says that the connection was of no use. The owner drops the plan once the stream
/// is open.
package struct ConnectPlan: Sendable {
    /// What happened.
    package enum Input: Sendable, Equatable {
        /// Start the plan. Comes first, and once.
        case begin
        /// The records of one service, as the DNS gave them.
        case services(ServiceKind, [ServiceRecord])
        /// The service has no records, as the DNS said (NXDOMAIN, NODATA), or the DNS could not be asked
        /// (`isTemporary`).
        case servicesFailed(ServiceKind, isTemporary: Bool)
        /// The addresses of the target that was looked up last, in the resolver's order; from here on their positions
        /// name them.
        case addresses([AddressFamily])
        /// The target that was looked up last has no address, or the resolver could not find it out.
        case addressesFailed
        /// The present target must not be connected to (`.spared`, `.refusedTarget`). Comes instead of its addresses,
        /// or later. No answer to the target's look-up may follow.
        case targetSkipped(StreamFailure)
        /// The connection of an attempt is made.
        case connected(attempt: Int)
        /// The connection of an attempt could not be made.
        case failed(attempt: Int)
        /// The attempt was not begun because this side lacked a resource, such as a descriptor. The plan tries the
        /// address later, or at once when no other attempt is open any more. Comes at once or not at all. If it was the
        /// only attempt, the plan counts it as failed.
        case postponed(attempt: Int)
        /// The connection that won was of no use: TLS failed, or the stream ended before it was open.
        case targetFailed
        /// `nextWake` has passed.
        case wake
    }

    /// What the caller has to do.
    package enum Effect: Sendable, Equatable {
        /// Ask the DNS for the records of a service; answered by `services` or `servicesFailed`.
        case lookUpServices(ServiceKind, domain: String)
        /// Find the target's addresses; answered by `addresses`, `addressesFailed` or `targetSkipped`.
        case lookUpAddresses(UpstreamTarget)
        /// Connect to the address at this position in the present target's list; answered by `connected`, `failed` or
        /// `postponed`. A plan never uses the number of an attempt twice.
        case connect(attempt: Int, address: Int)
        /// Close what was opened for this attempt; the plan ignores everything that still comes of it.
        case abandon(attempt: Int)
        /// Use the connection of this attempt; all other attempts were abandoned before.
        case won(attempt: Int, UpstreamTarget)
        /// Nothing is left to try: `.unresolved`, `.unreachable` (also when the last input was `targetFailed`), or the
        /// reason that `targetSkipped` gave.
        case exhausted(StreamFailure)
    }

    private enum State: Sendable {
        case idle
        case awaitingServices(ServiceAnswers)
        case resolving(UpstreamTarget)
        case racing(UpstreamTarget, AddressRace)
        case won
        case ended
    }

    /// How many targets from the DNS are tried at most: the owner of a zone may put any number of records into it.
    package static let mostServiceTargets = 16

    private let route: TargetRoute
    private let mostTargets: Int
    private var chance: ChanceSource
    private var state = State.idle
    /// The targets that were not tried yet, the next one first.
    private var targets: ArraySlice<UpstreamTarget> = []
    private var attemptCount = 0
    /// Why the targets so far were of no use. A failed connection says more than a missing name.
    private var failure = StreamFailure.unresolved

    /// Creates a plan that has not begun. `seed` decides between targets of one priority (RFC 2782); the caller draws
    /// it at random. `mostTargets`: how many of the targets that the DNS names are tried at most.
    package init(route: TargetRoute, seed: UInt64, mostTargets: Int = ConnectPlan.mostServiceTargets) {
        self.route = route
        self.mostTargets = mostTargets
        chance = ChanceSource(seed: seed)
    }

    /// A new plan for the same route. `seed`: as in the initializer.
    package func again(seed: UInt64) -> ConnectPlan {
        ConnectPlan(route: route, seed: seed, mostTargets: mostTargets)
    }

    /// Whether the plan has a further target after the present one.
    package var hasOtherTargets: Bool { !targets.isEmpty }

    /// The attempts at the present target that have not ended.
    var openAttempts: [Int] {
        guard case .racing(_, let race) = state else { return [] }
        return race.open
    }

    /// When `wake` is due, on the clock that `now` comes from; nil when only another input can advance the plan.
    package var nextWake: MonotonicInstant? {
        guard case .racing(_, let race) = state else { return nil }
        return race.nextWake(hasRival: !targets.isEmpty)
    }

    /// Handles an input and appends the effects. `now`: the caller's monotonic clock.
    package mutating func handle(_ input: Input, now: MonotonicInstant, into effects: inout [Effect]) {
        switch (input, state) {
        case (.begin, .idle):
            begin(into: &effects)
        case (.services(let kind, let records), .awaitingServices(var answers)):
            answers.note(kind, records)
            handle(answers, into: &effects)
        case (.servicesFailed(let kind, let isTemporary), .awaitingServices(var answers)):
            answers.noteFailure(kind, isTemporary: isTemporary)
            handle(answers, into: &effects)
        case (.addresses(let families), .resolving(let target)):
            startRace(to: target, AddressRace(families: families), now: now, into: &effects)
        case (.addressesFailed, .resolving):
            goOn(because: .unresolved, into: &effects)
        case (.targetSkipped(let reason), .resolving):
            goOn(because: reason, into: &effects)
        case (.targetSkipped(let reason), .racing(_, let race)):
            abandonAll(of: race, into: &effects)
            goOn(because: reason, into: &effects)
        case (.connected(let attempt), .racing(let target, let race)):
            handleConnected(attempt, of: target, race, into: &effects)
        case (.failed(let attempt), .racing(let target, let race)):
            handleFailed(attempt, of: target, race, now: now, into: &effects)
        case (.postponed(let attempt), .racing(let target, var race)):
            if race.postpone(attempt, now: now) {
                state = .racing(target, race)
            } else {
                handleFailed(attempt, of: target, race, now: now, into: &effects)
            }
        case (.wake, .racing(let target, let race)):
            handleWake(of: target, race, now: now, into: &effects)
        case (.targetFailed, .won):
            goOn(because: .unreachable, into: &effects)
        default:
            // The plan does not expect this input.
            break
        }
    }

    private mutating func begin(into effects: inout [Effect]) {
        switch route {
        case .fixed(let given):
            targets = TargetOrder.order(given, using: &chance)[...]
            goOn(because: .unresolved, into: &effects)
        case .dns(let domain, let tls):
            let answers = ServiceAnswers(tls: tls)
            state = .awaitingServices(answers)
            for kind in answers.awaited { effects.append(.lookUpServices(kind, domain: domain)) }
        }
    }

    private mutating func handle(_ answers: ServiceAnswers, into effects: inout [Effect]) {
        guard case .dns(let domain, _) = route, answers.isComplete else { return state = .awaitingServices(answers) }
        targets =
            TargetOrder.order(answers.targets(of: domain), most: mostTargets, using: &chance)[...]
        goOn(because: .unresolved, into: &effects)
    }

    /// Turns to the next target, or ends the plan.
    private mutating func goOn(because reason: StreamFailure, into effects: inout [Effect]) {
        if failure != .unreachable { failure = reason }
        if let target = targets.popFirst() {
            state = .resolving(target)
            effects.append(.lookUpAddresses(target))
        } else {
            state = .ended
            effects.append(.exhausted(failure))
        }
    }

    private mutating func startRace(
        to target: UpstreamTarget, _ race: AddressRace, now: MonotonicInstant, into effects: inout [Effect]
    ) {
        guard !race.isLost else { return goOn(because: .unresolved, into: &effects) }
        startNext(of: target, race, now: now, into: &effects)
    }

    /// Tries the next address of the race beside the attempts that are open.
    private mutating func startNext(
        of target: UpstreamTarget, _ race: AddressRace, now: MonotonicInstant, into effects: inout [Effect]
    ) {
        var race = race
        if let address = race.start(attemptCount, now: now) {
            effects.append(.connect(attempt: attemptCount, address: address))
            attemptCount += 1
        }
        state = .racing(target, race)
    }

    private mutating func handleConnected(
        _ attempt: Int, of target: UpstreamTarget, _ race: AddressRace, into effects: inout [Effect]
    ) {
        var race = race
        guard race.remove(attempt) else { return }
        abandonAll(of: race, into: &effects)
        state = .won
        effects.append(.won(attempt: attempt, target))
    }

    private mutating func handleFailed(
        _ attempt: Int, of target: UpstreamTarget, _ race: AddressRace, now: MonotonicInstant,
        into effects: inout [Effect]
    ) {
        var race = race
        guard race.remove(attempt) else { return }
        if race.isLost {
            goOn(because: .unreachable, into: &effects)
        } else {
            startNext(of: target, race, now: now, into: &effects)
        }
    }

    private mutating func handleWake(
        of target: UpstreamTarget, _ race: AddressRace, now: MonotonicInstant, into effects: inout [Effect]
    ) {
        guard let due = nextWake, due <= now else { return }
        if race.hasWaiting, !race.isOverdue(hasRival: hasOtherTargets, now: now) {
            startNext(of: target, race, now: now, into: &effects)
        } else {
            abandonAll(of: race, into: &effects)
            goOn(because: .unreachable, into: &effects)
        }
    }

    private func abandonAll(of race: AddressRace, into effects: inout [Effect]) {
        for attempt in race.open { effects.append(.abandon(attempt: attempt)) }
    }
}
