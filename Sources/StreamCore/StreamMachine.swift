/// How the connection to a server is protected.
package enum TLSMode: Sendable, Equatable {
    /// Not at all; an offer of STARTTLS is ignored.
    case none
    /// By STARTTLS, or not at all connected (RFC 6120 §5).
    case startTLS
    /// From the first byte on (XEP-0368).
    case direct
}

/// What happened to a stream.
package enum StreamInput: Sendable, Equatable {
    /// The TCP connection stands.
    case connected
    /// There will be no connection.
    case connectFailed(StreamFailure)
    /// The TLS handshake succeeded and the server proved its name.
    case tlsEstablished
    /// It did not.
    case tlsFailed
    /// The server sent this.
    case item(UpstreamItem)
    /// Bytes stood behind `<proceed/>` in the same read.
    case bytesAfterProceed
    /// The client asked for a new stream over the same connection.
    case restartRequested
    /// The session is over.
    case closeRequested(dropsSilently: Bool)
    /// The server accepts no bytes any more.
    case stalled
    /// The TCP connection is gone.
    case connectionLost
    /// The time for connection, TLS and features is up.
    case deadlineReached
}

/// What is to be done about it. Effects are executed in order.
package enum StreamEffect: Sendable, Equatable {
    /// Send `<stream:stream …>`.
    case sendHeader
    /// Send `<starttls/>`.
    case sendStartTLS
    /// Begin the TLS handshake; everything sent after it is protected.
    case beginTLS
    /// Expect a new stream header; whatever the parser holds is dropped.
    case resetParser
    /// The stream belongs to the client: its header and its first features.
    case opened(StreamHeader, features: [UInt8])
    /// The restarted stream has sent its features.
    case restarted(features: [UInt8])
    /// Give the client this element.
    case deliver([UInt8], enablesResumption: Bool)
    /// Send `</stream:stream>`.
    case sendStreamEnd
    /// The stream has ended by itself; the session has to be told. Comes once, before `closeConnection`.
    case failed(StreamFailure)
    /// Send what is left and close the connection. The last effect of every stream.
    case closeConnection
}

