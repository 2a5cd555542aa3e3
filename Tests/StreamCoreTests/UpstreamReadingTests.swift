import StreamCore
import Testing

/// When a server is read and answered, by the bytes that wait for it.
@Suite("Reading of an upstream")
struct UpstreamReadingTests {
    private func isRead(
        _ up: UpstreamDialogue, hasBacklog: Bool = false, unwritten: Int = 0, replies: Int = 0
    ) -> Bool {
        up.machine.isToBeRead(hasBacklog: hasBacklog, unwritten: unwritten, replies: replies, by: up.rules)
    }

    @Test("a server is read while its client fetches what is there, and what was read is handled first")
    func client() {
        var up = UpstreamDialogue.open()
        #expect(isRead(up) && up.machine.mayGoOn(isReadingElement: false))
        #expect(!isRead(up, hasBacklog: true))
        _ = up(.setReading(false))
        #expect(!isRead(up) && !up.machine.mayGoOn(isReadingElement: false))
        // Errors to other senders may wait for the end of an unfinished element.
        #expect(up.machine.mayGoOn(isReadingElement: true))
        _ = up(.setReading(true))
        #expect(isRead(up))
    }

    @Test(
        "S-17: a server that does not take what it caused is read no more, and still has its errors written for a while"
    )
    func replies() {
        let up = UpstreamDialogue.open()
        #expect(isRead(up, unwritten: 10_000_000, replies: 65_536))
        #expect(!isRead(up, unwritten: 10_000_000, replies: 65_537))
        #expect(UpstreamMachine.mayAnswer(behind: 262_144) && !UpstreamMachine.mayAnswer(behind: 262_145))
    }

    @Test("T-12: what goes back to its senders stops the reading at the bound of a session")
    func returning() {
        var up = UpstreamDialogue.open()
        up.rules.mostReturning = 1_000
        #expect(isRead(up, unwritten: 1_001))
        _ = up(.setReading(false))
        _ = up(.leave(drops: false))
        #expect(up.machine.phase == .returning)
        #expect(isRead(up, unwritten: 1_000) && !isRead(up, unwritten: 1_001))
    }

    @Test("T-12: what the kernel has when the session ends goes back, although the server is read again")
    func returnsUnread() {
        var up = UpstreamDialogue.open()
        _ = up(.setReading(false))
        _ = up(.setReading(true))
        #expect(up(.leave(drops: false, hasUnread: true)) == [])
        #expect(up.machine.phase == .returning)
        var counted = UpstreamDialogue.open()
        #expect(counted(.leave(drops: true, hasUnread: true)) == [.flush, .close])
        var read = UpstreamDialogue.open()
        #expect(read(.leave(drops: false)) == [.sendStreamEnd])
    }
}
