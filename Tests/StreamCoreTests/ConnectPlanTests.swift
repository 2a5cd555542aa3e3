import StreamCore
import Testing

@Suite("ConnectPlan: from target to target")
struct ConnectPlanTests {
    @Test("one target, one address")
    func simplest() {
        var plan = PlanDialogue(hosts: "a")
        #expect(plan.pause == nil)
        #expect(plan(.begin) == [.lookUpAddresses(.example("a"))])
        #expect(plan(.addresses([.ipv4])) == [.connect(attempt: 0, address: 0)])
        #expect(plan(.connected(attempt: 0)) == [.won(attempt: 0, .example("a"))])
        #expect(plan(.targetFailed) == [.exhausted(.unreachable)])
        #expect(plan(.targetFailed) == [])
    }

    @Test("a target that cannot be connected to hands over to the next; numbers of attempts go on")
    func nextTarget() {
        var plan = PlanDialogue(hosts: "a", "b", "c")
        _ = plan(.begin)
        _ = plan(.addresses([.ipv4]))
        #expect(plan(.failed(attempt: 0)) == [.lookUpAddresses(.example("b"))])
        #expect(plan(.addressesFailed) == [.lookUpAddresses(.example("c"))])
        #expect(plan(.addresses([.ipv6, .ipv4])) == [.connect(attempt: 1, address: 0)])
        #expect(plan(.failed(attempt: 1)) == [.connect(attempt: 2, address: 1)])
        #expect(plan(.connected(attempt: 2)) == [.won(attempt: 2, .example("c"))])
    }

    @Test("a plan that is at its end can be made again: it begins with the names, and keeps its bounds")
    func again() {
        var plan = ConnectPlan(route: .dns(domain: "a.example", tls: .direct), seed: 1, mostTargets: 1)
        for round in 0..<2 {
            if round > 0 { plan = plan.again(seed: 2) }
            var effects: [ConnectPlan.Effect] = []
            plan.handle(.begin, now: .zero, into: &effects)
            #expect(effects == [.lookUpServices(.directTLS, domain: "a.example")])
            effects = []
            let records = ["b.example", "c.example"].map {
                ServiceRecord(priority: 0, weight: 0, port: 5_223, target: $0)
            }
            plan.handle(.services(.directTLS, records), now: .zero, into: &effects)
            #expect(!plan.hasOtherTargets)
            plan.handle(.addresses([.ipv4]), now: .zero, into: &effects)
            plan.handle(.failed(attempt: 0), now: .zero, into: &effects)
            #expect(effects.last == .exhausted(.unreachable))
        }
    }

    @Test("of the servers that a domain names, no more are tried than its asker is worth", arguments: [1, 4, 16])
    func boundsTargets(most: Int) {
        var plan = ConnectPlan(route: .dns(domain: "a.example", tls: .direct), seed: 1, mostTargets: most)
        var effects: [ConnectPlan.Effect] = []
        plan.handle(.begin, now: .zero, into: &effects)
        let records = (0..<32).map {
            ServiceRecord(priority: UInt16($0), weight: 0, port: 5_223, target: "s\($0).example")
        }
        effects = []
        plan.handle(.services(.directTLS, records), now: .zero, into: &effects)
        var tried: [String] = []
        while case .lookUpAddresses(let target)? = effects.last {
            tried.append(target.host)
            #expect(plan.hasOtherTargets == (tried.count < most))
            effects = []
            plan.handle(.addressesFailed, now: .zero, into: &effects)
        }
        #expect(tried == (0..<most).map { "s\($0).example" })
        #expect(effects == [.exhausted(.unresolved)])
    }

    @Test("a connection that was of no use hands over as well, and what it does later is no news")
    func uselessConnection() {
        var plan = PlanDialogue(hosts: "a", "b")
        _ = plan(.begin)
        _ = plan(.addresses([.ipv4, .ipv4]))
        _ = plan(.connected(attempt: 0))
        #expect(plan(.targetFailed) == [.lookUpAddresses(.example("b"))])
        #expect(plan(.targetFailed) == [])
        #expect(plan(.failed(attempt: 0)) == [])
        _ = plan(.addresses([.ipv4]))
        #expect(plan(.targetFailed) == [], "nothing has won that could fail")
        #expect(plan(.connected(attempt: 1)) == [.won(attempt: 1, .example("b"))])
        #expect(plan(.targetFailed) == [.exhausted(.unreachable)])
    }

