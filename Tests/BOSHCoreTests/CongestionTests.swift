import BOSHCore
import Testing

/// An upstream that takes no bytes: the client's requests are held, never past `wait`, so that it sends no more.
@Suite struct CongestionTests {
    @Test("P-08 answers are delayed while the upstream is congested, up to the requests a client may have open")
    func delaysAnswers() {
        var harness = SessionHarness(hold: 1)
        #expect(harness.handle(.upstreamCongested(true)) == [])
        #expect(harness.send("a", "rid=101 <m1/>") == ["F: <m1/>"])
        #expect(harness.send("b", "rid=102 <m2/>") == ["F: <m2/>"])
        #expect(harness.session?.heldCount == 2)
        #expect(harness.handle(.upstreamCongested(false)) == ["S: a empty ack=102"])
        #expect(harness.session?.heldCount == 1)
    }

    @Test("R-14 no answer is delayed past wait")
    func keepsWait() {
        var harness = SessionHarness(hold: 1, wait: 20)
        _ = harness.handle(.upstreamCongested(true))
        _ = harness.send("a", "rid=101 <m1/>")
        _ = harness.send("b", "rid=102 <m2/>")
        #expect(harness.jump(.seconds(20)) == ["S: a empty ack=102", "S: b empty"])
    }

    @Test("R-16 what the upstream sends is not delayed")
    func deliversMeanwhile() {
        var harness = SessionHarness(hold: 1)
        _ = harness.handle(.upstreamCongested(true))
        _ = harness.send("a", "rid=101 <m1/>")
        _ = harness.send("b", "rid=102 <m2/>")
        #expect(harness.upstream("<n1/>") == ["S: a ack=102 <n1/>"])
        #expect(harness.handle(.upstreamCongested(false)) == [])
        #expect(harness.session?.heldCount == 1)
    }

    @Test("P-09 a polling client is answered at once all the same")
    func answersPolls() {
        var harness = SessionHarness(hold: 1, wait: 0)
        _ = harness.handle(.upstreamCongested(true))
        #expect(harness.send("a", "rid=102 <m1/>") == ["F: <m1/>", "S: a empty"])
    }

    @Test("S-26 one body may stand above the bound before the stream is open, a second one may not")
    func boundsWhatWaitsForTheStream() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("restart", "rid=101 restart=true")
        let large = "<m>\(String(repeating: "x", count: 200))</m>"
        #expect(harness.send("a", "rid=102 \(large)") == ["S: restart empty ack=102"])
        let lines = harness.send("b", "rid=103 <m2/>")
        #expect(lines.contains("S: b terminate condition=policy-violation"))
        #expect(lines.contains("E: inbound-overflow"))
    }
}
