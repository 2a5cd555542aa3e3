import StreamCore
import Testing

@Suite("stream compression (XEP-0138, X-07)")
struct CompressionTests {
    private let features = Array("<stream:features><bind/></stream:features>".utf8)
    private let zlib = FeaturesOffer(offersZlib: true, idleSeconds: 600)

    /// A stream whose client restarted it, up to the header of the new stream.
    private func restarted(_ tls: TLSMode = .startTLS, compresses: Bool = true) -> StreamDialogue {
        var stream = StreamDialogue.open(tls, compresses: compresses)
        _ = stream(.restartRequested)
        _ = stream(.item(.header(.example)))
        return stream
    }

    @Test("after login: asked for, begun, and one more header; the client sees one restart", arguments: TLSMode.every)
    func success(tls: TLSMode) {
        var stream = restarted(tls)
        #expect(stream(.item(.features(zlib, bytes: features))) == [.sendCompress])
        #expect(stream.phase == .compressing)
        #expect(stream.machine.isOpen)
        #expect(stream(.item(.compressed)) == [.beginCompression, .resetParser, .sendHeader])
        #expect(stream.phase == .restarting)
        #expect(stream(.item(.header(.example))) == [])
        let after = FeaturesOffer(idleSeconds: 60)
        #expect(
            stream(.item(.features(after, bytes: features))) == [.restarted(features: features, idleSeconds: 60)])
        #expect(stream.phase == .open)
        #expect(stream(.item(.message)) == [.deliver(Array("<message/>".utf8))])
    }

    @Test("the header of a compressed stream may be one without version")
    func legacyHeader() {
        var stream = StreamDialogue.compressing()
        _ = stream(.item(.compressed))
        #expect(stream(.item(.header(.legacy))) == [.restarted(features: [], idleSeconds: nil)])
    }

    @Test("a refusal leaves the stream as it is: the features that were held back are the client's")
    func refused() {
        var stream = StreamDialogue.compressing(features: features, idleSeconds: 600)
        #expect(stream(.item(.compressionFailure)) == [.restarted(features: features, idleSeconds: 600)])
        #expect(stream.phase == .open)
    }

    @Test("it is asked for once, whatever came of it", arguments: [UpstreamItem.compressed, .compressionFailure])
    func once(answer: UpstreamItem) {
        var stream = StreamDialogue.compressing()
        _ = stream(.item(answer))
        if answer == .compressed {
            _ = stream(.item(.header(.example)))
            #expect(
                stream(.item(.features(zlib, bytes: features))) == [.restarted(features: features, idleSeconds: 600)])
        }
        #expect(stream(.restartRequested) == [.resetParser, .sendHeader])
        _ = stream(.item(.header(.example)))
        #expect(
            stream(.item(.features(zlib, bytes: features))) == [.restarted(features: features, idleSeconds: 600)])
    }

    @Test("never before login: not in the first features, nor while the server still offers to authenticate")
    func afterLoginOnly() {
        var first = StreamDialogue(.none, compresses: true)
        _ = first(.connected)
        _ = first(.item(.header(.example)))
        #expect(
            first(.item(.features(zlib, bytes: features)))
                == [.opened(.example, features: features, idleSeconds: 600)])
        var early = restarted()
        let offer = FeaturesOffer(offersZlib: true, offersSASL: true)
        #expect(
            early(.item(.features(offer, bytes: features))) == [.restarted(features: features, idleSeconds: nil)])
        // The client logs in and restarts again.
        _ = early(.restartRequested)
        _ = early(.item(.header(.example)))
        #expect(early(.item(.features(zlib, bytes: features))) == [.sendCompress])
    }

    @Test("not in the features that STARTTLS is offered with")
    func beforeTLS() {
        var stream = StreamDialogue(.startTLS, compresses: true)
        _ = stream(.connected)
        _ = stream(.item(.header(.example)))
        let offer = FeaturesOffer(startTLS: .offered, offersZlib: true)
        #expect(stream(.item(.features(offer, bytes: features))) == [.sendStartTLS])
    }

    @Test("off unless asked for, and only when zlib is offered")
    func off() {
        var off = restarted(compresses: false)
        #expect(
            off(.item(.features(zlib, bytes: features))) == [.restarted(features: features, idleSeconds: 600)])
        var notOffered = restarted()
        #expect(
            notOffered(.item(.features(FeaturesOffer(), bytes: features)))
                == [.restarted(features: features, idleSeconds: nil)])
    }

    @Test("answers nobody asked for", arguments: [UpstreamItem.compressed, .compressionFailure])
    func unasked(item: UpstreamItem) {
        var open = StreamDialogue.open(compresses: true)
        #expect(open(.item(item)) == [.failed(.unexpected(.open)), .sendStreamEnd, .closeConnection])
        var header = StreamDialogue(.none, compresses: true)
        _ = header(.connected)
        #expect(header(.item(item)) == [.failed(.unexpected(.header)), .sendStreamEnd, .closeConnection])
        var twice = StreamDialogue.compressing()
        _ = twice(.item(.compressed))
        #expect(twice(.item(item)) == [.failed(.unexpected(.restarting)), .sendStreamEnd, .closeConnection])
    }

    @Test(
        "nothing else may come instead of the answer",
        arguments: [
            UpstreamItem.message, .header(.example), .features(FeaturesOffer(), bytes: []), .proceed, .startTLSFailure,
        ])
    func otherItems(item: UpstreamItem) {
        var stream = StreamDialogue.compressing()
        #expect(stream(.item(item)) == [.failed(.unexpected(.compressing)), .closeConnection])
    }

    @Test("a client cannot restart in between")
    func restartInBetween() {
        var stream = StreamDialogue.compressing()
        #expect(stream(.restartRequested) == [])
        #expect(stream.phase == .compressing)
    }

    @Test("the session may end while the answer is awaited: without a word, which would be taken for a compressed one")
    func endInBetween() {
        for dropsSilently in [false, true] {
            var stream = StreamDialogue.compressing()
            #expect(stream(.closeRequested(dropsSilently: dropsSilently)) == [.closeConnection])
        }
        var ended = StreamDialogue.compressing()
        #expect(ended(.item(.end)) == [.failed(.closed), .closeConnection])
    }

    @Test("damaged data ends the stream without a word in answer")
    func broken() {
        var stream = StreamDialogue.compressing()
        _ = stream(.item(.compressed))
        #expect(stream(.compressionBroken) == [.failed(.compression), .closeConnection])
        #expect(stream.phase == .closed)
    }

    @Test("a stream that waits for its client takes no more memory for it")
    func size() {
        #expect(MemoryLayout<StreamMachine>.size <= 16)
    }
}

