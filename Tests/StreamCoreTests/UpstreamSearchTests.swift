import Primitives
import Testing

@testable import StreamCore

@Suite("UpstreamMachine: from the name to the connection")
struct UpstreamSearchTests {
    @Test("a fixed target: its addresses, its connection, its stream")
    func fixed() {
        var up = UpstreamDialogue()
        #expect(up.begin(hosts: ["a"]) == [.lookUpAddresses(host: "a")])
        #expect(up(.addresses(host: "a", [.ipv4])) == [.connect(attempt: 0, address: 0, port: 5222)])
        #expect(up(.connecting(attempt: 0)) == [])
        up.wait(.seconds(1))
        #expect(up(.connected(attempt: 0)) == [.adopt(attempt: 0), .sendHeader(namesClient: false)])
        #expect(up(.item(.header(.example))) == [])
        up.wait(.seconds(2))
        #expect(
            up(.item(.features(FeaturesOffer(), bytes: [1])))
                == [.opened(.example, features: [1], after: .seconds(2))])
        #expect(!up.machine.isOpening)
    }

    @Test("the DNS: both services are asked for, and their targets tried in order")
    func services() {
        var up = UpstreamDialogue(.example(.startTLS))
        #expect(
            up(.begin(domain: "d", route: .dns(domain: "d", tls: .startTLS), seed: 1)) == [
                .lookUpServices(.directTLS, domain: "d"), .lookUpServices(.plain, domain: "d"),
            ])
        #expect(up(.services(.plain, [.example("late", priority: 2)])) == [])
        #expect(
            up(.services(.directTLS, [.example("first", priority: 1, port: 443)])) == [
                .lookUpAddresses(host: "first")
            ])
        #expect(up(.addresses(host: "first", [.ipv6])) == [.connect(attempt: 0, address: 0, port: 443)])
        #expect(up(.connected(attempt: 0)) == [.adopt(attempt: 0), .beginTLS(isDirect: true)])
        #expect(up(.tlsFailed(.handshake, words: "w")).host == "late")
        #expect(up.connect("late").suffix(2) == [.adopt(attempt: 1), .sendHeader(namesClient: false)])
    }

    @Test("the DNS cannot be asked: the operator hears of what may pass, and the session that there is no server")
    func servicesFail() {
        var up = UpstreamDialogue()
        up.rules.usesDNS = true
        _ = up(.begin(domain: "d", route: .dns(domain: "d", tls: .none), seed: 1))
        let effects = up(.servicesFailed(.plain, isTemporary: true, reason: "timeout"))
        #expect(effects.first == .note(.name(reason: "timeout"), .name("_xmpp-client._tcp.d"), isRepeated: false))
        #expect(effects.suffix(4) == [.count(.unresolved), .ended(.unresolved), .flush, .close])
    }

    @Test("the DNS cannot be asked for either service: that is one trouble")
    func bothServicesFail() {
        var up = UpstreamDialogue()
        up.rules.usesDNS = true
        _ = up(.begin(domain: "d", route: .dns(domain: "d", tls: .startTLS), seed: 1))
        func isRepeated(_ effects: [UpstreamEffect]) -> [Bool] {
            effects.compactMap { if case .note(.name, _, let isRepeated) = $0 { isRepeated } else { nil } }
        }
        #expect(isRepeated(up(.servicesFailed(.plain, isTemporary: true, reason: "timeout"))) == [false])
        #expect(isRepeated(up(.servicesFailed(.directTLS, isTemporary: true, reason: "timeout"))) == [true])
    }

    @Test(
        "one service cannot be asked for and the other is absent: that the domain has no address is no further trouble")
    func addressesContradict() {
        var up = UpstreamDialogue()
        up.rules.usesDNS = true
        _ = up(.begin(domain: "d", route: .dns(domain: "d", tls: .startTLS), seed: 1))
        _ = up(.servicesFailed(.plain, isTemporary: true, reason: "timeout"))
        #expect(up(.servicesFailed(.directTLS, isTemporary: false, reason: "none")).host == "d")
        let last = up(.addressesFailed(host: "d", reason: "no such name"))
        #expect(last.first == .note(.name(reason: "no such name"), .name("d"), isRepeated: true))
    }

    @Test("addresses that somebody else asked for are not this target's, nor are doubled ones")
    func staleAddresses() {
        var up = UpstreamDialogue.begun(hosts: ["a", "b"])
        #expect(up(.addressesFailed(host: "a", reason: "none")).host == "b")
        #expect(up(.addresses(host: "a", [.ipv4])) == [])
        #expect(up(.addresses(host: "b", [.ipv4])) == [.connect(attempt: 0, address: 0, port: 5222)])
        #expect(up(.addresses(host: "b", [.ipv4])) == [])
        #expect(up(.connected(attempt: 7)) == [])
    }

    @Test("addresses race, and the others are given up when one stands")
    func racing() {
        var up = UpstreamDialogue.begun()
        #expect(up(.addresses(host: "a", [.ipv6, .ipv6, .ipv4])) == [.connect(attempt: 0, address: 0, port: 5222)])
        _ = up(.connecting(attempt: 0))
        #expect(up.pause == .milliseconds(250))
        #expect(up.wake() == [.connect(attempt: 1, address: 2, port: 5222)])
        _ = up(.connecting(attempt: 1))
        #expect(up.wake() == [.connect(attempt: 2, address: 1, port: 5222)])
        _ = up(.connecting(attempt: 2))
        #expect(
            up(.connected(attempt: 1)) == [
                .abandon(attempt: 0), .abandon(attempt: 2), .adopt(attempt: 1), .sendHeader(namesClient: false),
            ])
    }

    @Test("nobody accepts: each target's failure is noted, and the end is the time of all together at the latest")
    func unreachable() {
        var up = UpstreamDialogue.begun()
        _ = up(.addresses(host: "a", [.ipv4]))
        let refused = up(.connectFailed(attempt: 0, call: "connect", code: 111, wasAsked: true))
        #expect(
            refused == [
                .note(.connection(call: "connect", code: 111), .attempt(0), isRepeated: false),
                .doubt(.addresses(host: "a")), .count(.unreachable), .ended(.unreachable), .flush, .close,
            ])
        #expect(up.machine.isClosed)

        up = .begun()
        _ = up(.addresses(host: "a", [.ipv4]))
        _ = up(.connecting(attempt: 0))
        #expect(up.pause == .seconds(21))
        #expect(up.wake().end == .timeout(.connecting))
        #expect(up.breakers.count == 1)
    }

    @Test("a domain that leads nowhere, and a machine that has nothing left")
    func nothingToBeginWith() {
        var up = UpstreamDialogue()
        #expect(
            up(.begin(domain: "d", route: nil, seed: 1))
                == [.count(.unresolved), .ended(.unresolved), .flush, .close])
        up = UpstreamDialogue()
        #expect(up(.beginRefused) == [.count(.shortage), .ended(.shortage), .flush, .close])
        #expect(up(.begin(domain: "d", route: .fixed([.example("a")]), seed: 1)) == [])
    }

    // MARK: Strangers

    @Test("an open proxy: no inside address, no port of other services, four targets")
    func openProxy() {
        var rules = UpstreamRules.example()
        rules.isOpenProxy = true
        var up = UpstreamDialogue(rules)
        _ = up(.begin(domain: "d", route: .dns(domain: "d", tls: .none), seed: 1))
        let records = (0..<9).map { ServiceRecord.example("h\($0)", priority: $0, port: $0 == 0 ? 25 : 5222) }
        #expect(
            up(.services(.plain, records)) == [
                .note(.strangePort, .server(.example("h0", port: 25)), isRepeated: false),
                .lookUpAddresses(host: "h1"),
            ])
        #expect(
            up(.addresses(host: "h1", [.inside])) == [
                .note(.noPublicAddress, .name("h1"), isRepeated: false), .lookUpAddresses(host: "h2"),
            ])
        #expect(up(.addresses(host: "h2", [.inside, .ipv4])) == [.connect(attempt: 0, address: 1, port: 5222)])
        #expect(up(.connectFailed(attempt: 0, call: "connect", code: 111, wasAsked: true)).host == "h3")
        #expect(up(.addresses(host: "h3", [.inside])).end == .unreachable)
    }

    // MARK: What we lack ourselves

    @Test("a shortage is no server's fault, and its address is not used up while another is on its way")
    func shortage() {
        var up = UpstreamDialogue.begun()
        _ = up(.addresses(host: "a", [.ipv4]))
        let effects = up(.postponed(attempt: 0, .descriptors))
        #expect(effects.first == .note(.shortage(.descriptors), .attempt(0), isRepeated: false))
        #expect(effects.end == .shortage)
        #expect(up.breakers.count == 0)

        up = .begun()
        _ = up(.addresses(host: "a", [.ipv4, .ipv4]))
        _ = up(.connecting(attempt: 0))
        _ = up.wake()
        #expect(up(.postponed(attempt: 1, .ports)) == [.note(.shortage(.ports), .attempt(1), isRepeated: false)])
        #expect(up.wake() == [.connect(attempt: 2, address: 1, port: 5222)])
        // The trouble is reported once for the search; `isRepeated` marks the second one.
        #expect(up(.postponed(attempt: 2, .ports)) == [.note(.shortage(.ports), .attempt(2), isRepeated: true)])
        #expect(up.wake() == [.connect(attempt: 3, address: 1, port: 5222)])
        _ = up(.connecting(attempt: 3))
        #expect(up(.connected(attempt: 3)).first == .abandon(attempt: 0))
    }

    @Test("what waited for something of our own all the time was not asked")
    func shortToTheEnd() {
        var up = UpstreamDialogue.begun()
        _ = up(.addresses(host: "a", [.ipv4, .ipv4]))
        _ = up(.connecting(attempt: 0))
        var attempt = 0
        var effects: [UpstreamEffect] = []
        repeat {
            effects = up.wake()
            if case .connect(let next, _, _)? = effects.last {
                attempt = next
                _ = up(.postponed(attempt: attempt, .places))
            }
        } while effects.end == nil && attempt < 1_000
        #expect(effects.end == .shortage)
        #expect(up.breakers.count == 0)
    }

    // MARK: Doubt

    @Test("names that led to nothing of use are doubted, and the search begins anew once if they are asked for again")
    func beginsAgain() {
        var up = UpstreamDialogue(.example())
        up.rules.usesDNS = true
        up.isAskedAgain = true
        let services: [UpstreamEffect] = [.lookUpServices(.plain, domain: "d")]
        #expect(up(.begin(domain: "d", route: .dns(domain: "d", tls: .none), seed: 1)) == services)
        _ = up(.services(.plain, [.example("a")]))
        _ = up(.addresses(host: "a", [.ipv4]))
        let refused = UpstreamInput.connectFailed(attempt: 0, call: "connect", code: 111, wasAsked: true)
        #expect(
            up(refused).dropFirst() == [
                .doubt(.addresses(host: "a")), .doubt(.services(.directTLS, domain: "d")),
                .doubt(.services(.plain, domain: "d")), .lookUpServices(.plain, domain: "d"),
            ])
        _ = up(.services(.plain, [.example("b")]))
        _ = up(.addresses(host: "b", [.ipv4]))
        let last = up(refused)
        #expect(last.end == .unreachable)
        #expect(last.suffix(2) == [.flush, .close])
    }

    @Test("it does not begin anew when a server answered, nor when the time is over")
    func beginsNotAgain() {
        var up = UpstreamDialogue.connected()
        up.isAskedAgain = true
        #expect(up(.connectionLost).end == .lost)

        up = .begun()
        up.isAskedAgain = true
        _ = up(.addresses(host: "a", [.ipv4]))
        up.wait(.seconds(21))
        #expect(up(.connectFailed(attempt: 0, call: "connect", code: 110, wasAsked: true)).end == .unreachable)
    }
}
