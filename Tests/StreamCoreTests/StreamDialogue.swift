import StreamCore

/// A stream that is driven by inputs and shows the effects of each.
struct StreamDialogue {
    private(set) var machine: StreamMachine

    init(_ tls: TLSMode) { machine = StreamMachine(tls: tls) }

    /// A stream that has got as far as the first features.
    static func open(_ tls: TLSMode = .none, header: StreamHeader = .example) -> StreamDialogue {
        var dialogue = StreamDialogue(tls)
        _ = dialogue(.connected)
        switch tls {
        case .none: break
        case .direct: _ = dialogue(.tlsEstablished)
        case .startTLS:
            _ = dialogue(.item(.header(header)))
            _ = dialogue(.item(.features(.offered, bytes: [])))
            _ = dialogue(.item(.proceed))
            _ = dialogue(.tlsEstablished)
        }
        _ = dialogue(.item(.header(header)))
        _ = dialogue(.item(.features(.absent, bytes: Array("<stream:features/>".utf8))))
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
    static let message = UpstreamItem.stanza(bytes: Array("<message/>".utf8), enablesResumption: false)
}
