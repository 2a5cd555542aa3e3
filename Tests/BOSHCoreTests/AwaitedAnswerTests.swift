import BOSHCore
import Primitives
import Testing

/// A client that sends the body of its next request only after the answers to those before it (`H-18`).
@Suite struct AwaitedAnswerTests {
    @Test("H-18: a held request is answered, and the client's silence counts from then")
    func releasesHeld() {
        var harness = SessionHarness(hold: 1)
        #expect(harness.send("poll", "rid=101") == [])
        #expect(harness.await("poll") == ["S: poll empty"])
        #expect(harness.session?.heldCount == 0)
        #expect(harness.session?.nextDeadline == harness.now.advanced(by: .seconds(30)))
        // The client then sends its next request as usual, and the answer is kept for a repeat.
        #expect(harness.send("next", "rid=102 <m1/>") == ["F: <m1/>"])
        #expect(harness.send("again", "rid=101") == ["S: again empty"])
    }

    @Test("H-18 R-03: those before it are answered first, those behind it stay")
    func keepsOrder() {
        var harness = SessionHarness(hold: 3)
        for (name, rid) in [("a", 101), ("b", 102), ("c", 103)] { #expect(harness.send(name, "rid=\(rid)") == []) }
        #expect(harness.await("b") == ["S: a empty ack=103", "S: b empty ack=103"])
        #expect(harness.session?.heldCount == 1)
        #expect(harness.upstream("<n1/>") == ["S: c <n1/>"])
    }

    @Test("H-18: an early request is told of the gap as at its deadline, and its payload is kept")
    func tellsEarly() {
        var harness = SessionHarness(hold: 1)
        #expect(harness.send("early", "rid=102 <m2/>") == [])
        #expect(harness.await("early") == ["S: early error ack=100"])
        #expect(harness.await("early") == [])
        #expect(harness.send("first", "rid=101 <m1/>") == ["F: <m1/>", "S: first empty ack=102", "F: <m2/>"])
    }

    @Test("H-18 S-22: the creation waits for the server all the same")
    func keepsCreation() {
        var harness = SessionHarness()
        _ = harness.send("create", "rid=100 to=example.org ver=1.11 wait=60 hold=1")
        #expect(harness.await("create") == [])
        #expect(harness.session?.isCreating == true)
    }

    @Test("H-18 P-08: while the server takes no bytes the client is to wait, up to wait")
    func keepsBackPressure() {
        var harness = SessionHarness(hold: 1)
        _ = harness.handle(.upstream(.congested(.slow)))
        _ = harness.send("a", "rid=101 <m1/>")
        #expect(harness.await("a") == [])
        #expect(harness.jump(.seconds(60)) == ["S: a empty"])
    }

    @Test("H-18 P-08: one that waits for a server with too much in front of it is not given up")
    func keepsWhatIsWithheld() {
        var harness = SessionHarness(hold: 1)
        _ = harness.handle(.upstream(.congested(.full)))
        #expect(harness.send("a", "rid=101 <m1/>") == [])
        #expect(harness.await("a") == [])
        #expect(harness.handle(.upstream(.congested(.none))) == ["F: <m1/>"])
        #expect(harness.await("a") == ["S: a empty"])
    }

    @Test("H-18: one that was answered meanwhile is nothing to wait for")
    func ignoresAnswered() {
        var harness = SessionHarness(hold: 1)
        _ = harness.send("a", "rid=101")
        _ = harness.upstream("<n1/>")
        #expect(harness.await("a") == [])
    }
}
