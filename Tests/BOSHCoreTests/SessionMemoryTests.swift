import BOSHCore
import Testing

/// The bytes that a session reports, and what it does when they are too many.
@Suite struct SessionMemoryTests {
    @Test("memory-limit: bytes are told by what they are for, and go with it")
    func tellsHeldBytes() {
        var harness = SessionHarness(hold: 1)
        let before = harness.session?.heldBytes
        #expect(before?.requests == 0 && before?.stanzas == 0)
        let text = "<m>\(String(repeating: "x", count: 50))</m>"
        _ = harness.send("early", "rid=102 \(text)")
        _ = harness.upstream(text)
        // They take somewhat more than the bytes written in them.
        let expected = text.utf8.count..<text.utf8.count + 200
        #expect(expected.contains(harness.session?.heldBytes.requests ?? 0))
        #expect(expected.contains(harness.session?.heldBytes.stanzas ?? 0))
        _ = harness.send("a", "rid=101")
        #expect(harness.session?.heldBytes.requests == 0 && harness.session?.heldBytes.stanzas == 0)
        #expect((harness.session?.heldBytes.replays ?? 0) >= text.utf8.count)
        _ = harness.send("end", "rid=103 type=terminate")
        #expect(harness.session?.heldBytes.requests == 0 && harness.session?.heldBytes.stanzas == 0)
    }

    @Test("session-buffer: a body for all streams counts once while they open")
    func sharesBroadcasts() {
        var harness = SessionHarness(hold: 1)
        harness.policy.inboundBound = 10_000
        for rid in 101...103 { _ = harness.send("\(rid)", "rid=\(rid) to=example.org") }
        _ = harness.send("restart", "rid=104 restart=true")
        let text = "<m>\(String(repeating: "x", count: 5_000))</m>"
        _ = harness.jump(.seconds(60))
        _ = harness.send("told", "rid=105")
        _ = harness.send("poll", "rid=106")
        _ = harness.send("all", "rid=107 \(text)")
        let held = harness.session?.heldBytes.requests ?? 0
        #expect(held >= text.utf8.count && held < text.utf8.count + 200)
    }

    @Test("memory-limit: what a session holds is fetched before its server is read again")
    func drains() {
        var harness = SessionHarness(hold: 1)
        #expect(harness.handle(.memoryShort) == [], "nothing waits")
        _ = harness.upstream("<n1/>")
        #expect(harness.session?.isDraining == false)
        #expect(harness.handle(.memoryShort) == ["B: stop"])
        #expect(harness.session?.isDraining == true)
        #expect(harness.handle(.memoryShort) == [])
        #expect(harness.send("a", "rid=101") == ["S: a <n1/>", "B: go"])
        #expect(harness.session?.isDraining == false)
    }
}
