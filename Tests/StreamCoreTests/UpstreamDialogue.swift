import Primitives

@testable import StreamCore

/// An upstream under a fake clock: inputs in, and the effects of each shown. What the wiring answers at once is answered.
struct UpstreamDialogue {
    private(set) var machine: UpstreamMachine
    var rules: UpstreamRules
    var breakers: Breakers
    /// The clock, which begins anywhere.
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    /// Whether names are looked up again if somebody asks now.
    var isAskedAgain = false
    /// When the machine would be woken: deadlines are only ever set, and set earlier, as a queue of them does it.
    private(set) var scheduled: MonotonicInstant?
    private var effects = UpstreamEffects()

    init(_ rules: UpstreamRules = .example(), breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))) {
        self.rules = rules
        self.breakers = breakers
        machine = UpstreamMachine(by: rules, now: now)
    }

    /// One that has begun to look for a plain list of hosts, and waits for the first one's addresses.
    static func begun(
        hosts: [String] = ["a"], _ rules: UpstreamRules = .example(),
        breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))
    ) -> UpstreamDialogue {
        var dialogue = UpstreamDialogue(rules, breakers: breakers)
        _ = dialogue.begin(hosts: hosts)
        return dialogue
    }

    /// One that is connected to the first host.
    static func connected(
        hosts: [String] = ["a"], _ rules: UpstreamRules = .example(),
        breakers: Breakers = Breakers(failures: 2, longestPause: .seconds(60))
    ) -> UpstreamDialogue {
        var dialogue = begun(hosts: hosts, rules, breakers: breakers)
        _ = dialogue.connect(hosts[0])
        return dialogue
    }

    /// One whose stream is open.
    static func open(_ rules: UpstreamRules = .example(), offer: FeaturesOffer = FeaturesOffer()) -> UpstreamDialogue {
        var dialogue = connected(rules)
        _ = dialogue.open(offer)
        return dialogue
    }

    mutating func begin(hosts: [String]) -> [UpstreamEffect] {
        let targets = hosts.map { UpstreamTarget(host: $0, port: 5222, tls: rules.tls) }
        return self(.begin(domain: "d", route: .fixed(targets), seed: 1))
    }

    /// The host's one address is found, and a connection stands at once. The attempt's number is the one that was asked for.
    mutating func connect(_ host: String) -> [UpstreamEffect] {
        var effects = self(.addresses(host: host, [.ipv4]))
        if case .connect(let attempt, _, _)? = effects.last { effects += self(.connected(attempt: attempt)) }
        return effects
    }

    /// Header and features.
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

    /// Something came from the server.
    mutating func machineHears() { machine.noteRead() }

    mutating func wait(_ duration: Duration) { now = now.advanced(by: duration) }

    /// How long it is until the next deadline.
    var pause: Duration? { machine.nextDeadline(by: rules).map { $0.elapsed(since: now) } }

    /// Goes to the next deadline. `unacknowledged`: what the kernel says then.
    mutating func wake(unacknowledged: Int = 0, hasUnwritten: Bool = false) -> [UpstreamEffect] {
        guard let due = machine.nextDeadline(by: rules) else { return [] }
        now = max(now, due)
        return look(unacknowledged: unacknowledged, hasUnwritten: hasUnwritten)
    }

    /// A deadline is reached now.
    mutating func look(unacknowledged: Int = 0, hasUnwritten: Bool = false) -> [UpstreamEffect] {
        scheduled = nil
        return self(
            .deadlineReached(
                unacknowledged: machine.awaitsAcceptance ? unacknowledged : nil, hasUnwritten: hasUnwritten))
    }

    /// Goes from deadline to deadline until something is to be done, and shows that.
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
    /// Rules with times that are easy to tell apart.
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
    /// Why the session was told that the stream has ended; nil when it was not.
    var end: StreamFailure? {
        for case .ended(let failure) in self { return failure }
        return nil
    }

    /// The host whose addresses are asked for last.
    var host: String? {
        for case .lookUpAddresses(let host) in reversed() { return host }
        return nil
    }
}
