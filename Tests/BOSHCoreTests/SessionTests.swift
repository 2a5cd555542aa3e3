import BOSHCore
import Bridge
import Primitives
import Testing

/// What the dialogues cannot show: what the session reports about itself, and how it treats inputs out of place.
@Suite struct SessionTests {
    private static let features = Array("<f/>".utf8)

    @Test("S-22 a new session waits for its upstream, at most for wait")
    func startsOpening() throws {
        var harness = SessionHarness()
        let created = harness.send("a", "rid=1 to=example.org wait=20")
        #expect(created.isEmpty)
        let session = try #require(harness.session)
        #expect(session.phase == .opening && session.isCreating && session.heldCount == 1)
        #expect(session.nextDeadline == harness.now.advanced(by: .seconds(20)))
        #expect(session.hold == 1 && session.requests == 2 && session.wait == .seconds(20))
        #expect(session.id == SessionHarness.id)
    }

    @Test("the next deadline is the earliest of held, early and idle")
    func findsDeadline() {
        var harness = SessionHarness(hold: 2)
        let idle = harness.now.advanced(by: .seconds(30))
        #expect(harness.session?.nextDeadline == idle)
        _ = harness.jump(.seconds(10))
        let wait = harness.now.advanced(by: .seconds(60))
        _ = harness.send("b", "rid=102")
        #expect(harness.session?.nextDeadline == wait)
        _ = harness.jump(.seconds(5))
        _ = harness.send("a", "rid=101")
        #expect(harness.session?.nextDeadline == wait, "the request that came early keeps its deadline")
        #expect(harness.session?.heldCount == 2)
    }

