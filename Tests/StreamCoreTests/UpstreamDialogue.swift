import Primitives

@testable import StreamCore

/// An upstream under a fake clock: it gets inputs and shows the effects of each. Questions that the wiring answers at
/// once are answered.
struct UpstreamDialogue {
    private(set) var machine: UpstreamMachine
    var rules: UpstreamRules
    var breakers: Breakers
    /// The clock, with an arbitrary start.
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    /// Whether names are looked up again by a question now.
    var isAskedAgain = false
    /// When the machine would be woken: as in a queue of deadlines, this is only set, and set earlier.
    private(set) var scheduled: MonotonicInstant?
    private var effects = UpstreamEffects()

    init(_ rules: UpstreamRules = .example(), breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))) {
        self.rules = rules
        self.breakers = breakers
        machine = UpstreamMachine(by: rules, now: now)
    }

    /// An upstream that searches a plain list of hosts and waits for the first host's addresses.
    static func begun(
        hosts: [String] = ["a"], _ rules: UpstreamRules = .example(),
        breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))
    ) -> UpstreamDialogue {
        var dialogue = UpstreamDialogue(rules, breakers: breakers)
        _ = dialogue.begin(hosts: hosts)
        return dialogue
    }

    /// An upstream that is connected to the first host.
    static func connected(
        hosts: [String] = ["a"], _ rules: UpstreamRules = .example(),
        breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))
    ) -> UpstreamDialogue {
        var dialogue = begun(hosts: hosts, rules, breakers: breakers)
        _ = dialogue.connect(hosts[0])
        return dialogue
    }

    /// An upstream whose stream is open.
    static func open(_ rules: UpstreamRules = .example(), offer: FeaturesOffer = FeaturesOffer()) -> UpstreamDialogue {
        var dialogue = connected(rules)
        _ = dialogue.open(offer)
        return dialogue
    }

    mutating func begin(hosts: [String]) -> [UpstreamEffect] {
        let targets = hosts.map { UpstreamTarget(host: $0, port: 5222, tls: rules.tls) }
        return self(.begin(domain: "d", route: .fixed(targets), seed: 1))
    }

    /// Finds the host's one address and connects at once. The attempt has the number that was asked for.
    mutating func connect(_ host: String) -> [UpstreamEffect] {
        var effects = self(.addresses(host: host, [.ipv4]))
        if case .connect(let attempt, _, _)? = effects.last { effects += self(.connected(attempt: attempt)) }
        return effects
    }

    /// Gives header and features.
    mutating func open(_ offer: FeaturesOffer = FeaturesOffer()) -> [UpstreamEffect] {
        var effects = self(.item(.header(.example)))
        effects += self(.item(.features(offer, bytes: [1])))
        return effects
    }

    mutating func callAsFunction(_ input: UpstreamInput) -> [UpstreamEffect] {
        var shown: [UpstreamEffect] = []
        var inputs = [input]
        while !inputs.isEmpty {
            effects.removeAll()
            let due = machine.handle(inputs.removeFirst(), by: rules, breakers: &breakers, now: now, into: &effects)
            if let due { scheduled = min(scheduled ?? due, due) }
            for effect in effects.list {
                switch effect {
                case .dropConnection: inputs.append(.dropped)
                case .doubt: inputs.append(.doubted(isAskedAgain: isAskedAgain))
                default: break
                }
            }
            shown += effects.list
        }
        if machine.isClosed { scheduled = nil }
        return shown
    }

    /// Notes that bytes came from the server.
    mutating func machineHears() { machine.noteRead() }

    mutating func wait(_ duration: Duration) { now = now.advanced(by: duration) }

    /// The time until the next deadline.
    var pause: Duration? { machine.nextDeadline(by: rules).map { $0.elapsed(since: now) } }

    /// Moves the clock to the next deadline. `unacknowledged`: what the kernel reports then.
    mutating func wake(unacknowledged: Int = 0, hasUnwritten: Bool = false) -> [UpstreamEffect] {
        guard let due = machine.nextDeadline(by: rules) else { return [] }
        now = max(now, due)
        return look(unacknowledged: unacknowledged, hasUnwritten: hasUnwritten)
    }

    /// Handles a deadline now.
    mutating func look(unacknowledged: Int = 0, hasUnwritten: Bool = false) -> [UpstreamEffect] {
        scheduled = nil
        return self(
            .deadlineReached(
                unacknowledged: machine.awaitsAcceptance ? unacknowledged : nil, hasUnwritten: hasUnwritten))
    }

    /// Moves from deadline to deadline until something is to be done, and shows it.
    mutating func wakeUntilSomething(unacknowledged: Int = 0, hasUnwritten: Bool = false) -> [UpstreamEffect] {
        for _ in 0..<1_000 {
            guard machine.nextDeadline(by: rules) != nil else { return [] }
            let effects = wake(unacknowledged: unacknowledged, hasUnwritten: hasUnwritten)
            if !effects.isEmpty { return effects }
        }
        return []
    }
}

extension UpstreamRules {
    /// Rules with times that are easy to distinguish.
    static func example(_ tls: TLSMode = .none) -> UpstreamRules {
        UpstreamRules(
            tls: tls, connectTimeout: .seconds(21), writeTimeout: .seconds(40), stanzaTimeout: .seconds(13),
            keepalive: .seconds(180))
    }
}

extension FoundAddress {
    static let ipv4 = FoundAddress(family: .ipv4, isPublic: true)
    static let ipv6 = FoundAddress(family: .ipv6, isPublic: true)
    static let inside = FoundAddress(family: .ipv4, isPublic: false)
}

extension UpstreamKey {
    /// A server of the domain `d` at the usual port.
    static func example(_ host: String, port: UInt16 = 5222) -> UpstreamKey {
        UpstreamKey(UpstreamTarget(host: host, port: port, tls: .none), of: "d")
    }
}

extension [UpstreamEffect] {
    /// Why the session was told that the stream has ended; nil when it was not told.
    var end: StreamFailure? {
        for case .ended(let failure) in self { return failure }
        return nil
    }

    /// The host whose addresses were asked for last.
    var host: String? {
        for case .lookUpAddresses(let host) in reversed() { return host }
        return nil
    }
}
