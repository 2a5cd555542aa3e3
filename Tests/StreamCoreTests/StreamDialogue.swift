import StreamCore

/// A stream that gets inputs and shows the effects of each.
struct StreamDialogue {
    private(set) var machine: StreamMachine

    init(_ tls: TLSMode, compresses: Bool = false) { machine = StreamMachine(tls: tls, compresses: compresses) }

    /// A stream that has its first features.
    static func open(
        _ tls: TLSMode = .none, compresses: Bool = false, header: StreamHeader = .example
    ) -> StreamDialogue {
        var dialogue = StreamDialogue(tls, compresses: compresses)
        _ = dialogue(.connected)
        switch tls {
        case .none: break
        case .direct: _ = dialogue(.tlsEstablished)
        case .startTLS:
            _ = dialogue(.item(.header(header)))
            _ = dialogue(.item(.features(FeaturesOffer(startTLS: .offered), bytes: [])))
            _ = dialogue(.item(.proceed))
            _ = dialogue(.tlsEstablished)
        }
        _ = dialogue(.item(.header(header)))
        _ = dialogue(.item(.features(FeaturesOffer(), bytes: Array("<stream:features/>".utf8))))
        return dialogue
    }

    /// A stream whose client has logged in and restarted it, and that asks the server for compression.
    static func compressing(_ tls: TLSMode = .none, features: [UInt8] = [1], idleSeconds: UInt32? = nil)
        -> StreamDialogue
    {
        var dialogue = StreamDialogue.open(tls, compresses: true)
        _ = dialogue(.restartRequested)
        _ = dialogue(.item(.header(.example)))
        let offer = FeaturesOffer(offersZlib: true, idleSeconds: idleSeconds)
        _ = dialogue(.item(.features(offer, bytes: features)))
        return dialogue
    }

    mutating func callAsFunction(_ input: StreamInput) -> [StreamEffect] {
        var effects: [StreamEffect] = []
        machine.handle(input, into: &effects)
        return effects
    }

    var phase: StreamPhase { machine.phase }
}

extension StreamHeader {
    static let example = StreamHeader(from: "example.test", id: "s1", version: (1, 0))
    static let legacy = StreamHeader(from: "example.test", id: "s1", version: nil)
}

extension UpstreamItem {
    static let message = UpstreamItem.stanza(bytes: Array("<message/>".utf8))
}
