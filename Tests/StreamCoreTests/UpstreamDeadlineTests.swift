import Primitives
import Testing

@testable import StreamCore

@Suite("UpstreamMachine: by the clock")
struct UpstreamDeadlineTests {
    // MARK: White space

    @Test("a stream on which nothing goes out is kept alive")
    func keepalive() {
        var up = UpstreamDialogue.open()
        #expect(up.pause == .seconds(180))
        #expect(up.wake() == [.sendSpace])
        _ = up(.wrote(1, isAll: true))
        _ = up(.unacknowledged(0, hasUnwritten: false))
        #expect(up.pause == .seconds(180))
        up.wait(.seconds(100))
        _ = up(.wrote(50, isAll: true))
        // The check at the old deadline finds nothing to do.
        #expect(up.wakeUntilSomething() == [.sendSpace])
    }

    @Test("XEP-0478: three quarters of what a server allows, and what it says after a restart holds")
    func idleLimits() {
        var up = UpstreamDialogue.open(offer: FeaturesOffer(idleSeconds: 40))
        #expect(up.pause == .seconds(30))
        _ = up(.restart)
        _ = up(.item(.header(.example)))
        _ = up(.item(.features(FeaturesOffer(), bytes: [])))
        #expect(up.pause == .seconds(180))
        _ = up(.item(.features(FeaturesOffer(idleSeconds: 1), bytes: [])))
        #expect(up.pause == .seconds(1))
        _ = up(.item(.features(FeaturesOffer(idleSeconds: .max), bytes: [])))
        #expect(up.pause == .seconds(180))
    }

    @Test("no space stands between a request to compress and its answer, nor in front of what is stalled")
    func noSpace() {
        var rules = UpstreamRules.example()
        rules.compresses = true
        rules.keepalive = .seconds(10)
        var up = UpstreamDialogue.open(rules)
        _ = up(.restart)
        _ = up(.item(.header(.example)))
        #expect(up(.item(.features(FeaturesOffer(offersZlib: true), bytes: []))) == [.sendCompress])
        #expect(!up.machine.takesStanzas)
        #expect(up.wakeUntilSomething().end == .timeout(.compressing))

        up = .open(rules)
        _ = up(.blocked)
        #expect(up.pause == .seconds(40))
    }

    // MARK: Writing

