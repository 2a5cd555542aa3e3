import StreamCore
import Testing

@Suite("a skipped stanza on its stream (N-11, T-12)")
struct SkippedStanzaTests {
    private func stanza(_ kind: SkippedStanza.Kind, _ type: String = "") -> SkippedStanza {
        SkippedStanza(kind: kind, limit: "depth", size: 9, type: Array(type.utf8))
    }

    private static let kinds: [(SkippedStanza.Kind, String, SkippedFate)] = [
        (.message, "", .returned), (.message, "chat", .returned), (.iq, "get", .returned), (.iq, "set", .returned),
        (.iq, "result", .refused), (.iq, "error", .refused), (.presence, "", .dropped), (.other, "", .dropped),
        (.other, "result", .dropped),
    ]

    @Test("its sender is told, or the client that waits for it", arguments: kinds)
    func fate(kind: SkippedStanza.Kind, type: String, fate: SkippedFate) {
        var stream = StreamDialogue.open()
        #expect(stream(.item(.skipped(stanza(kind, type)))) == [.skipped(stanza(kind, type), fate)])
        #expect(stream(.item(.message)) == [.deliver(Array("<message/>".utf8))])
        #expect(stream.phase == .open)
    }

    @Test("where stanzas are counted, one stands in for it, and nobody is told", arguments: kinds)
    func counted(kind: SkippedStanza.Kind, type: String, fate: SkippedFate) {
        var stream = StreamDialogue.open()
        _ = stream(.item(.stanza(bytes: [], management: .counting)))
        _ = stream(.item(.message))
        let expected: SkippedFate = kind == .other ? .dropped : .replaced
        #expect(stream(.item(.skipped(stanza(kind, type)))) == [.skipped(stanza(kind, type), expected)])
    }

    @Test("before the stream is open it is out of place like any stanza; after the goodbye it is no news")
    func outOfPlace() {
        var opening = StreamDialogue(.none)
        _ = opening(.connected)
        #expect(opening(.item(.skipped(stanza(.message)))).contains(.failed(.unexpected(.header))))
        var closing = StreamDialogue.open()
        _ = closing(.closeRequested(dropsSilently: false))
        #expect(closing(.item(.skipped(stanza(.message)))) == [])
    }
}
