import BOSHCore
import Bridge
import Testing

/// An upstream that takes no bytes: the client's requests are held, but not past `wait`, so that it sends no more.
@Suite struct CongestionTests {
    @Test("P-08 answers are delayed while the upstream is congested, up to the requests a client may have open")
    func delaysAnswers() {
        var harness = SessionHarness(hold: 1)
        #expect(harness.handle(.upstream(.congested(.slow))) == [])
        #expect(harness.send("a", "rid=101 <m1/>") == ["F: <m1/>"])
        #expect(harness.send("b", "rid=102 <m2/>") == ["F: <m2/>"])
        #expect(harness.session?.heldCount == 2)
        #expect(harness.handle(.upstream(.congested(.none))) == ["S: a empty ack=102"])
        #expect(harness.session?.heldCount == 1)
    }

    @Test("R-14 no answer is delayed past wait")
    func keepsWait() {
        var harness = SessionHarness(hold: 1, wait: 20)
        _ = harness.handle(.upstream(.congested(.slow)))
        _ = harness.send("a", "rid=101 <m1/>")
        _ = harness.send("b", "rid=102 <m2/>")
        #expect(harness.jump(.seconds(20)) == ["S: a empty ack=102", "S: b empty"])
    }

    @Test("R-16 what the upstream sends is not delayed")
    func deliversMeanwhile() {
        var harness = SessionHarness(hold: 1)
        _ = harness.handle(.upstream(.congested(.slow)))
        _ = harness.send("a", "rid=101 <m1/>")
        _ = harness.send("b", "rid=102 <m2/>")
        #expect(harness.upstream("<n1/>") == ["S: a ack=102 <n1/>"])
        #expect(harness.handle(.upstream(.congested(.none))) == [])
        #expect(harness.session?.heldCount == 1)
    }

    @Test("P-09 a polling client is answered at once all the same")
    func answersPolls() {
        var harness = SessionHarness(hold: 1, wait: 0)
        _ = harness.handle(.upstream(.congested(.slow)))
        #expect(harness.send("a", "rid=102 <m1/>") == ["F: <m1/>", "S: a empty"])
    }

    @Test("B-03 what waits is judged by the bound, and by four times the bound")
    func judgesWhatWaits() {
        let bound = 100
        #expect(Congestion(waiting: -1, bound: bound) == .none)
        #expect(Congestion(waiting: 0, bound: bound) == .none)
        #expect(Congestion(waiting: 1, bound: bound) == .slow)
        #expect(Congestion(waiting: 100, bound: bound) == .slow)
        #expect(Congestion(waiting: 101, bound: bound) == .full)
        #expect(Congestion(waiting: 403, bound: bound) == .full)
        #expect(Congestion(waiting: 404, bound: bound) == .overfull)
        #expect(Congestion(waiting: .max, bound: .max) == .slow)
        #expect(Congestion(waiting: .max, bound: 0) == .overfull)
        #expect([Congestion.overfull, .none, .full, .slow].sorted() == [.none, .slow, .full, .overfull])
    }

    @Test("B-02 one body may stand above the bound before the stream is open, a second one is turned away until it is")
    func boundsWhatWaitsForTheStream() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("restart", "rid=101 restart=true")
        let large = "<m>\(String(repeating: "x", count: 200))</m>"
        #expect(harness.send("a", "rid=102 \(large)") == ["S: restart empty ack=102"])
        #expect(harness.send("b", "rid=103 <m2/>") == ["S: b unavailable"])
        #expect(harness.upstream("features <f/>") == ["F: \(large)", "S: a <f/>"])
        #expect(harness.send("b", "rid=103 <m2/>") == ["F: <m2/>"])
    }

    @Test("B-03 no request that waits for its server has a deadline, and one with a gap in front of it has")
    func deadlinesOfWaitingRequests() {
        var harness = SessionHarness(hold: 1, wait: 20)
        _ = harness.handle(.upstream(.congested(.full)))
        #expect(harness.send("a", "rid=101 <m1/>") == [])
        #expect(harness.session?.nextDeadline == nil)
        #expect((5..<300).contains(harness.session?.heldBytes.requests ?? 0))
        var other = SessionHarness(hold: 1, wait: 20)
        _ = other.handle(.upstream(.congested(.full)))
        #expect(other.send("b", "rid=102 <m2/>") == [])
        #expect(other.jump(.seconds(20)) == ["S: b error ack=100"])
    }

    @Test("K-03 what waits at the end goes on only with the right key")
    func checksKeysAtTheEnd() {
        for isRight in [true, false] {
            var harness = SessionHarness()
            _ = harness.send("create", "rid=100 to=example.org ver=1.11 wait=60 hold=1 newkey=a9")
            _ = harness.upstream("open id=s1 version=1.0 <f/>")
            _ = harness.handle(.upstream(.congested(.full)))
            #expect(harness.send("a", "rid=101 key=\(isRight ? "a8" : "b8") <m1/>") == [])
            #expect(harness.shutDown().contains("F: <m1/>") == isRight)
        }
    }
}
