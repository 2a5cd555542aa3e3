import BOSHCore
import Settings
import StreamCore
import XMLCodec

/// Handles elements from servers that were skipped because they were too deep, too wide or too large.
extension Upstreams {
    /// Tells whoever waits for a skipped stanza, and the operator.
    func skipped(_ stanza: SkippedStanza, _ fate: SkippedFate, on link: UpstreamLink) {
        if let bound = isShort(for: stanza) ? .memoryLimit : Bound(xmlLimit: stanza.limit) {
            loop.reached(
                bound, "session \(link.sessionName): \(stanza.kind.rawValue) of \(stanza.size) bytes was skipped")
        }
        switch fate {
        case .returned:
            // Only replies count here: bytes of the client are no reason to leave a sender without an answer.
            guard UpstreamMachine.mayAnswer(behind: link.unwrittenReplies) else { return }
            var answer: [UInt8] = []
            guard stanza.appendError(into: &answer) else { return }
            loop.counters.stanzasReturned &+= 1
            send(answer, isReply: true, on: link)
        case .refused, .replaced:
            collect { collected in
                collected.add(needsBorder: link.needsBorders) { stanza.appendReplacement(into: &$0) }
            }
        case .dropped:
            break
        }
    }

    /// Whether a skipped stanza would have been delivered if there were more memory.
    private func isShort(for stanza: SkippedStanza) -> Bool {
        XMLLimit(rawValue: stanza.limit) == .elementSize && stanza.size <= loop.settings.maxStanza
    }
}

extension Bound {
    /// The bound for a limit on XML from servers; nil when no setting changes that limit.
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
    /// The limits for elements from servers. The numbers of names and declarations limit the search through the
    /// namespaces in scope that each element needs.
    init(ofServers settings: Settings) {
        self.init(
            depth: settings.stanzaDepth, attributes: settings.stanzaAttributes, names: 16_384, declarations: 256,
            elementSize: settings.maxStanza, skippedSize: settings.maxSkipped)
    }
}