    @Test("a deadline that is not due does nothing, one that is long past is kept late")
    func keepsDeadlinesLate() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("a", "rid=101")
        let before = harness.handle(.deadlineReached)
        #expect(before.isEmpty)
        // The loop was busy for long: the client still gets its full time of silence from the answer on.
        var session = harness.session
        let late = harness.now.advanced(by: .seconds(500))
        var effects: [SessionEffect] = []
        session?.handle(.deadlineReached, now: late, policy: harness.policy, into: &effects)
        #expect(effects == [.respond(ExchangeID(connection: 1, number: 0), .empty)])
        #expect(session?.nextDeadline == late.advanced(by: .seconds(30)))
    }

    @Test("nothing reaches a session that is over")
    func endsForGood() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("t", "rid=101 type=terminate")
        #expect(harness.session?.phase == .over)
        #expect(harness.session?.nextDeadline == nil)
        #expect(harness.session?.heldCount == 0)
        let after =
            harness.send("a", "rid=102 <m1/>") + harness.upstream("<n1/>") + harness.upstream("end upstream-lost")
            + harness.shutDown() + harness.jump(.seconds(1000)) + harness.abort("a")
        #expect(after.isEmpty)
    }

    @Test("what the upstream says at the wrong time changes nothing")
    func ignoresUpstreamOutOfPlace() {
        var harness = SessionHarness(hold: 1)
        let opened = harness.upstream("open id=again <g/>")
        let restarted = harness.upstream("features <g/>")
        _ = harness.upstream("end upstream-lost")
        let lostAgain = harness.upstream("end upstream-stream-error <e/>")
        let openedLate = harness.upstream("open id=late <g/>")
        #expect(opened + restarted + lostAgain + openedLate == [])
        let told = harness.send("a", "rid=101")
        #expect(told == ["S: a terminate condition=remote-connection-failed", "E: upstream-lost"])
    }

    @Test("the close of a connection that nobody waits on changes nothing")
    func ignoresForeignAborts() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("a", "rid=101")
        let foreign = harness.handle(.requestAborted(ExchangeID(connection: 99, number: 0)))
        let sameConnection = harness.handle(.requestAborted(ExchangeID(connection: 1, number: 1)))
        let answered = harness.abort("create")
        #expect(foreign + sameConnection + answered == [])
        #expect(harness.session?.heldCount == 1)
    }

    @Test("X-02 T-06 features and stream errors say that they use the prefix, stanzas do not")
    func declaresPrefix() {
        var harness = SessionHarness()
        _ = harness.send("a", "rid=1 to=example.org hold=1")
        let uses = { (input: SessionInput, harness: inout SessionHarness) -> [Bool] in
            var session = harness.session
            var effects: [SessionEffect] = []
            session?.handle(input, now: harness.now, policy: harness.policy, into: &effects)
            return effects.compactMap { effect in
                if case .respond(_, let response) = effect { return response.usesStreamPrefix }
                return nil
            }
        }
        let opened = uses(.upstream(.opened(StreamIdentity(id: "s", version: nil), features: Self.features)), &harness)
        _ = harness.upstream("open id=s <f/>")
        _ = harness.send("b", "rid=2")
        let stanza = uses(.upstream(.stanzas(Self.features)), &harness)
        let error = uses(.upstream(.ended(.upstreamStreamError, streamError: Self.features)), &harness)
        let lost = uses(.upstream(.ended(.upstreamLost, streamError: [])), &harness)
        #expect(opened == [true] && stanza == [false] && error == [true] && lost == [false])
    }

    @Test("R-07 a replay is equal in every part, the creation response included")
    func replaysCreation() {
        var harness = SessionHarness()
        _ = harness.send("a", "rid=1 to=example.org hold=1 ver=1.10")
        let created = harness.upstream("open id=s version=1.0 <f/>")
        let replayed = harness.send("a", "rid=1")
        #expect(created.count == 1 && replayed == created)
    }

    @Test("back-pressure is told once, and lifted when half of the bound is free")
    func pressesBack() {
        var harness = SessionHarness(hold: 1)
        let bytes = [UInt8](repeating: 0x20, count: 100)
        var lines = harness.handle(.upstream(.stanzas(bytes)))
        #expect(lines.isEmpty, "the bound itself is allowed")
        lines = harness.handle(.upstream(.stanzas([0x20])))
        #expect(lines == ["B: stop"])
        lines = harness.handle(.upstream(.stanzas(bytes)))
        #expect(lines.isEmpty)
        lines = harness.send("a", "rid=101")
        #expect(lines.last == "B: go")
    }

    @Test(
        "back-pressure is lifted when half of the bound is free, and not before", arguments: [(50, true), (51, false)])
    func liftsBackPressure(waiting: Int, isLifted: Bool) {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("a", "rid=101 restart=true")
        _ = harness.jump(.seconds(60))
        // Features stand alone, so the stanzas go on waiting when the features are fetched.
        let features = [UInt8](repeating: 0x20, count: 60)
        _ = harness.handle(.upstream(.restarted(features: features)))
        let stopped = harness.handle(.upstream(.stanzas([UInt8](repeating: 0x20, count: waiting))))
        #expect(stopped == ["B: stop"])
        let fetched = harness.send("b", "rid=102")
        #expect(fetched.contains("B: go") == isLifted)
        let rest = harness.send("c", "rid=103")
        #expect(rest.contains("B: go") != isLifted)
    }

    @Test("R-01 the last rid there is can be used; nothing can come behind it")
    func reachesLastRid() {
        var harness = SessionHarness()
        _ = harness.send("a", "rid=9007199254740990 to=example.org hold=1")
        _ = harness.upstream("open id=s <f/>")
        let last = harness.send("b", "rid=9007199254740991 <m1/>")
        #expect(last == ["F: <m1/>"])
        let beyond = harness.send("c", "rid=9007199254740992")
        #expect(beyond == ["S: c terminate condition=bad-request"], "no rid at all, so it fails alone")
        let answered = harness.upstream("<n1/>")
        #expect(answered == ["S: b <n1/>"])
    }

    @Test("R-02 every order of a full window is forwarded in rid order and answered once", arguments: 1...3)
    func reorders(hold: Int) {
        let rids = Array(101...101 + hold)
        for order in permutations(of: rids) {
            var harness = SessionHarness(hold: hold)
            var lines: [String] = []
            var answers: [String] = []
            var sent: Set<Int> = []
            for rid in order {
                sent.insert(rid)
                let effects = harness.send("\(rid)", "rid=\(rid) <m\(rid)/>")
                lines += effects
                // all requests that have come without a gap.
                let received = rids.prefix { sent.contains($0) }.last
                for answered in rids where effects.contains(where: { $0.hasPrefix("S: \(answered) ") }) {
                    answers.append("S: \(answered) empty" + (received.map { $0 == answered ? "" : " ack=\($0)" } ?? ""))
                }
            }
            #expect(lines.filter { $0.hasPrefix("F") } == rids.map { "F: <m\($0)/>" }, "order \(order)")
            #expect(lines.filter { $0.hasPrefix("S") } == answers, "order \(order)")
            lines = harness.jump(.seconds(60))
            let rest = rids.dropFirst(answers.count)
            #expect(
                lines.filter { $0.hasPrefix("S") }
                    == rest.map { "S: \($0) empty" + ($0 == rids.last ? "" : " ack=\(rids[rids.count - 1])") })
        }
    }

    @Test("M-01 M-02 streams are opened to their domains, each with its number and name")
    func opensStreams() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "EXAMPLE.org"
        attributes.rare.language = "de"
        let policy = SessionHarness.policy
        let opening = try SessionOpening(judging: attributes, by: policy)
        var effects: [SessionEffect] = []
        let now = MonotonicInstant(nanoseconds: 0)
        let exchange = ExchangeID(connection: 1, number: 1)
        var session = Session(
            id: SessionHarness.id, opening: opening, stream: StreamName(bits: 7), exchange: exchange, payload: [],
            now: now, policy: policy, into: &effects)
        let first = StreamRequest(domain: "example.org", account: nil, language: "de")
        #expect(effects == [.upstream(.open(first), on: .first)])
        session.handle(
            .upstream(.opened(StreamIdentity(id: "s", version: nil), features: Self.features)), now: now,
            policy: policy, into: &effects)
        attributes.rid = .value(2)
        attributes.rare.freshStreamName = StreamName(bits: 8)
        attributes.rare.from = "b@example.org/x"
        attributes.rare.language = nil
        effects = []
        session.handle(.request(exchange, attributes, payload: []), now: now, policy: policy, into: &effects)
        let second = StreamRequest(
            domain: "example.org", account: "b@example.org", language: nil)
        #expect(effects == [.upstream(.open(second), on: StreamNumber(1))])
        #expect(session.streamCount == 2)
    }

    @Test("T-10 a client without ver is a legacy one")
    func knowsLegacyClients() {
        var legacy = SessionHarness()
        _ = legacy.send("a", "rid=1 to=example.org")
        var modern = SessionHarness()
        _ = modern.send("a", "rid=1 to=example.org ver=1.6")
        #expect(legacy.session?.isLegacy == true && modern.session?.isLegacy == false)
    }

    @Test("R-06 responses beyond the last ones can be taken away, the last ones cannot")
    func evictsSpareResponses() {
        var harness = SessionHarness(hold: 1)
        for rid in 101...105 {
            _ = harness.upstream("<n\(rid)/>")
            _ = harness.send("\(rid)", "rid=\(rid)")
        }
        var session = harness.session
        #expect((session?.spareResponseBytes ?? 0) > 0)
        var evicted = 0
        while session?.evictSpareResponse() == true { evicted += 1 }
        #expect(evicted == 4 && session?.spareResponseBytes == 0)
    }

    @Test("M-01 a name is sixteen hexadecimal digits and nothing else")
    func namesStreams() {
        #expect(StreamName(bits: 0xAB).text == "00000000000000ab")
        #expect(StreamName("00000000000000ab") == StreamName(bits: 0xAB))
        for text in ["", "ab", "00000000000000AB", "+0000000000000ab", "000000000000000ab", "00000000000000a\u{660}"] {
            #expect(StreamName(PeerText(text)) == nil)
        }
    }

    private func permutations(of values: [Int]) -> [[Int]] {
        guard let first = values.first else { return [[]] }
        return permutations(of: Array(values.dropFirst())).flatMap { rest in
            (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
        }
    }
}
