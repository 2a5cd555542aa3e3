import StreamCore
import Testing

@Suite("what a server had sent to a session that is over (T-12)")
struct ReturningTests {
    private let unread = StreamInput.closeRequested(dropsSilently: false, hasUnread: true)
    private let closed = StreamInput.closeRequested(dropsSilently: false)

    private func stanza(_ kind: SkippedStanza.Kind, _ type: String = "") -> SkippedStanza {
        SkippedStanza(kind: kind, limit: "depth", size: 9, type: Array(type.utf8))
    }

    @Test("it is given out until that is ended, and only then the stream is closed")
    func returning() {
        var stream = StreamDialogue.open()
        #expect(stream(unread) == [])
        #expect(stream.phase == .returning)
        #expect(stream(.item(.message)) == [.deliver(Array("<message/>".utf8))])
        #expect(stream(.item(.features(FeaturesOffer(), bytes: []))) == [])
        #expect(stream(closed) == [.sendStreamEnd])
        #expect(stream.phase == .closing)
        #expect(stream(.item(.message)) == [])
    }

    @Test("what was skipped goes back or is dropped: nobody is there who waits for an answer")
    func skipped() {
        var stream = StreamDialogue.open()
        _ = stream(unread)
        #expect(stream(.item(.skipped(stanza(.message)))) == [.skipped(stanza(.message), .returned)])
        #expect(stream(.item(.skipped(stanza(.iq, "result")))) == [.skipped(stanza(.iq, "result"), .dropped)])
    }

    @Test("where client and server count, the server keeps it: the stream is closed at once, or nothing more goes back")
    func counted() {
        var stream = StreamDialogue.open()
        _ = stream(.item(.stanza(bytes: [], management: .counting)))
        #expect(stream(unread) == [.sendStreamEnd])
        var late = StreamDialogue.open()
        _ = late(unread)
        #expect(late(.item(.stanza(bytes: [1], management: .counting))) == [])
        #expect(late(.item(.message)) == [])
    }

    @Test("a connection that shall drop, or a stream that is not open, has nothing to give back")
    func dropped() {
        var stream = StreamDialogue.open()
        #expect(stream(.closeRequested(dropsSilently: true, hasUnread: true)) == [.closeConnection])
        var restarting = StreamDialogue.open()
        _ = restarting(.restartRequested)
        #expect(restarting(unread) == [.sendStreamEnd])
    }

    @Test(
        "an end of the server's is no failure any more",
        arguments: [StreamInput.connectionLost, .item(.fault(.malformed)), .stalled, .deadlineReached])
    func ended(input: StreamInput) {
        var stream = StreamDialogue.open()
        _ = stream(unread)
        #expect(stream(input) == [.closeConnection])
    }

    @Test("a server that closes the stream hears the same")
    func closedByServer() {
        var stream = StreamDialogue.open()
        _ = stream(unread)
        #expect(stream(.item(.end)) == [.sendStreamEnd, .closeConnection])
    }
}
