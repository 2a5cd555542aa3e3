import StreamCore
import Testing

@testable import XMLCodec

@Suite("answers for a skipped stanza (N-11, T-12)")
struct SkippedStanzaXMLTests {
    private static let condition =
        "<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

    private func stanza(
        _ kind: SkippedStanza.Kind, _ type: String = "", id: String? = "1", from: String? = "a@b/c",
        to: String? = "d@e"
    ) -> SkippedStanza {
        SkippedStanza(
            kind: kind, limit: "depth", size: 9, type: Array(type.utf8), id: id.map { Array($0.utf8) },
            from: from.map { Array($0.utf8) }, to: to.map { Array($0.utf8) })
    }

    private func error(_ stanza: SkippedStanza) -> String {
        var bytes: [UInt8] = []
        #expect(stanza.appendError(into: &bytes) == !bytes.isEmpty)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func replacement(_ stanza: SkippedStanza) -> String {
        var bytes: [UInt8] = []
        stanza.appendReplacement(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("the sender of a message or a question is told, of nothing else (T-12 b)")
    func returned() {
        for name in ["message", "iq"] {
            let kind: SkippedStanza.Kind = name == "iq" ? .iq : .message
            let type = name == "iq" ? "set" : "chat"
            #expect(
                error(stanza(kind, type, id: "'<&"))
                    == "<\(name) xmlns='jabber:client' type='error' to='a@b/c' id='&apos;&lt;&amp;'>\(Self.condition)"
                    + "</\(name)>")
        }
        #expect(
            error(stanza(.iq, "get", id: nil, from: nil))
                == "<iq xmlns='jabber:client' type='error'>\(Self.condition)</iq>")
        for silent in [
            stanza(.message, "error"), stanza(.message, "groupchat"), stanza(.message, "headline"),
            stanza(.message, from: nil), stanza(.message, from: "d@e/f"), stanza(.iq, "result"), stanza(.iq, "error"),
            stanza(.presence), stanza(.other, "get"),
        ] {
            #expect(error(silent) == "")
        }
    }

    @Test("the client's own question is answered by an error with its id")
    func refused() {
        for type in ["result", "error"] {
            #expect(
                replacement(stanza(.iq, type))
                    == "<iq xmlns='jabber:client' type='error' id='1' from='a@b/c' to='d@e'>\(Self.condition)</iq>")
        }
    }

    @Test("what stands in is of the same kind, with the same attributes and without content")
    func replaced() {
        #expect(
            replacement(stanza(.message, "chat", id: "'"))
                == "<message xmlns='jabber:client' type='chat' id='&apos;' from='a@b/c' to='d@e'/>")
        #expect(
            replacement(stanza(.presence, id: nil, from: nil, to: nil)) == "<presence xmlns='jabber:client'/>")
        #expect(
            replacement(stanza(.iq, "get", to: nil)) == "<iq xmlns='jabber:client' type='get' id='1' from='a@b/c'/>")
        #expect(replacement(stanza(.other)) == "")
    }
}
