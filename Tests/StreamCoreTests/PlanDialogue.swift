import Primitives
import StreamCore

/// A plan that gets inputs at moments of its own clock and shows the effects of each.
struct PlanDialogue {
    private(set) var plan: ConnectPlan
    /// The clock, with an arbitrary start.
    var now = MonotonicInstant.seconds(1000)

    init(_ route: TargetRoute, seed: UInt64 = 1) { plan = ConnectPlan(route: route, seed: seed) }

    /// A plan for a plain list of hosts without TLS.
    init(hosts: String..., seed: UInt64 = 1) {
        self.init(.fixed(hosts.map { .example($0) }), seed: seed)
    }

    mutating func callAsFunction(_ input: ConnectPlan.Input) -> [ConnectPlan.Effect] {
        var effects: [ConnectPlan.Effect] = []
        plan.handle(input, now: now, into: &effects)
        return effects
    }

    /// The time until the plan wants to be woken.
    var pause: Duration? { plan.nextWake.map { $0.elapsed(since: now) } }

    /// Wakes the plan when it wants that.
    mutating func wake() -> [ConnectPlan.Effect] {
        if let due = plan.nextWake { now = due }
        return self(.wake)
    }

    /// All targets in the order in which they are tried when none has an address, and the reason of the end.
    static func targets(
        _ route: TargetRoute, seed: UInt64 = 1, answers: [ConnectPlan.Input] = []
    ) -> (targets: [UpstreamTarget], end: StreamFailure?) {
        var dialogue = PlanDialogue(route, seed: seed)
        var effects = dialogue(.begin)
        for answer in answers { effects += dialogue(answer) }
        var targets: [UpstreamTarget] = []
        while let last = effects.last {
            effects = []
            switch last {
            case .lookUpAddresses(let target):
                targets.append(target)
                effects = dialogue(.addressesFailed)
            case .exhausted(let failure):
                return (targets, failure)
            default:
                break
            }
        }
        return (targets, nil)
    }
}

extension UpstreamTarget {
    /// A target without TLS.
    static func example(_ host: String, priority: UInt16 = 0, weight: UInt16 = 0) -> UpstreamTarget {
        UpstreamTarget(host: host, port: 5222, tls: .none, priority: priority, weight: weight)
    }
}

extension ServiceRecord {
    /// A record for the usual port.
    static func example(
        _ target: String, priority: UInt16 = 0, weight: UInt16 = 0, port: UInt16 = 5222
    ) -> ServiceRecord {
        ServiceRecord(priority: priority, weight: weight, port: port, target: target)
    }

    /// A record which says that the service is not offered.
    static let refusal = ServiceRecord(priority: 0, weight: 0, port: 0, target: ".")
}
