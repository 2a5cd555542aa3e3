/// One stream to an XMPP server, from the connection to its end (RFC 6120 §4-§5).
///
/// It knows neither sockets nor bytes: the codec supplies items, and the wiring executes the effects. Every stream ends
/// with exactly one `closeConnection`, preceded by one `failed` unless the session asked for the end.
package struct StreamMachine: Sendable {
    private enum State: Sendable, Equatable {
        case connecting
        case directTLS
        /// `isSecured`: whether the stream is protected or need not be, so that its features are for the client.
        case header(isSecured: Bool)
        /// Boxed, because a stream is in this state only for a moment, and open for hours.
        indirect case features(StreamHeader, isSecured: Bool)
        case startTLS
        case handshake
        case open
        /// `hasHeader`: whether the header of the restarted stream has come.
        case restarting(hasHeader: Bool)
        /// This side has sent `<compress/>`. The client gets the features if the server refuses. Boxed for the same
        /// reason.
        indirect case compressing(features: [UInt8], idleSeconds: UInt32?)
        /// What the server sent before the session ended is still coming in.
        case returning
        case closing
        case closed
    }

    private let tls: TLSMode
    private let naming: ClientNaming
    /// Whether the stream still has to ask for compression.
    private var compresses: Bool
    /// What client and server have agreed on about the management of the stream (XEP-0198).
    private var management = StreamManagement.none
    /// What the stream shows to be set wrongly, as soon as it shows it; nil for most streams.
    package private(set) var advice: StreamAdvice?
    private var state = State.connecting

    /// Creates a stream that has no connection yet. `compresses`: whether to compress it with zlib after the client's
    /// login, if the server offers that (XEP-0138; `X-07`). `naming`: in which headers this side may name the client.
    package init(tls: TLSMode, compresses: Bool = false, naming: ClientNaming = .overTLS) {
        self.tls = tls
        self.compresses = compresses
        self.naming = naming
    }

    /// Whether the header that is sent now may name the client by `from` (RFC 6120 §4.7.1).
    package var mayNameClient: Bool {
        switch naming {
        case .never: false
        case .always: true
        // With STARTTLS the first header is sent unencrypted.
        case .overTLS: tls != .none && state != .header(isSecured: false)
        }
    }

    /// Whether client and server manage the stream (XEP-0198). They do so only after the client's login.
    package var isManaged: Bool { management != .none }

    /// The state of the stream.
    package var phase: StreamPhase {
        switch state {
        case .connecting: .connecting
        case .directTLS: .directTLS
        case .header: .header
        case .features: .features
        case .startTLS: .startTLS
        case .handshake: .handshake
        case .open: .open
        case .restarting: .restarting
        case .compressing: .compressing
        case .returning: .returning
        case .closing: .closing
        case .closed: .closed
        }
    }

    /// Whether the stream already belonged to the client at some time; until then the deadline for opening applies.
    package var isOpen: Bool {
        switch state {
        case .open, .restarting, .compressing: true
        default: false
        }
    }

    /// Handles an input and appends the effects.
    package mutating func handle(_ input: StreamInput, into effects: inout [StreamEffect]) {
        guard state != .closed else { return }
        switch input {
        case .connected: handleConnected(into: &effects)
        case .connectFailed(let failure): fail(failure, saysGoodbye: false, into: &effects)
        case .tlsEstablished: handleTLSEstablished(into: &effects)
        case .tlsFailed(let fault): fail(.tls(fault), saysGoodbye: false, into: &effects)
        case .tlsAbsent:
            if state == .directTLS { advice = .expectsNoDirectTLS }
            fail(.tls(.record), saysGoodbye: false, into: &effects)
        case .item(let item): handle(item, into: &effects)
        case .bytesAfterProceed: fail(.bytesAfterProceed, saysGoodbye: false, into: &effects)
        case .restartRequested: handleRestart(into: &effects)
        case .closeRequested(let dropsSilently, let hasUnread):
            if hasUnread, !dropsSilently, state == .open, management == .none {
                state = .returning
            } else {
                handleClose(dropsSilently: dropsSilently, into: &effects)
            }
        case .stalled: fail(.stalled, saysGoodbye: false, into: &effects)
        case .connectionLost: fail(.lost, saysGoodbye: false, into: &effects)
        case .deadlineReached:
            // After a restart by the client, the stream waits for the server again as at its beginning.
            if state != .open { fail(.timeout(phase), saysGoodbye: false, into: &effects) }
        case .unfinishedStanzaTimeout: fail(.unfinishedStanza, saysGoodbye: false, into: &effects)
        case .compressionBroken: fail(.compression, saysGoodbye: false, into: &effects)
        }
    }

    private mutating func handleConnected(into effects: inout [StreamEffect]) {
        guard state == .connecting else { return }
        if tls == .direct {
            state = .directTLS
            effects.append(.beginTLS)
        } else {
            state = .header(isSecured: tls == .none)
            effects.append(.sendHeader)
        }
    }

    private mutating func handleTLSEstablished(into effects: inout [StreamEffect]) {
        guard state == .directTLS || state == .handshake else { return }
        state = .header(isSecured: true)
        // Nothing that the server said before TLS may be believed (RFC 6120 §5.4.3.3).
        effects.append(.resetParser)
        effects.append(.sendHeader)
    }

    private mutating func handle(_ item: UpstreamItem, into effects: inout [StreamEffect]) {
        switch item {
        case .streamError(let condition, let redirect, let bytes):
            if let redirect, !isOpen {
                fail(.redirected(to: redirect, bytes: bytes), saysGoodbye: true, into: &effects)
            } else {
                fail(.streamError(condition: condition, bytes: bytes), saysGoodbye: true, into: &effects)
            }
        case .end:
            fail(.closed, saysGoodbye: true, into: &effects)
        case .fault(let fault):
            fail(.malformed(fault), saysGoodbye: false, into: &effects)
        case .header(let header):
            handle(header, into: &effects)
        case .features(let offer, let bytes):
            handleFeatures(offer, bytes, into: &effects)
        case .proceed:
            guard state == .startTLS else { return handleUnexpected(into: &effects) }
            state = .handshake
            effects.append(.beginTLS)
        case .startTLSFailure:
            guard state == .startTLS else { return handleUnexpected(into: &effects) }
            fail(.startTLSUnavailable, saysGoodbye: true, into: &effects)
        case .compressed:
            guard case .compressing = state else { return handleUnexpected(into: &effects) }
            effects.append(.beginCompression)
            sendNewHeader(into: &effects)
        case .compressionFailure:
            handleCompressionFailure(into: &effects)
        case .stanza(let bytes, let management, let login):
            switch state {
            case .open, .returning:
                self.management = max(self.management, management)
                // Once client and server have agreed to count stanzas, the server keeps those that were not
                // acknowledged.
                guard state == .open || self.management == .none else { break }
                effects.append(.deliver(bytes, management: management, login: login))
            case .closing: break
            default: handleUnexpected(into: &effects)
            }
        case .skipped(let stanza):
            switch state {
            case .open: effects.append(.skipped(stanza, fate(of: stanza)))
            case .returning: effects.append(.skipped(stanza, fate(of: stanza) == .returned ? .returned : .dropped))
            case .closing: break
            default: handleUnexpected(into: &effects)
            }
        }
    }

    private func fate(of stanza: SkippedStanza) -> SkippedFate {
        switch stanza.kind {
        case .other: .dropped
        case .message, .presence, .iq:
            if management != .none {
                .replaced
            } else if stanza.isAnswer {
                .refused
            } else if stanza.kind == .presence {
                .dropped
            } else {
                .returned
            }
        }
    }

    private mutating func handle(_ header: StreamHeader, into effects: inout [StreamEffect]) {
        switch state {
        case .header(let isSecured):
            if header.version == nil {
                // A server that is older than RFC 3920 sends no features, only the header (RFC 6120 §4.7.5).
                guard isSecured else { return fail(.startTLSUnavailable, saysGoodbye: true, into: &effects) }
                state = .open
                effects.append(.opened(header, features: [], idleSeconds: nil))
            } else {
                state = .features(header, isSecured: isSecured)
            }
        case .restarting(hasHeader: false):
            if header.version == nil {
                state = .open
                effects.append(.restarted(features: [], idleSeconds: nil))
            } else {
                state = .restarting(hasHeader: true)
            }
        case .returning, .closing:
            break
        default:
            handleUnexpected(into: &effects)
        }
    }

    private mutating func handleFeatures(_ offer: FeaturesOffer, _ bytes: [UInt8], into effects: inout [StreamEffect]) {
        switch state {
        case .features(let header, isSecured: true):
            // An offer of STARTTLS means nothing over TLS. Without TLS it may be the only feature, and then nobody can
            // log in.
            if tls == .none, offer.startTLS == .required || offer.startTLS == .offered && !offer.offersSASL {
                advice = .demandsTLS
            }
            state = .open
            effects.append(.opened(header, features: bytes, idleSeconds: offer.idleSeconds))
        case .features(_, isSecured: false):
            guard offer.startTLS != .absent else {
                return fail(.startTLSUnavailable, saysGoodbye: true, into: &effects)
            }
            state = .startTLS
            effects.append(.sendStartTLS)
        case .restarting(hasHeader: true):
            if compresses, offer.offersZlib, !offer.offersSASL {
                // A password must not be compressed together with text that somebody else can guess (XEP-0170 §3: SASL
                // comes first).
                compresses = false
                state = .compressing(features: bytes, idleSeconds: offer.idleSeconds)
                effects.append(.sendCompress)
            } else {
                state = .open
                effects.append(.restarted(features: bytes, idleSeconds: offer.idleSeconds))
            }
        case .open:
            // SASL2 sends new features without a restart (XEP-0388 §2.5).
            if let seconds = offer.idleSeconds { effects.append(.limitIdle(seconds: seconds)) }
            effects.append(.deliver(Self.standingAlone(bytes)))
        case .returning, .closing:
            break
        default:
            handleUnexpected(into: &effects)
        }
    }

    /// The features with their prefix declared, so that they can stand among stanzas in a response that does not
    /// declare it.
    private static func standingAlone(_ features: [UInt8]) -> [UInt8] {
        let name = "<stream:features".utf8
        guard features.starts(with: name) else { return features }
        return Array(name) + Array(" xmlns:stream='http://etherx.jabber.org/streams'".utf8)
            + features.dropFirst(name.count)
    }

    private mutating func handleRestart(into effects: inout [StreamEffect]) {
        guard state == .open else { return }
        sendNewHeader(into: &effects)
    }

    private mutating func sendNewHeader(into effects: inout [StreamEffect]) {
        state = .restarting(hasHeader: false)
        effects.append(.resetParser)
        effects.append(.sendHeader)
    }

    /// Goes on without compression (XEP-0138 §4): the client gets the features after all.
    private mutating func handleCompressionFailure(into effects: inout [StreamEffect]) {
        switch state {
        case .compressing(let features, let idleSeconds):
            state = .open
            effects.append(.restarted(features: features, idleSeconds: idleSeconds))
        case .returning, .closing:
            break
        default:
            handleUnexpected(into: &effects)
        }
    }

    private mutating func handleClose(dropsSilently: Bool, into effects: inout [StreamEffect]) {
        switch state {
        case .closing:
            break
        case .header, .features, .startTLS, .open, .restarting, .returning:
            if dropsSilently {
                state = .closed
                effects.append(.closeConnection)
            } else {
                // The server may still send something on the stream. Its own end of the stream closes it, or the owner
                // when its time is up.
                state = .closing
                effects.append(.sendStreamEnd)
            }
        case .connecting, .directTLS, .handshake, .compressing, .closed:
            // The stream cannot be closed in order: a server that was asked to compress expects compressed data from
            // now on.
            state = .closed
            effects.append(.closeConnection)
        }
    }

    private mutating func handleUnexpected(into effects: inout [StreamEffect]) {
        // The client can still continue a resumable stream, unless the server has seen it closed (`T-12` c).
        fail(.unexpected(phase), saysGoodbye: management != .resumable, into: &effects)
    }

    /// Ends the stream. After the end of its session this is no failure, in whatever form it comes.
    private mutating func fail(_ failure: StreamFailure, saysGoodbye: Bool, into effects: inout [StreamEffect]) {
        advice = advice ?? advice(after: failure)
        if state != .closing {
            if state != .returning { effects.append(.failed(failure)) }
            if saysGoodbye, phase != .compressing { effects.append(.sendStreamEnd) }
        }
        state = .closed
        effects.append(.closeConnection)
    }

    /// The setting that probably caused a failure in the present state.
    private func advice(after failure: StreamFailure) -> StreamAdvice? {
        switch failure {
        case .startTLSUnavailable: .lacksStartTLS
        // A server that speaks TLS takes the header for a broken TLS record. It answers with a record of its own, or
        // just closes.
        case .malformed(.tlsRecord): .expectsDirectTLS
        case .lost where tls != .direct && state == .header(isSecured: tls == .none): .expectsDirectTLS
        default: nil
        }
    }
}