/// One stream to an XMPP server, from the connection to its end (RFC 6120 §4-§5).
///
/// It knows no socket and no bytes: items come from the codec, effects go to the wiring. Every stream ends with exactly one
/// `closeConnection`, and with one `failed` before it unless the session asked for the end.
package struct StreamMachine: Sendable {
    private enum State: Sendable, Equatable {
        case connecting
        case directTLS
        /// Whether the stream is protected or need not be, so that its features are for the client.
        case header(isSecured: Bool)
        /// Boxed: a stream is here for a moment, and open for hours.
        indirect case features(StreamHeader, isSecured: Bool)
        case startTLS
        case handshake
        case open
        /// Whether the header of the restarted stream has come.
        case restarting(hasHeader: Bool)
        case closing
        case closed
    }

    private let tls: TLSMode
    private var state = State.connecting

    /// A stream that has no connection yet.
    package init(tls: TLSMode) {
        self.tls = tls
    }

    /// Where the stream stands.
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
        case .closing: .closing
        case .closed: .closed
        }
    }

    /// Whether the stream has belonged to the client; until then the deadline on opening counts.
    package var isOpen: Bool {
        switch state {
        case .open, .restarting: true
        default: false
        }
    }

    /// Takes in what happened and appends what is to be done.
    package mutating func handle(_ input: StreamInput, into effects: inout [StreamEffect]) {
        guard state != .closed else { return }
        switch input {
        case .connected: handleConnected(into: &effects)
        case .connectFailed(let failure): fail(failure, saysGoodbye: false, into: &effects)
        case .tlsEstablished: handleTLSEstablished(into: &effects)
        case .tlsFailed: fail(.tls, saysGoodbye: false, into: &effects)
        case .item(let item): handle(item, into: &effects)
        case .bytesAfterProceed: fail(.bytesAfterProceed, saysGoodbye: false, into: &effects)
        case .restartRequested: handleRestart(into: &effects)
        case .closeRequested(let dropsSilently): handleClose(dropsSilently: dropsSilently, into: &effects)
        case .stalled: fail(.stalled, saysGoodbye: false, into: &effects)
        case .connectionLost: fail(.lost, saysGoodbye: false, into: &effects)
        case .deadlineReached:
            if !isOpen { fail(.timeout(phase), saysGoodbye: false, into: &effects) }
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
        // Nothing that was said in the clear may be believed (RFC 6120 §5.4.3.3).
        effects.append(.resetParser)
        effects.append(.sendHeader)
    }

    private mutating func handle(_ item: UpstreamItem, into effects: inout [StreamEffect]) {
        switch item {
        case .streamError(let condition, let bytes):
            fail(.streamError(condition: condition, bytes: bytes), saysGoodbye: true, into: &effects)
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
        case .stanza(let bytes, let enablesResumption):
            switch state {
            case .open: effects.append(.deliver(bytes, enablesResumption: enablesResumption))
            case .closing: break
            default: handleUnexpected(into: &effects)
            }
        }
    }

    private mutating func handle(_ header: StreamHeader, into effects: inout [StreamEffect]) {
        switch state {
        case .header(let isSecured):
            if header.version == nil {
                // A server of before RFC 3920 sends no features: the header is all there is (RFC 6120 §4.7.5).
                guard isSecured else { return fail(.startTLSUnavailable, saysGoodbye: true, into: &effects) }
                state = .open
                effects.append(.opened(header, features: []))
            } else {
                state = .features(header, isSecured: isSecured)
            }
        case .restarting(hasHeader: false):
            if header.version == nil {
                state = .open
                effects.append(.restarted(features: []))
            } else {
                state = .restarting(hasHeader: true)
            }
        case .closing:
            break
        default:
            handleUnexpected(into: &effects)
        }
    }

    private mutating func handleFeatures(
        _ offer: StartTLSOffer, _ bytes: [UInt8], into effects: inout [StreamEffect]
    ) {
        switch state {
        case .features(let header, isSecured: true):
            state = .open
            effects.append(.opened(header, features: bytes))
        case .features(_, isSecured: false):
            guard offer != .absent else { return fail(.startTLSUnavailable, saysGoodbye: true, into: &effects) }
            state = .startTLS
            effects.append(.sendStartTLS)
        case .restarting(hasHeader: true):
            state = .open
            effects.append(.restarted(features: bytes))
        case .open:
            // SASL2 sends new features without a restart (XEP-0388 §2.5).
            effects.append(.deliver(Self.standingAlone(bytes), enablesResumption: false))
        case .closing:
            break
        default:
            handleUnexpected(into: &effects)
        }
    }

    /// The features with the prefix declared in them, to stand among stanzas in a response that does not declare it.
    private static func standingAlone(_ features: [UInt8]) -> [UInt8] {
        let name = "<stream:features".utf8
        guard features.starts(with: name) else { return features }
        return Array(name) + Array(" xmlns:stream='http://etherx.jabber.org/streams'".utf8)
            + features.dropFirst(name.count)
    }

    private mutating func handleRestart(into effects: inout [StreamEffect]) {
        guard state == .open else { return }
        state = .restarting(hasHeader: false)
        effects.append(.resetParser)
        effects.append(.sendHeader)
    }

    private mutating func handleClose(dropsSilently: Bool, into effects: inout [StreamEffect]) {
        switch state {
        case .closing:
            break
        case .header, .features, .startTLS, .open, .restarting:
            if dropsSilently {
                state = .closed
                effects.append(.closeConnection)
            } else {
                // The server may still have words for the stream; its own end, or the owner's patience, closes it.
                state = .closing
                effects.append(.sendStreamEnd)
            }
        case .connecting, .directTLS, .handshake, .closed:
            // No stream that could be closed in order.
            state = .closed
            effects.append(.closeConnection)
        }
    }

    private mutating func handleUnexpected(into effects: inout [StreamEffect]) {
        fail(.unexpected(phase), saysGoodbye: true, into: &effects)
    }

    /// Ends the stream. After our own goodbye an end is no failure, whatever form it takes.
    private mutating func fail(_ failure: StreamFailure, saysGoodbye: Bool, into effects: inout [StreamEffect]) {
        if state != .closing {
            effects.append(.failed(failure))
            if saysGoodbye { effects.append(.sendStreamEnd) }
        }
        state = .closed
        effects.append(.closeConnection)
    }
}
