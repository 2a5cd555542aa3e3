import Primitives
import Testing

@testable import StreamCore

@Suite("UpstreamMachine: the next target, redirects and breakers")
struct UpstreamMovingOnTests {
    @Test("STARTTLS that fails, or is not offered: the next target, and nothing in the clear")
    func startTLS() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b", "c"], .example(.startTLS))
        _ = up(.item(.header(.example)))
        let lacking = up(.item(.features(FeaturesOffer(), bytes: [])))
        #expect(
            lacking == [
                .advise(.lacksStartTLS, .example("a")), .count(.startTLSUnavailable), .sendStreamEnd, .flush,
                .dropConnection, .doubt(.addresses(host: "a")), .lookUpAddresses(host: "b"),
            ])
        #expect(up.connect("b").suffix(2) == [.adopt(attempt: 1), .sendHeader(namesClient: false)])
        _ = up(.item(.header(.example)))
        #expect(up(.item(.features(FeaturesOffer(startTLS: .offered), bytes: []))) == [.sendStartTLS])
        #expect(up(.item(.proceed)) == [.beginTLS(isDirect: false)])
        #expect(up(.tlsFailed(.handshake, words: "w")).host == "c")
        _ = up.connect("c")
        _ = up(.item(.header(.example)))
        _ = up(.item(.features(FeaturesOffer(startTLS: .offered), bytes: [])))
        _ = up(.item(.proceed))
        #expect(up(.tlsEstablished) == [.resetParser, .sendHeader(namesClient: true)])
        #expect(up.open() == [.opened(.example, features: [1], after: .zero)])
        #expect(up.breakers.count == 2)
    }

    @Test("direct TLS that fails: the next target; the last one's failure is the session's")
    func directTLS() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"], .example(.direct))
        #expect(up(.tlsFailed(.record, words: "w")).host == "b")
        #expect(up.connect("b").last == .beginTLS(isDirect: true))
        let last = up(.tlsFailed(.handshake, words: "w"))
        #expect(last.dropFirst().prefix(3) == [.count(.tls(.handshake)), .flush, .dropConnection])
        #expect(last.suffix(3) == [.ended(.tls(.handshake)), .flush, .close])
        // Counted for the server, and not again for the search.
        #expect(last.count { $0 == .count(.tls(.handshake)) } == 1)
    }

    @Test("a server that accepts and says nothing has a third of the time while there are others")
    func silentServer() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"])
        #expect(up.pause == .seconds(7))
        let effects = up.wake()
        #expect(effects.first == .count(.timeout(.header)))
        #expect(effects.host == "b")
        _ = up.connect("b")
        // The last target has all the time that is left.
        #expect(up.pause == .seconds(14))
        #expect(up.wake().end == .timeout(.header))
        #expect(up.breakers.count == 2)
    }

    @Test("what comes from a connection that is being dropped is nobody's")
    func staleItems() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"])
        #expect(up(.connectionLost).host == "b")
        for input: UpstreamInput in [
            .item(.message), .connectionLost, .tlsFailed(.handshake, words: "w"), .wrote(1, isAll: true), .restart,
        ] {
            #expect(up(input) == [])
        }
        #expect(up.connect("b").last == .sendHeader(namesClient: false))
    }

    @Test("a stream error of which a server speaks of itself leads on, another is the client's")
    func streamErrors() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"])
        #expect(up(.item(.streamError(condition: "system-shutdown", redirect: nil, bytes: [2]))).host == "b")
        _ = up.connect("b")
        let end = up(.item(.streamError(condition: "not-authorized", redirect: nil, bytes: [3])))
        #expect(end.end == .streamError(condition: "not-authorized", bytes: [3]))
        // Both servers have spoken.
        #expect(up.breakers.count == 0)
    }

    @Test("once the stream is open no other target is tried")
    func openIsOpen() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"])
        _ = up.open()
        #expect(up(.connectionLost) == [.count(.lost), .ended(.lost), .flush, .close])
        #expect(up.breakers.count == 0)
    }

    // MARK: The session goes meanwhile

    @Test("the session leaves while a connection is dropped for the next: nothing more is tried")
    func leftWhileMovingOn() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"])
        var effects = UpstreamEffects()
        var machine = up.machine
        _ = machine.handle(.bytesAfterProceed, by: up.rules, breakers: &up.breakers, now: up.now, into: &effects)
        #expect(effects.list == [.count(.bytesAfterProceed), .flush, .dropConnection])
        effects.removeAll()
        // The client's answer ended it.
        _ = machine.handle(.leave(drops: false), by: up.rules, breakers: &up.breakers, now: up.now, into: &effects)
        _ = machine.handle(.dropped, by: up.rules, breakers: &up.breakers, now: up.now, into: &effects)
        #expect(effects.list == [.close])
        #expect(machine.isClosed)
    }

    @Test("the session leaves before there is a stream: what was begun is given up, and no breaker waits for it")
    func leftEarly() {
        var breakers = Breakers(failures: 1, longestPause: .seconds(60))
        _ = breakers.note(.broken, of: .example("a"), now: MonotonicInstant(nanoseconds: 0))
        var up = UpstreamDialogue.begun(breakers: breakers)
        #expect(up.breakers.phase(of: .example("a")) == .probing)
        #expect(up(.leave(drops: false)) == [.flush, .close])
        #expect(up.breakers.phase(of: .example("a")) == .open)
        #expect(up.pause == nil)
    }

    // MARK: Elsewhere

    private func redirecting(to host: String, tls: TLSMode = .none) -> UpstreamRules {
        var rules = UpstreamRules.example(tls)
        rules.redirects = [.init(host: host, port: 5222, target: UpstreamTarget(host: host, port: 5222, tls: tls))]
        return rules
    }

    private func sent(to place: String) -> UpstreamInput {
        .item(.streamError(condition: "see-other-host", redirect: place, bytes: [4]))
    }

    @Test("see-other-host to a place that the operator names is followed, once")
    func redirected() {
        var up = UpstreamDialogue.connected(hosts: ["a", "b"], redirecting(to: "else"))
        let effects = up(sent(to: "ELSE:5222"))
        #expect(
            effects == [
                .count(.redirected(to: "ELSE:5222", bytes: [4])), .sendStreamEnd, .flush, .dropConnection,
                .lookUpAddresses(host: "else"),
            ])
        _ = up.connect("else")
        let second = up(sent(to: "else"))
        #expect(second.end == .streamError(condition: "see-other-host", bytes: [4]))
        #expect(up.breakers.count == 0)
    }

    @Test("see-other-host to anywhere else is the client's")
    func redirectForbidden() {
        for place in ["elsewhere", "else:1", "not a place"] {
            var up = UpstreamDialogue.connected(redirecting(to: "else"))
            #expect(up(sent(to: place)).end == .streamError(condition: "see-other-host", bytes: [4]))
        }
    }

    @Test("what befalls us where we were sent is what the session hears")
    func redirectFails() {
        var up = UpstreamDialogue.connected(redirecting(to: "else"))
        _ = up(sent(to: "else"))
        #expect(up(.addressesFailed(host: "else", reason: "none")).end == .unresolved)
    }

    // MARK: Breakers

    @Test("a server that fails again and again is spared, then tried by one, and works again")
    func breaker() {
        var up = UpstreamDialogue.connected()
        _ = up(.connectionLost)
        up = .connected(breakers: up.breakers)
        #expect(up(.connectionLost).contains(.breakerChanged(.example("a"), .opened(pause: .seconds(1)))))
        var spared = UpstreamDialogue(breakers: up.breakers)
        #expect(spared.begin(hosts: ["a"]) == [.count(.spared), .ended(.spared), .flush, .close])
        #expect(spared.begin(hosts: ["a"]) == [])

        var probe = UpstreamDialogue(breakers: up.breakers)
        probe.now = up.now.advanced(by: .seconds(1))
        _ = probe.begin(hosts: ["a"])
        var second = UpstreamDialogue(breakers: probe.breakers)
        second.now = probe.now
        #expect(second.begin(hosts: ["a", "b"]) == [.lookUpAddresses(host: "b")])
        _ = probe.connect("a")
        #expect(probe.open().first == .breakerChanged(.example("a"), .worksAgain(downtime: .seconds(1))))
    }

    @Test("a server that was told whose stream it is may mean that client alone, but not one that refuses everybody")
    func toldTheAddress() {
        var rules = UpstreamRules.example()
        rules.tellsClientAddress = true
        var up = UpstreamDialogue.connected(rules)
        _ = up(.connectionLost)
        #expect(up.breakers.count == 0)
        up = .begun(rules)
        _ = up(.addresses(host: "a", [.ipv4]))
        _ = up(.connectFailed(attempt: 0, call: "connect", code: 111, wasAsked: true))
        #expect(up.breakers.count == 1)
    }

    @Test("what befalls us before anything was asked says nothing about a server")
    func notAsked() {
        var up = UpstreamDialogue.begun()
        _ = up(.addressesFailed(host: "a", reason: "none"))
        #expect(up.breakers.count == 0)
        up = .begun()
        _ = up(.addresses(host: "a", [.ipv4]))
        _ = up(.connectFailed(attempt: 0, call: "socket", code: 97, wasAsked: false))
        #expect(up.breakers.count == 0)
    }
}
