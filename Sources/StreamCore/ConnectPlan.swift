import Primitives

/// Which target and which address of it to connect to next, until a connection stands or nothing is left.
///
/// Driven like the other machines: inputs in, effects out, time as an argument. The caller executes the effects of one list in
/// order and may append those of answers that come at once (a cached name, a refused connection) to the same list: an effect
/// that can lead to an input is always the last of its list, but for the two look-ups of services, which do not depend on each
/// other. Inputs that nobody waits for (of abandoned attempts, doubled, too late) are ignored.
///
/// Every plan ends with `won` or `exhausted`, provided that every look-up is answered and every attempt ends; a `won` plan goes
/// on when `targetFailed` says that the connection was of no use. Meant to be dropped once the stream is open.
package struct ConnectPlan: Sendable {
    /// What happened.
    package enum Input: Sendable, Equatable {
        /// Start. Comes first, once.
        case begin
        /// The records of one service, as the DNS gave them.
        case services(ServiceKind, [ServiceRecord])
        /// There are none: the DNS said so (NXDOMAIN, NODATA), or it could not be asked (`isTemporary`).
        case servicesFailed(ServiceKind, isTemporary: Bool)
        /// The addresses of the target asked for last, in the resolver's order; their positions name them from here on.
        case addresses([AddressFamily])
        /// The target asked for last has no address, or it could not be found out.
        case addressesFailed
        /// The present target is not to be connected to (`.spared`, `.refusedTarget`): instead of its addresses, or later. No
        /// answer to its look-up may follow.
        case targetSkipped(StreamFailure)
        /// The connection of an attempt stands.
        case connected(attempt: Int)
        /// It could not be made.
        case failed(attempt: Int)
        /// It was not begun for want of something of our own, a descriptor or the like: the address is tried later, or at once
        /// when no other attempt is open any more. Comes at once or not at all; where it is the only attempt it has failed.
        case postponed(attempt: Int)
        /// The connection that won was of no use: TLS failed, or the stream before it was open.
        case targetFailed
        /// `nextWake` has passed.
        case wake
    }

    /// What is to be done about it.
    package enum Effect: Sendable, Equatable {
        /// Ask the DNS for the records of a service; answered by `services` or `servicesFailed`.
        case lookUpServices(ServiceKind, domain: String)
        /// Find the target's addresses; answered by `addresses`, `addressesFailed` or `targetSkipped`.
        case lookUpAddresses(UpstreamTarget)
        /// Connect to the address at this position of the present target's; answered by `connected`, `failed` or `postponed`.
        /// Numbers of attempts are never used twice in a plan.
        case connect(attempt: Int, address: Int)
        /// Close what was opened for this attempt; nothing more is heard of it.
        case abandon(attempt: Int)
        /// Use this attempt's connection; every other one was abandoned before.
        case won(attempt: Int, UpstreamTarget)
        /// Nothing is left to be tried: `.unresolved`, `.unreachable` (also when the last word was `targetFailed`), or what
        /// `targetSkipped` said.
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

    /// The most targets from the DNS that are tried: whoever owns a zone may put any number of records into it.
    package static let mostServiceTargets = 16

    private let route: TargetRoute
    private let mostTargets: Int
    private var chance: ChanceSource
    private var state = State.idle
    /// Targets that were not tried yet, the next one first.
    private var targets: ArraySlice<UpstreamTarget> = []
    private var attemptCount = 0
    /// Why the targets up to now were of no use; a failed connection says more than a missing name.
    private var failure = StreamFailure.unresolved

    /// A plan that has not begun. `seed` decides between targets of one priority (RFC 2782); the caller draws it at random.
    /// `mostTargets`: of those that the DNS names, how many are tried at most.
    package init(route: TargetRoute, seed: UInt64, mostTargets: Int = ConnectPlan.mostServiceTargets) {
        self.route = route
        self.mostTargets = mostTargets
        chance = ChanceSource(seed: seed)
    }

    /// A plan for the same way that has not begun. `seed`: as for a new one.
    package func again(seed: UInt64) -> ConnectPlan {
        ConnectPlan(route: route, seed: seed, mostTargets: mostTargets)
    }

    /// Whether there is another target to go on to after the present one.
    package var hasOtherTargets: Bool { !targets.isEmpty }

    /// The attempts at the present target that have begun and not ended.
    var openAttempts: [Int] {
        guard case .racing(_, let race) = state else { return [] }
        return race.open
    }

    /// When `wake` is due, on the clock that `now` is read from; nil when only another input brings the plan on.
    package var nextWake: MonotonicInstant? {
        guard case .racing(_, let race) = state else { return nil }
        return race.nextWake(hasRival: !targets.isEmpty)
    }

    /// Takes in what happened and appends what is to be done. `now`: the caller's monotonic clock.
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
            // Nobody waits for this.
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

    /// Turns to the next target, or ends.
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

    /// Tries the next address of the race beside those that are open.
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
