import BOSHCore
import Settings
import StreamCore
import XMLCodec

/// What becomes of elements from servers that were deeper, wider or larger than is delivered.
extension Upstreams {
    /// Tells whoever waits for a skipped stanza, and the operator.
    func skipped(_ stanza: SkippedStanza, _ fate: SkippedFate, on link: UpstreamLink) {
        if let bound = isShort(for: stanza) ? .memoryLimit : Bound(xmlLimit: stanza.limit) {
            loop.reached(
                bound, "session \(link.sessionName): \(stanza.kind.rawValue) of \(stanza.size) bytes was skipped")
        }
        switch fate {
        case .returned:
            // What the client sends is no reason to leave a sender untold, so that only replies count.
            guard UpstreamMachine.mayAnswer(behind: link.unwrittenReplies) else { return }
            var answer: [UInt8] = []
            guard stanza.appendError(into: &answer) else { return }
            loop.counters.stanzasReturned &+= 1
            send(answer, isReply: true, on: link)
        case .refused, .replaced:
            collect { collected in
                stanza.appendReplacement(into: &collected.bytes)
                collected.count += 1
            }
        case .dropped:
            break
        }
    }

    /// Whether a stanza was skipped that would be delivered if there was more memory.
    private func isShort(for stanza: SkippedStanza) -> Bool {
        XMLLimit(rawValue: stanza.limit) == .elementSize && stanza.size <= loop.settings.maxStanza
    }
}

extension Bound {
    /// The bound that a limit on XML from servers belongs to; nil when no setting moves it.
    init?(xmlLimit name: String) {
        switch XMLLimit(rawValue: name) {
        case .depth: self = .stanzaDepth
        case .attributes, .declarations: self = .stanzaAttributes
        case .elementSize, .names: self = .maxStanza
        case .skippedSize: self = .maxSkipped
        case .children, .elements, .oddNamespaces, .declarationBytes, .headerSize, .skips, nil: return nil
        }
    }
}

extension XMLLimits {
    /// What is delivered of what servers send. The namespaces in scope are looked through for each element.
    init(ofServers settings: Settings) {
        self.init(
            depth: settings.stanzaDepth, attributes: settings.stanzaAttributes, names: 16_384, declarations: 256,
            elementSize: settings.maxStanza, skippedSize: settings.maxSkipped)
    }
}
