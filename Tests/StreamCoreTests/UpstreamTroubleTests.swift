import StreamCore
import Testing

/// Reports of troubles with a stream, and the names by which they are counted.
@Suite("Troubles of an upstream")
struct UpstreamTroubleTests {
    typealias Label = UpstreamTrouble.Label

    @Test("each trouble has one name, and each name is a trouble")
    func labels() {
        let names = Label.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        for label in Label.allCases { #expect(Label(rawValue: label.rawValue) == label) }
        #expect(Label(rawValue: "upstream-tls") == nil)
        #expect(UpstreamTrouble.strangePort.label == .forbidden && UpstreamTrouble.noPublicAddress.label == .forbidden)
        #expect(UpstreamTrouble.name(reason: "w").label.rawValue == "unresolved")
        #expect(UpstreamTrouble.connection(call: "connect", code: 111).label.rawValue == "unreachable")
        #expect(UpstreamTrouble.shortage(.ports).label.rawValue == "shortage")
        #expect(UpstreamTrouble.compression(words: "w").label.rawValue == "compression")
    }

    @Test("a handshake that fails is told once with its cause, and counted once as the stream's failure")
    func handshake() {
        var up = UpstreamDialogue.connected(.example(.direct))
        let made = up(.tlsFailed(.expired, words: "w"))
        let trouble = UpstreamTrouble.protection(.expired, words: "w")
        #expect(made.first == .note(trouble, .server(.example("a")), isRepeated: false))
        #expect(made.filter { if case .count = $0 { true } else { false } } == [.count(.tls(.expired))])
        #expect(made.suffix(3) == [.ended(.tls(.expired)), .flush, .close])
    }

    @Test("TLS that breaks later is told with its cause, and the stream is lost: the server had proved itself")
    func later() {
        var up = UpstreamDialogue.open()
        let made = up(.tlsFailed(.record, words: "w"))
        #expect(made.first == .note(.protection(.record, words: "w"), .stream, isRepeated: false))
        #expect(made.suffix(4) == [.count(.lost), .ended(.lost), .flush, .close])
    }

    @Test("what is no TLS at all on a port of direct TLS says that the port is of another kind")
    func absent() {
        var up = UpstreamDialogue.connected(.example(.direct))
        let made = up(.tlsFailed(.record, words: "w"))
        #expect(made.contains(.advise(.expectsNoDirectTLS, .example("a"))))
        #expect(made.contains(.ended(.tls(.record))))
    }

    @Test("damaged compression is told with its cause")
    func compression() {
        var up = UpstreamDialogue.open()
        let made = up(.compressionBroken(words: "w"))
        #expect(made.first == .note(.compression(words: "w"), .stream, isRepeated: false))
        #expect(made.contains(.ended(.compression)))
    }

    @Test("what comes of a connection that is gone is no trouble any more")
    func stale() {
        var up = UpstreamDialogue.open()
        _ = up(.connectionLost)
        #expect(up(.tlsFailed(.record, words: "w")) == [] && up(.compressionBroken(words: "w")) == [])
    }
}