@Suite("see-other-host, unfinished elements, idle limits")
struct StreamExtrasTests {
    private let redirect = UpstreamItem.streamError(condition: "see-other-host", redirect: "b.example:5222", bytes: [7])

    @Test("before the stream is open it names another host (RFC 6120 §4.9.3.19)")
    func redirectBeforeOpen() {
        var header = StreamDialogue(.startTLS)
        _ = header(.connected)
        var features = header
        _ = features(.item(.header(.example)))
        for var stream in [header, features] {
            #expect(
                stream(.item(redirect))
                    == [.failed(.redirected(to: "b.example:5222", bytes: [7])), .sendStreamEnd, .closeConnection])
        }
    }

    @Test("after that it is a stream error like any other: the client's login cannot be moved")
    func redirectAfterOpen() {
        var restarting = StreamDialogue.open()
        _ = restarting(.restartRequested)
        var compressing = StreamDialogue.compressing()
        #expect(compressing(.item(redirect)).last == .closeConnection)
        for var stream in [StreamDialogue.open(), restarting] {
            #expect(
                stream(.item(redirect))
                    == [
                        .failed(.streamError(condition: "see-other-host", bytes: [7])), .sendStreamEnd,
                        .closeConnection,
                    ])
        }
    }

    @Test("without a host it is a stream error too")
    func redirectToNowhere() {
        var stream = StreamDialogue(.none)
        _ = stream(.connected)
        let item = UpstreamItem.streamError(condition: "see-other-host", redirect: nil, bytes: [7])
        #expect(
            stream(.item(item))
                == [.failed(.streamError(condition: "see-other-host", bytes: [7])), .sendStreamEnd, .closeConnection])
    }

    @Test("after our own goodbye it is no news")
    func redirectAfterGoodbye() {
        var stream = StreamDialogue.open()
        _ = stream(.closeRequested(dropsSilently: false))
        #expect(stream(.item(redirect)) == [.closeConnection])
    }

    @Test("an element that is not finished in time ends the stream, open or not")
    func unfinishedStanza() {
        var header = StreamDialogue(.none)
        _ = header(.connected)
        for var stream in [header, .open(), .compressing()] {
            #expect(stream(.unfinishedStanzaTimeout) == [.failed(.unfinishedStanza), .closeConnection])
        }
    }

    @Test("the server's idle limit is told with the features it stands in (XEP-0478, X-17)")
    func idleSeconds() {
        let offer = FeaturesOffer(idleSeconds: 300)
        var stream = StreamDialogue(.none)
        _ = stream(.connected)
        _ = stream(.item(.header(.example)))
        #expect(stream(.item(.features(offer, bytes: [1]))) == [.opened(.example, features: [1], idleSeconds: 300)])
        #expect(
            stream(.item(.features(offer, bytes: [1])))
                == [.limitIdle(seconds: 300), .deliver([1])])
        _ = stream(.restartRequested)
        _ = stream(.item(.header(.example)))
        #expect(
            stream(.item(.features(FeaturesOffer(), bytes: [1]))) == [.restarted(features: [1], idleSeconds: nil)])
    }
}

extension TLSMode {
    static let every = [TLSMode.none, .startTLS, .direct]
}