    @Test("a spared or refused target is passed over, before its addresses are known or after")
    func skipped() {
        var plan = PlanDialogue(hosts: "a", "b", "c")
        _ = plan(.begin)
        #expect(plan(.targetSkipped(.spared)) == [.lookUpAddresses(.example("b"))])
        _ = plan(.addresses([.ipv4, .ipv6]))
        _ = plan.wake()
        #expect(
            plan(.targetSkipped(.refusedTarget))
                == [.abandon(attempt: 0), .abandon(attempt: 1), .lookUpAddresses(.example("c"))])
        #expect(plan(.connected(attempt: 0)) == [])
        #expect(plan(.targetSkipped(.refusedTarget)) == [.exhausted(.refusedTarget)])
        #expect(plan(.targetSkipped(.spared)) == [])
    }

    @Test(
        "the reason of the end is the last one, but a failed connection outweighs the others",
        arguments: [
            ([.addressesFailed], StreamFailure.unresolved), ([.targetSkipped(.spared)], .spared),
            ([.addressesFailed, .targetSkipped(.spared)], .spared),
            ([.targetSkipped(.spared), .addressesFailed], .unresolved),
            ([.targetSkipped(.spared), .targetSkipped(.refusedTarget)], .refusedTarget),
            ([.failed(attempt: 0), .addressesFailed], .unreachable),
            ([.failed(attempt: 0), .targetSkipped(.spared)], .unreachable),
            ([.targetSkipped(.spared), .failed(attempt: 0)], .unreachable),
            ([.targetFailed, .addressesFailed], .unreachable), ([.addresses([])], .unresolved),
        ] as [([ConnectPlan.Input], StreamFailure)])
    func reason(ends: [ConnectPlan.Input], reason: StreamFailure) {
        var plan = PlanDialogue(.fixed(ends.indices.map { .example("host\($0)") }))
        var effects = plan(.begin)
        for end in ends {
            switch end {
            case .failed: _ = plan(.addresses([.ipv4]))
            case .targetFailed:
                _ = plan(.addresses([.ipv4]))
                _ = plan(.connected(attempt: 0))
            default: break
            }
            effects = plan(end)
        }
        #expect(effects == [.exhausted(reason)])
    }

    @Test("nothing configured")
    func noTarget() {
        var plan = PlanDialogue(.fixed([]))
        #expect(plan(.begin) == [.exhausted(.unresolved)])
    }

    @Test("inputs that nobody waits for change nothing, at any point")
    func strangers() {
        var plan = PlanDialogue(hosts: "a")
        let strangers: [ConnectPlan.Input] = [
            .services(.plain, [.example("x")]), .servicesFailed(.directTLS, isTemporary: false), .addresses([.ipv4]),
            .addressesFailed, .targetSkipped(.spared), .connected(attempt: 0), .failed(attempt: 0), .targetFailed,
            .wake,
        ]
        for input in strangers { #expect(plan(input) == []) }
        #expect(plan(.begin) == [.lookUpAddresses(.example("a"))])
        #expect(plan(.begin) == [])
        for input in strangers[0..<2] + strangers[5...] { #expect(plan(input) == []) }
        _ = plan(.addresses([.ipv4]))
        for input in strangers[0..<4] + strangers[7...] { #expect(plan(input) == []) }
        #expect(plan(.connected(attempt: 0)) == [.won(attempt: 0, .example("a"))])
        for input in strangers where input != .targetFailed { #expect(plan(input) == []) }
        #expect(plan(.begin) == [])
        #expect(plan(.targetFailed) == [.exhausted(.unreachable)])
        for input in strangers + [.begin] { #expect(plan(input) == []) }
    }
}

@Suite("ConnectPlan: services (RFC 6120 §3.2, XEP-0368)")
struct ServiceLookUpTests {
    private func startTLS(_ answers: ConnectPlan.Input...) -> (targets: [UpstreamTarget], end: StreamFailure?) {
        PlanDialogue.targets(.dns(domain: "d.example", tls: .startTLS), answers: answers)
    }

    @Test("which services are asked for")
    func questions() {
        let direct = ConnectPlan.Effect.lookUpServices(.directTLS, domain: "d.example")
        let plain = ConnectPlan.Effect.lookUpServices(.plain, domain: "d.example")
        for (tls, effects) in [(TLSMode.none, [plain]), (.startTLS, [direct, plain]), (.direct, [direct])] {
            var plan = PlanDialogue(.dns(domain: "d.example", tls: tls))
            #expect(plan(.begin) == effects)
        }
        #expect(ServiceKind.directTLS.ownerName(of: "d.example") == "_xmpps-client._tcp.d.example")
        #expect(ServiceKind.plain.ownerName(of: "d.example") == "_xmpp-client._tcp.d.example")
    }

    @Test("both kinds are merged by priority, each target with its own way of TLS", arguments: [false, true])
    func merged(plainAnswersFirst: Bool) {
        var answers: [ConnectPlan.Input] = [
            .services(.directTLS, [.example("s2", priority: 20, port: 443), .example("s0", priority: 0, port: 5223)]),
            .services(.plain, [.example("p1", priority: 10), .example("p3", priority: 30)]),
        ]
        if plainAnswersFirst { answers.reverse() }
        let found = PlanDialogue.targets(.dns(domain: "d.example", tls: .startTLS), answers: answers)
        #expect(
            found.targets == [
                UpstreamTarget(host: "s0", port: 5223, tls: .direct, priority: 0),
                UpstreamTarget(host: "p1", port: 5222, tls: .startTLS, priority: 10),
                UpstreamTarget(host: "s2", port: 443, tls: .direct, priority: 20),
                UpstreamTarget(host: "p3", port: 5222, tls: .startTLS, priority: 30),
            ])
        #expect(found.end == .unresolved)
    }

    @Test("of equals without weight those with direct TLS come first")
    func directFirst() {
        let found = startTLS(.services(.plain, [.example("a")]), .services(.directTLS, [.example("a", port: 5222)]))
        #expect(found.targets.map(\.tls) == [.direct, .startTLS])
    }

    @Test("nothing is connected before both have answered; a second answer does not count")
    func bothAwaited() {
        var plan = PlanDialogue(.dns(domain: "d.example", tls: .startTLS))
        _ = plan(.begin)
        #expect(plan(.services(.plain, [.example("a")])) == [])
        #expect(plan(.services(.plain, [.example("b")])) == [])
        #expect(plan(.servicesFailed(.plain, isTemporary: true)) == [])
        #expect(
            plan(.servicesFailed(.directTLS, isTemporary: false))
                == [.lookUpAddresses(UpstreamTarget(host: "a", port: 5222, tls: .startTLS))])
        #expect(plan(.services(.directTLS, [.example("c")])) == [])
    }

    @Test("an answer to a question that was not asked does not count")
    func unasked() {
        var plan = PlanDialogue(.dns(domain: "d.example", tls: .none))
        _ = plan(.begin)
        #expect(plan(.services(.directTLS, [.example("c")])) == [])
        #expect(
            plan(.services(.plain, [.example("a")]))
                == [.lookUpAddresses(UpstreamTarget(host: "a", port: 5222, tls: .none))])
    }

    @Test(
        "no records at all: the domain itself, on the port of its way of TLS",
        arguments: [(TLSMode.none, UInt16(5222)), (.startTLS, 5222), (.direct, 5223)])
    func fallBack(tls: TLSMode, port: UInt16) {
        for isEmptyList in [false, true] {
            let answers: [ConnectPlan.Input] = ServiceKind.allCases.map {
                isEmptyList ? .services($0, []) : .servicesFailed($0, isTemporary: false)
            }
            let found = PlanDialogue.targets(.dns(domain: "d.example", tls: tls), answers: answers)
            #expect(found.targets == [UpstreamTarget(host: "d.example", port: port, tls: tls)])
        }
    }

    @Test("'.' says that a service is not offered, and then the domain itself is not tried")
    func notOffered() {
        let refused = ConnectPlan.Input.services(.plain, [.refusal])
        #expect(startTLS(refused, .services(.directTLS, [.refusal])).targets == [])
        #expect(startTLS(refused, .servicesFailed(.directTLS, isTemporary: false)).targets == [])
        #expect(startTLS(refused, .servicesFailed(.directTLS, isTemporary: true)).targets == [])
        #expect(startTLS(refused, .services(.directTLS, [])).end == .unresolved)
        let other = startTLS(refused, .services(.directTLS, [.example("a")])).targets
        #expect(other == [UpstreamTarget(host: "a", port: 5222, tls: .direct)])
        for tls in [TLSMode.none, .direct] {
            let kind = tls == .none ? ServiceKind.plain : .directTLS
            let found = PlanDialogue.targets(
                .dns(domain: "d.example", tls: tls), answers: [.services(kind, [.refusal])])
            #expect(found.targets == [])
            #expect(found.end == .unresolved)
        }
    }

    @Test("records that nobody can use: port 0, no name, '.' among others")
    func uselessRecords() {
        let junk: [ServiceRecord] = [.example("a", port: 0), .example(""), .example(".", port: 5222)]
        let nothing = startTLS(.services(.plain, junk), .servicesFailed(.directTLS, isTemporary: false))
        #expect(nothing.targets == [])
        let one = startTLS(.services(.plain, junk + [.example("b")]), .services(.directTLS, [.refusal]))
        #expect(one.targets.map(\.host) == ["b"])
    }

    @Test("a DNS that cannot be asked at all is no reason to guess; half of it is worked with")
    func temporaryFailures() {
        let nothing = startTLS(
            .servicesFailed(.plain, isTemporary: true), .servicesFailed(.directTLS, isTemporary: true))
        #expect(nothing.targets == [])
        #expect(nothing.end == .unresolved)
        let half = startTLS(.servicesFailed(.directTLS, isTemporary: true), .services(.plain, [.example("a")]))
        #expect(half.targets.map(\.host) == ["a"])
        // A name server often fails on a name that it does not know; the certificate is checked all the same.
        let absent = startTLS(
            .servicesFailed(.directTLS, isTemporary: true), .servicesFailed(.plain, isTemporary: false))
        #expect(absent.targets == [UpstreamTarget(host: "d.example", port: 5222, tls: .startTLS)])
    }

    @Test("a zone with thousands of records: sixteen targets are tried")
    func manyRecords() {
        let records = (0..<3000).map {
            ServiceRecord.example("h\($0)", priority: UInt16($0 % 7), weight: UInt16($0 % 5))
        }
        let found = startTLS(.services(.plain, records), .services(.directTLS, records))
        #expect(found.targets.count == 16)
        #expect(Set(found.targets).count == 16)
        #expect(found.targets.allSatisfy { $0.priority == 0 })
    }
}
