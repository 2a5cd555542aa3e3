import Effort
import StreamCore
import Testing

@Suite("StreamMachine")
struct StreamMachineTests {
    private let features = Array("<stream:features><x/></stream:features>".utf8)

    @Test(
        "without TLS: header, features, open; an offer of STARTTLS is ignored",
        arguments: [
            StartTLSOffer.absent, .offered, .required,
        ])
    func plain(offer: StartTLSOffer) {
        var stream = StreamDialogue(.none)
        #expect(stream.phase == .connecting)
        #expect(stream(.connected) == [.sendHeader])
        #expect(stream.phase == .header)
        #expect(stream(.item(.header(.example))) == [])
        #expect(stream.phase == .features)
        #expect(!stream.machine.isOpen)
        #expect(
            stream(.item(.features(FeaturesOffer(startTLS: offer), bytes: features))) == [
                .opened(.example, features: features, idleSeconds: nil)
            ])
        #expect(stream.phase == .open)
        #expect(stream.machine.isOpen)
    }

    @Test("direct TLS: the handshake comes first, STARTTLS inside is ignored (X-18)")
    func direct() {
        var stream = StreamDialogue(.direct)
        #expect(stream(.connected) == [.beginTLS])
        #expect(stream.phase == .directTLS)
        #expect(stream(.tlsEstablished) == [.resetParser, .sendHeader])
        #expect(stream(.item(.header(.example))) == [])
        #expect(
            stream(.item(.features(FeaturesOffer(startTLS: .required), bytes: features))) == [
                .opened(.example, features: features, idleSeconds: nil)
            ])
    }

    @Test("STARTTLS: two headers, and the features in the clear are not for the client")
    func startTLS() {
        var stream = StreamDialogue(.startTLS)
        #expect(stream(.connected) == [.sendHeader])
        #expect(stream(.item(.header(StreamHeader(from: "x", id: "old", version: (1, 0))))) == [])
        #expect(stream(.item(.features(FeaturesOffer(startTLS: .offered), bytes: [1]))) == [.sendStartTLS])
        #expect(stream.phase == .startTLS)
        #expect(stream(.item(.proceed)) == [.beginTLS])
        #expect(stream.phase == .handshake)
        #expect(stream(.tlsEstablished) == [.resetParser, .sendHeader])
        #expect(stream.phase == .header)
        #expect(stream(.item(.header(.example))) == [])
        #expect(
            stream(.item(.features(FeaturesOffer(), bytes: features))) == [
                .opened(.example, features: features, idleSeconds: nil)
            ])
    }

    @Test("no STARTTLS where it is demanded: never a silent fall-back (X-19)")
    func noFallBack() {
        var stream = StreamDialogue(.startTLS)
        _ = stream(.connected)
        _ = stream(.item(.header(.example)))
        #expect(
            stream(.item(.features(FeaturesOffer(), bytes: features)))
                == [.failed(.startTLSUnavailable), .sendStreamEnd, .closeConnection])
        var refused = StreamDialogue(.startTLS)
        _ = refused(.connected)
        _ = refused(.item(.header(.example)))
        _ = refused(.item(.features(FeaturesOffer(startTLS: .required), bytes: features)))
        #expect(
            refused(.item(.startTLSFailure)) == [.failed(.startTLSUnavailable), .sendStreamEnd, .closeConnection])
        var legacy = StreamDialogue(.startTLS)
        _ = legacy(.connected)
        #expect(
            legacy(.item(.header(.legacy))) == [.failed(.startTLSUnavailable), .sendStreamEnd, .closeConnection])
    }

    @Test("bytes behind <proceed/> end the stream, and nothing is sent in answer")
    func bytesAfterProceed() {
        var stream = StreamDialogue(.startTLS)
        _ = stream(.connected)
        _ = stream(.item(.header(.example)))
        _ = stream(.item(.features(FeaturesOffer(startTLS: .offered), bytes: features)))
        _ = stream(.item(.proceed))
        #expect(stream(.bytesAfterProceed) == [.failed(.bytesAfterProceed), .closeConnection])
        #expect(stream.phase == .closed)
    }

    @Test("a server without a version opens at its header, before and after a restart")
    func legacyServer() {
        var stream = StreamDialogue(.none)
        _ = stream(.connected)
        #expect(stream(.item(.header(.legacy))) == [.opened(.legacy, features: [], idleSeconds: nil)])
        #expect(stream(.restartRequested) == [.resetParser, .sendHeader])
        #expect(stream(.item(.header(.legacy))) == [.restarted(features: [], idleSeconds: nil)])
        #expect(stream.phase == .open)
    }

    @Test("elements are delivered once the stream is open (X-16)")
    func delivery() {
        var stream = StreamDialogue.open()
        #expect(stream(.item(.message)) == [.deliver(Array("<message/>".utf8))])
        #expect(
            stream(.item(.stanza(bytes: [1], management: .resumable))) == [.deliver([1], management: .resumable)])
    }

    @Test("T-12 c: a resumable stream on which the server makes no sense is dropped, any other is closed")
    func nonsenseOnAManagedStream() {
        let managements: [StreamManagement] = [.none, .counting, .resumable]
        for management in managements {
            var stream = StreamDialogue.open()
            _ = stream(.item(.stanza(bytes: [1], management: management)))
            #expect(stream.machine.isManaged == (management != .none))
            // Nothing is taken back.
            _ = stream(.item(.message))
            let end: [StreamEffect] = management == .resumable ? [] : [.sendStreamEnd]
            #expect(stream(.item(.proceed)) == [.failed(.unexpected(.open))] + end + [.closeConnection])
        }
    }

    @Test("upstream-from: a header names the client over TLS, in the clear only where that is wanted")
    func naming() {
        /// Whether each header that is sent may name the client, until the stream is open and restarted.
        func headers(_ tls: TLSMode, _ naming: ClientNaming) -> [Bool] {
            var machine = StreamMachine(tls: tls, naming: naming)
            var named: [Bool] = []
            let inputs: [StreamInput] = [
                .connected, .tlsEstablished, .item(.header(.example)),
                .item(.features(FeaturesOffer(startTLS: .offered), bytes: [])), .item(.proceed), .tlsEstablished,
                .item(.header(.example)), .item(.features(FeaturesOffer(), bytes: [])), .restartRequested,
            ]
            for input in inputs {
                // Inputs that cannot come on this way to a stream are left out.
                if input == .tlsEstablished, machine.phase != .directTLS, machine.phase != .handshake { continue }
                if input == .item(.proceed), machine.phase != .startTLS { continue }
                if input == .item(.header(.example)), machine.phase != .header { continue }
                if case .item(.features) = input, machine.phase != .features { continue }
                var effects: [StreamEffect] = []
                machine.handle(input, into: &effects)
                if effects.contains(.sendHeader) { named.append(machine.mayNameClient) }
            }
            return named
        }
        #expect(headers(.none, .overTLS) == [false, false])
        #expect(headers(.startTLS, .overTLS) == [false, true, true])
        #expect(headers(.direct, .overTLS) == [true, true])
        #expect(headers(.none, .always) == [true, true])
        #expect(headers(.startTLS, .always) == [true, true, true])
        #expect(headers(.none, .never) == [false, false])
        #expect(headers(.startTLS, .never) == [false, false, false])
        #expect(headers(.direct, .never) == [false, false])
    }

    @Test("login-timeout: what an element says of the login goes with it")
    func login() {
        var stream = StreamDialogue.open()
        let item = UpstreamItem.stanza(bytes: [1], login: .success)
        #expect(stream(.item(item)) == [.deliver([1], login: .success)])
    }

    @Test("a restart: a new header over the same connection, without </stream:stream> (X-08)")
    func restart() {
        var stream = StreamDialogue.open(.startTLS)
        #expect(stream(.restartRequested) == [.resetParser, .sendHeader])
        #expect(stream.phase == .restarting)
        #expect(stream.machine.isOpen)
        #expect(stream(.item(.header(.example))) == [])
        #expect(
            stream(.item(.features(FeaturesOffer(), bytes: features))) == [
                .restarted(features: features, idleSeconds: nil)
            ])
        #expect(stream.phase == .open)
        #expect(stream(.restartRequested) == [.resetParser, .sendHeader])
    }

    @Test("a restart at any other time is ignored (X-12)")
    func restartAtTheWrongTime() {
        var opening = StreamDialogue(.none)
        #expect(opening(.restartRequested) == [])
        _ = opening(.connected)
        #expect(opening(.restartRequested) == [])
        var restarting = StreamDialogue.open()
        _ = restarting(.restartRequested)
        #expect(restarting(.restartRequested) == [])
        var closing = StreamDialogue.open()
        _ = closing(.closeRequested(dropsSilently: false))
        #expect(closing(.restartRequested) == [])
    }

    @Test("features on an open stream stand among the stanzas, the prefix declared in them (SASL2)")
    func featuresWithoutRestart() {
        var stream = StreamDialogue.open()
        let alone = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><x/></stream:features>"
        #expect(
            stream(.item(.features(FeaturesOffer(), bytes: features)))
                == [.deliver(Array(alone.utf8))])
        #expect(stream.phase == .open)
    }

    @Test("a stanza before the features is not XMPP", arguments: [TLSMode.none, .startTLS])
    func stanzaTooEarly(tls: TLSMode) {
        var atHeader = StreamDialogue(tls)
        _ = atHeader(.connected)
        #expect(
            atHeader(.item(.message)) == [.failed(.unexpected(.header)), .sendStreamEnd, .closeConnection])
        var atFeatures = StreamDialogue(tls)
        _ = atFeatures(.connected)
        _ = atFeatures(.item(.header(.example)))
        #expect(
            atFeatures(.item(.message)) == [.failed(.unexpected(.features)), .sendStreamEnd, .closeConnection])
        var restarting = StreamDialogue.open(tls)
        _ = restarting(.restartRequested)
        _ = restarting(.item(.header(.example)))
        #expect(
            restarting(.item(.message)) == [.failed(.unexpected(.restarting)), .sendStreamEnd, .closeConnection])
    }

    @Test("STARTTLS answers that nobody asked for", arguments: [UpstreamItem.proceed, .startTLSFailure])
    func unaskedProceed(item: UpstreamItem) {
        for tls in [TLSMode.none, .startTLS, .direct] {
            var stream = StreamDialogue.open(tls)
            #expect(stream(.item(item)) == [.failed(.unexpected(.open)), .sendStreamEnd, .closeConnection])
        }
    }

    @Test("a stream error is reported with its bytes in every phase (T-05, T-06)")
    func streamErrors() {
        let error = UpstreamItem.streamError(condition: "host-unknown", redirect: nil, bytes: [7])
        let effects: [StreamEffect] = [
            .failed(.streamError(condition: "host-unknown", bytes: [7])), .sendStreamEnd, .closeConnection,
        ]
        for var stream in streamsInEveryPhase() where ![.returning, .closing, .closed].contains(stream.phase) {
            // Bytes after a request to compress would be taken for compressed ones.
            let isCompressing = stream.phase == .compressing
            #expect(stream(.item(error)) == (isCompressing ? effects.filter { $0 != .sendStreamEnd } : effects))
            #expect(stream.phase == .closed)
        }
    }

    @Test("the server's end is answered by ours, once (T-07)")
    func serverEnds() {
        var stream = StreamDialogue.open()
        #expect(stream(.item(.end)) == [.failed(.closed), .sendStreamEnd, .closeConnection])
        var closing = StreamDialogue.open()
        #expect(closing(.closeRequested(dropsSilently: false)) == [.sendStreamEnd])
        #expect(closing(.item(.message)) == [])
        #expect(closing(.item(.end)) == [.closeConnection])
    }

    @Test(
        "every other end, and that it is reported once",
        arguments: [
            (StreamInput.connectionLost, StreamFailure.lost), (.stalled, .stalled), (.tlsFailed(.pin), .tls(.pin)),
            (.item(.fault(.malformed)), .malformed(.malformed)),
            (.item(.fault(.limit("depth"))), .malformed(.limit("depth"))),
            (.unfinishedStanzaTimeout, .unfinishedStanza), (.compressionBroken, .compression),
        ])
    func failures(input: StreamInput, failure: StreamFailure) {
        for var stream in streamsInEveryPhase() where stream.phase != .closed {
            let isOurs = stream.phase == .closing || stream.phase == .returning
            #expect(stream(input) == (isOurs ? [.closeConnection] : [.failed(failure), .closeConnection]))
            #expect(stream(input) == [])
        }
    }

    @Test("connecting can fail in two ways", arguments: [StreamFailure.unresolved, .unreachable])
    func connectFailures(failure: StreamFailure) {
        var stream = StreamDialogue(.startTLS)
        #expect(stream(.connectFailed(failure)) == [.failed(failure), .closeConnection])
        #expect(stream(.connected) == [])
    }

    @Test("the deadline counts until the stream is open, at first and after a restart, and says what was waited for")
    func deadline() {
        for var stream in streamsInEveryPhase() {
            let phase = stream.phase
            let effects = stream(.deadlineReached)
            switch phase {
            case .open:
                #expect(effects == [])
                #expect(stream.phase == phase)
            case .returning, .closing: #expect(effects == [.closeConnection])
            case .closed: #expect(effects == [])
            default: #expect(effects == [.failed(.timeout(phase)), .closeConnection])
            }
        }
    }

    @Test("the session's own end: a farewell where there is a stream, unless the connection shall just drop (T-12 c)")
    func closeRequested() {
        for var stream in streamsInEveryPhase() {
            let phase = stream.phase
            let effects = stream(.closeRequested(dropsSilently: false))
            switch phase {
            case .closing, .closed: #expect(effects == [])
            case .connecting, .directTLS, .handshake, .compressing: #expect(effects == [.closeConnection])
            default: #expect(effects == [.sendStreamEnd])
            }
        }
        for var stream in streamsInEveryPhase() where stream.phase != .closing && stream.phase != .closed {
            #expect(stream(.closeRequested(dropsSilently: true)) == [.closeConnection])
        }
    }

    @Test("inputs that come too late or make no sense change nothing")
    func nonsense() {
        var stream = StreamDialogue.open()
        #expect(stream(.connected) == [])
        #expect(stream(.tlsEstablished) == [])
        #expect(stream.phase == .open)
        _ = stream(.connectionLost)
        for input in everyInput { #expect(stream(input) == []) }
    }

    @Test("whatever comes in whatever order: one end, told once, and nothing behind it")
    func randomInputs() {
        var reached = 0
        for seed in UInt64(0)..<2000 {
            var generator = SeededGenerator(seed: seed)
            let tls = [TLSMode.none, .startTLS, .direct][Int(seed % 3)]
            // Chance alone hardly ever opens a stream, so every other pair of seeds begins with an open one.
            var wasOpened = seed % 4 < 2
            var stream =
                wasOpened
                ? StreamDialogue.open(tls, compresses: seed % 2 == 0)
                : StreamDialogue(tls, compresses: seed % 2 == 0)
            var trace: [StreamEffect] = []
            var delivered = false
            for _ in 0..<40 {
                let input = everyInput[Int.random(in: 0..<everyInput.count, using: &generator)]
                let wasClosed = stream.phase == .closed
                let effects = stream(input)
                trace += effects
                #expect(!wasClosed || effects.isEmpty, "seed \(seed)")
                #expect((effects.last == .closeConnection) == (!wasClosed && stream.phase == .closed), "seed \(seed)")
                for effect in effects {
                    if case .opened = effect {
                        #expect(!wasOpened, "seed \(seed)")
                        wasOpened = true
                    }
                    if case .deliver = effect {
                        #expect(wasOpened, "seed \(seed)")
                        delivered = true
                    }
                    if case .restarted = effect { #expect(wasOpened, "seed \(seed)") }
                    if effect == .sendCompress { #expect(wasOpened && seed % 2 == 0, "seed \(seed)") }
                }
            }
            let failures = trace.filter { if case .failed = $0 { true } else { false } }
            #expect(failures.count <= 1, "seed \(seed)")
            #expect(trace.count { $0 == .closeConnection } <= 1, "seed \(seed)")
            #expect(trace.count { $0 == .sendStreamEnd } <= 1, "seed \(seed)")
            #expect(trace.count { $0 == .sendCompress } <= 1, "seed \(seed)")
            #expect(trace.count { $0 == .beginCompression } <= 1, "seed \(seed)")
            if delivered { reached += 1 }
        }
        #expect(reached > 100)
    }

    /// One stream in each phase.
    private func streamsInEveryPhase() -> [StreamDialogue] {
        var streams: [StreamDialogue] = [StreamDialogue(.startTLS)]
        var direct = StreamDialogue(.direct)
        _ = direct(.connected)
        streams.append(direct)
        var startTLS = StreamDialogue(.startTLS)
        let steps: [StreamInput] = [
            .connected, .item(.header(.example)), .item(.features(FeaturesOffer(startTLS: .offered), bytes: [])),
            .item(.proceed),
        ]
        for step in steps {
            _ = startTLS(step)
            streams.append(startTLS)
        }
        streams.append(.compressing())
        var open = StreamDialogue.open()
        streams.append(open)
        var closing = open
        _ = closing(.closeRequested(dropsSilently: false))
        streams.append(closing)
        var returning = open
        _ = returning(.closeRequested(dropsSilently: false, hasUnread: true))
        streams.append(returning)
        var closed = open
        _ = closed(.connectionLost)
        streams.append(closed)
        _ = open(.restartRequested)
        streams.append(open)
        #expect(Set(streams.map(\.phase)) == Set(StreamPhase.allCases))
        return streams
    }

    private var everyInput: [StreamInput] {
        [
            .connected, .connected, .connectFailed(.unreachable), .tlsEstablished, .tlsEstablished,
            .tlsFailed(.handshake),
            .item(.header(.example)), .item(.header(.example)), .item(.header(.legacy)),
            .item(.features(FeaturesOffer(startTLS: .offered), bytes: features)),
            .item(.features(FeaturesOffer(), bytes: features)),
            .item(.features(FeaturesOffer(startTLS: .offered), bytes: [])), .item(.proceed), .item(.startTLSFailure),
            .item(.message),
            .item(.streamError(condition: "x", redirect: nil, bytes: [])), .item(.end), .item(.fault(.malformed)),
            .item(.features(FeaturesOffer(offersZlib: true), bytes: features)), .item(.compressed),
            .item(.compressionFailure), .compressionBroken, .unfinishedStanzaTimeout,
            .bytesAfterProceed, .restartRequested, .restartRequested, .closeRequested(dropsSilently: false),
            .closeRequested(dropsSilently: true), .closeRequested(dropsSilently: false, hasUnread: true), .stalled,
            .connectionLost, .deadlineReached,
        ]
    }
}