    @Test("upstream-write-timeout: a server that accepts nothing ends the stream, one that accepts a byte does not")
    func stall() {
        var up = UpstreamDialogue.open()
        _ = up(.wrote(100, isAll: true))
        #expect(up.pause == .seconds(40))
        up.wait(.seconds(30))
        _ = up(.wrote(100, isAll: true))
        up.wait(.seconds(10))
        #expect(up.look(unacknowledged: 150) == [])
        #expect(up.pause == .seconds(10))
        for _ in 0..<3 { #expect(up.wake(unacknowledged: 150) == []) }
        #expect(up.wake(unacknowledged: 150) == [.count(.stalled), .ended(.stalled), .flush, .close])
    }

    @Test("upstream-write-timeout: what waits in front of the kernel counts too, and what was accepted has no deadline")
    func blocked() {
        var up = UpstreamDialogue.open()
        _ = up(.blocked)
        #expect(up.wakeUntilSomething(unacknowledged: 0, hasUnwritten: true).end == .stalled)

        up = .open()
        _ = up(.blocked)
        up.wait(.seconds(1))
        _ = up(.wrote(10, isAll: true))
        // Checked when its time would be up: everything has arrived.
        #expect(up.wakeUntilSomething(unacknowledged: 0) == [.sendSpace])
    }

    @Test("a server that takes nothing more is still read, unless nobody is left to read it for")
    func deaf() {
        var up = UpstreamDialogue.open()
        _ = up(.wrote(100, isAll: true))
        #expect(up(.writingFailed) == [])
        #expect(!up.machine.awaitsAcceptance)
        #expect(up(.item(.message)).count == 1)
        #expect(up(.leave(drops: false)) == [.sendStreamEnd])
        #expect(up(.writingFailed) == [.flush, .close])
    }

    // MARK: Elements and restarts

    @Test("upstream-stanza-timeout: counted for each element anew, and not while the server is not read")
    func unfinished() {
        var up = UpstreamDialogue.open()
        _ = up(.turnEnded(hasBacklog: false, hasPartial: true))
        #expect(up.pause == .seconds(13))
        up.wait(.seconds(10))
        _ = up(.turnEnded(hasBacklog: false, hasPartial: true))
        #expect(up.pause == .seconds(3))
        _ = up(.item(.message))
        _ = up(.turnEnded(hasBacklog: false, hasPartial: true))
        #expect(up.pause == .seconds(13))
        _ = up(.setReading(false))
        up.wait(.seconds(100))
        #expect(up.look() == [])
        _ = up(.setReading(true))
        #expect(up.pause == .seconds(13))
        #expect(up.wake() == [.count(.unfinishedStanza), .ended(.unfinishedStanza), .flush, .close])
    }

    @Test("a restart has the time of a connection, and then the stream is as before")
    func restart() {
        var up = UpstreamDialogue.open()
        #expect(up(.restart) == [.resetParser, .sendHeader(namesClient: false)])
        #expect(up.pause == .seconds(21))
        _ = up(.item(.header(.example)))
        up.wait(.seconds(20))
        #expect(up(.item(.features(FeaturesOffer(), bytes: [5]))) == [.restarted(features: [5])])
        #expect(up.pause.map { $0 > .seconds(21) } == true)
        _ = up(.restart)
        #expect(up.wake().end == .timeout(.restarting))
    }

    // MARK: Farewells

    @Test("a farewell: the server has a moment to close its side")
    func farewell() {
        var up = UpstreamDialogue.open()
        #expect(up(.leave(drops: false)) == [.sendStreamEnd])
        #expect(up.pause == .seconds(2))
        #expect(up.wake() == [.close])

        up = .open()
        _ = up(.leave(drops: false))
        #expect(up(.item(.message)) == [])
        #expect(up(.item(.end)) == [.flush, .close])
    }

    @Test("a farewell goes on as long as the server accepts bytes of what was taken from the client")
    func slowFarewell() {
        var up = UpstreamDialogue.open()
        _ = up(.blocked)
        _ = up(.leave(drops: false))
        #expect(up.pause == .seconds(40))
        up.wait(.seconds(30))
        _ = up(.wrote(1_000, isAll: false))
        #expect(up.look(unacknowledged: 500, hasUnwritten: true) == [])
        #expect(up.pause == .seconds(40))
        up.wait(.seconds(1))
        _ = up(.wrote(1_000, isAll: true))
        #expect(up.pause == .seconds(2))
        #expect(up.wake(unacknowledged: 900) == [])
        #expect(up.wake(unacknowledged: 0) == [.close])
    }

    @Test("a stream that can be resumed is dropped, and not closed (T-12 c)")
    func resumable() {
        var up = UpstreamDialogue.open()
        _ = up(.item(.stanza(bytes: [6], management: .resumable)))
        #expect(up(.leave(drops: true)) == [.flush, .close])
        up = .open()
        _ = up(.item(.stanza(bytes: [6], management: .resumable)))
        // An invalid element ends the stream without a farewell to the server.
        #expect(up(.item(.proceed)) == [.count(.unexpected(.open)), .ended(.unexpected(.open)), .flush, .close])
    }

    @Test("what a server says that was not read goes back, until nothing comes for a moment")
    func returning() {
        var up = UpstreamDialogue.open()
        _ = up(.setReading(false))
        #expect(up(.leave(drops: false)) == [])
        #expect(up.machine.phase == .returning)
        #expect(up.machine.isRead)
        #expect(up(.item(.message)) == [.giveBack(Array("<message/>".utf8))])
        up.machineHears()
        #expect(up.wake() == [])
        #expect(up.wake() == [.sendStreamEnd])
        #expect(up.wake() == [.close])
    }

    @Test("an element that has begun to come when its session ends goes back once it has ended")
    func returningRest() {
        var up = UpstreamDialogue.open()
        _ = up(.turnEnded(hasBacklog: false, hasPartial: true))
        #expect(up(.leave(drops: false)) == [])
        #expect(up.machine.phase == .returning)
        #expect(up(.item(.message)) == [.giveBack(Array("<message/>".utf8))])
        #expect(up.wakeUntilSomething() == [.sendStreamEnd])
        // One that was complete holds nothing up.
        up = .open()
        _ = up(.turnEnded(hasBacklog: false, hasPartial: true))
        _ = up(.item(.message))
        #expect(up(.leave(drops: false)) == [.sendStreamEnd])
    }

    @Test("one that goes on talking is listened to for ten seconds, and longer while it is slow to take what goes back")
    func endless() {
        var up = UpstreamDialogue.open()
        _ = up(.turnEnded(hasBacklog: true, hasPartial: false))
        _ = up(.leave(drops: false))
        let begin = up.now
        #expect(up.wakeUntilSomething() == [.sendStreamEnd])
        #expect((.seconds(10)...(.seconds(11))).contains(up.now.elapsed(since: begin)))

        up = .open()
        _ = up(.setReading(false))
        _ = up(.leave(drops: false))
        let since = up.now
        var effects: [UpstreamEffect] = []
        while effects.isEmpty, up.now.elapsed(since: since) < .seconds(1_000) {
            _ = up(.wrote(1, isAll: false))
            effects = up.wake(unacknowledged: 0, hasUnwritten: true)
        }
        #expect(effects == [.sendStreamEnd])
        #expect((.seconds(600)...(.seconds(601))).contains(up.now.elapsed(since: since)))
    }

    // MARK: Size

    @Test("an idle stream is small: the search is gone, and instants are kept in four bytes")
    func size() {
        #expect(MemoryLayout<UpstreamMachine>.size <= 64)
        #expect(MemoryLayout<UpstreamEffect>.stride <= 32)
    }
}
