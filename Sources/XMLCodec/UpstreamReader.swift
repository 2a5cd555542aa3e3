import BOSHCore
import StreamCore

/// Checks the pieces that `UpstreamXML` cut out, with one libxml2 context for all streams of a worker, and makes them fit to
/// stand in a BOSH response. One per worker.
///
/// Specification: RFC 6120 §4.8, §11; XEP-0206 §2; `N-10`, `X-06`, `X-14`, `L-12`.
package final class UpstreamReader {
    private let stanzas: StanzaReader
    /// The document that the reader is fed: a root with the stream's declarations around one piece.
    private var document: [UInt8] = []

    /// A reader that keeps to `limits`.
    package init(limits: XMLLimits = XMLLimits()) {
        stanzas = StanzaReader(limits: limits)
    }

    /// How many strings libxml2's dictionary holds at the moment.
    var nameCount: Int { stanzas.nameCount }

    /// The limits, which the framer of each stream shares.
    package var limits: XMLLimits { stanzas.limits }

    /// Reads a stream header, from its XML declaration to its `>`. `scope` becomes the stream's.
    func readHeader(_ piece: Span<UInt8>, scope: inout StreamScope) -> UpstreamItem {
        let start: Int
        do {
            start = try XMLDeclaration.skip(in: piece)
        } catch {
            return .fault(error.asStreamFault)
        }
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        document.removeAll(keepingCapacity: true)
        document.append(contentsOf: piece, from: start, to: piece.count)
        document.append(literal: "</")
        let nameStart = piece.skippingSpace(from: start, to: piece.count)
        var nameEnd = nameStart
        while nameEnd < piece.count, !piece[nameEnd].endsName { nameEnd += 1 }
        document.append(contentsOf: piece, from: min(nameStart + 1, nameEnd), to: nameEnd)
        document.append(UInt8(ascii: ">"))
        stanzas.prepare(for: .header)
        let fault = stanzas.read(document.span)
        trimDocument()
        if let fault { return .fault(fault.asStreamFault) }
        scope = StreamScope(startTag: stanzas.takeScope())
        return .header(stanzas.header)
    }

    /// Reads one first-level element.
    func readElement(_ piece: Span<UInt8>, scope: StreamScope) -> UpstreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        document.removeAll(keepingCapacity: true)
        scope.appendStartTag(into: &document)
        let start = document.count
        document.append(contentsOf: piece, from: 0, to: piece.count)
        let end = document.count
        scope.appendEndTag(into: &document)
        stanzas.prepare(for: .element(start..<end))
        let fault = stanzas.read(document.span)
        trimDocument()
        let item = stanzas.takeItem()
        if let fault { return .fault(fault.asStreamFault) }
        return item ?? .fault(.malformed)
    }

    /// Reads the stream's end tag.
    func readEnd(_ piece: Span<UInt8>, scope: StreamScope) -> UpstreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        document.removeAll(keepingCapacity: true)
        scope.appendStartTag(into: &document)
        document.append(contentsOf: piece, from: 0, to: piece.count)
        stanzas.prepare(for: .end)
        let fault = stanzas.read(document.span)
        trimDocument()
        if let fault { return .fault(fault.asStreamFault) }
        return .end
    }

    /// One large element does not stay allocated.
    private func trimDocument() {
        if document.capacity > 65_536 { document = [] }
    }
}

/// A stream's root with at most one element in it.
private final class StanzaReader: ElementReader {
    /// What is being read.
    enum Piece {
        case header
        case element(Range<Int>)
        case end
    }

    private enum Kind {
        case stanza, features, streamError, proceed, startTLSFailure
    }

    private var names = StreamNames()
    private var piece = Piece.end
    private var kind = Kind.stanza
    private var condition: String?
    private var filter = FeaturesFilter()
    private var item: UpstreamItem?
    private var scope: [UInt8] = []
    /// The header that was read last.
    private(set) var header = StreamHeader(from: "", id: "", version: nil)

    func prepare(for piece: Piece) {
        self.piece = piece
        item = nil
        scope = []
    }

    func takeItem() -> UpstreamItem? {
        defer { item = nil }
        return item
    }

    func takeScope() -> [UInt8] {
        defer { scope = [] }
        return scope
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = StreamNames(intern)
    }

    override func rootOpened(
        local: InternedName, prefix: InternedName, uri: InternedName, attributes: SAXAttributes
    ) -> XMLFault? {
        guard case .header = piece else { return nil }
        guard local == names.stream, uri == names.streams else { return .invalidRoot }
        // The content namespace has to be the default one of the whole stream (RFC 6120 §4.8.2).
        guard rootScope.contains(where: { $0.prefix.isNone && $0.uri == names.client }) else { return .invalidRoot }
        header = StreamHeader(from: "", id: "", version: nil)
        for index in 0..<attributes.count where attributes.uri(index).isNone {
            if attributes.local(index) == names.from {
                header.from = unsafe AttributeText.decoded(attributes.value(index))
            } else if attributes.local(index) == names.id {
                header.id = unsafe AttributeText.decoded(attributes.value(index))
            } else if attributes.local(index) == names.version {
                header.version = unsafe ProtocolVersion(parsing: attributes.value(index).span).map {
                    ($0.major, $0.minor)
                }
            }
        }
        rememberScope(prefix: prefix)
        return scope.count <= limits.declarationBytes ? nil : .limit(.declarationBytes)
    }

    /// Writes the root again with nothing but its name and its declarations.
    private func rememberScope(prefix: InternedName) {
        scope.append(UInt8(ascii: "<"))
        if !prefix.isNone {
            scope.append(contentsOf: prefix.bytes)
            scope.append(UInt8(ascii: ":"))
        }
        scope.append(literal: "stream")
        for declaration in rootScope {
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(declaration.uri.bytes), into: &scope)
        }
        scope.append(UInt8(ascii: ">"))
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard case .element(let range) = piece, childCount == 1, child.start == range.lowerBound else {
            return .malformed
        }
        kind = .stanza
        if child.uri == names.streams {
            if child.local == names.features {
                kind = .features
                filter = FeaturesFilter()
            } else if child.local == names.error {
                kind = .streamError
                condition = nil
            } else {
                return .forbiddenElement
            }
            child.isRenamed = child.prefix != names.stream
        } else if child.uri == names.tls {
            if child.local == names.proceed {
                kind = .proceed
            } else if child.local == names.failure {
                kind = .startTLSFailure
            } else {
                return .forbiddenElement
            }
        }
        return nil
    }

    override func descendantOpened(local: InternedName, uri: InternedName, tagEnd: Int) {
        switch kind {
        case .features:
            filter.opened(local, uri, depth: depth, start: tagStart(before: tagEnd - 1), names: names)
        case .streamError:
            if depth == 3, uri == names.streamErrors, local != names.text, condition == nil {
                condition = String(decoding: local.bytes, as: UTF8.self)
            }
        default: return
        }
    }

    override func textRead(_ text: UnsafeBufferPointer<UInt8>) {
        if kind == .features { unsafe filter.read(text) }
    }

    override func descendantClosed(at end: Int) {
        if kind == .features { filter.closed(depth: depth, end: end) }
    }

    override func childClosed() -> XMLFault? {
        guard case .element(let range) = piece, child.end == range.upperBound else { return .malformed }
        switch kind {
        case .proceed: item = .proceed
        case .startTLSFailure: item = .startTLSFailure
        case .features:
            guard let bytes = elementBytes(without: filter.cuts, usesStreamPrefix: true) else {
                return .forbiddenElement
            }
            item = .features(filter.startTLS, bytes: bytes)
        case .streamError:
            guard let bytes = elementBytes(without: [], usesStreamPrefix: true) else { return .forbiddenElement }
            item = .streamError(condition: condition ?? "undefined-condition", bytes: bytes)
        case .stanza:
            guard let bytes = elementBytes(without: [], usesStreamPrefix: false) else { return .forbiddenElement }
            let isEnabled = child.local == names.enabled && child.uri.hasPrefix("urn:xmpp:sm:")
            item = .stanza(bytes: bytes, enablesResumption: isEnabled)
        }
        return nil
    }

    /// The element with the declarations it takes from the stream (`N-10`, `X-14`), except that the response's body declares
    /// the prefix `stream` for features and errors, which get it where the server calls it something else (`L-12`).
    ///
    /// Nil when the element gives that prefix another meaning.
    private func elementBytes(without cuts: [Range<Int>], usesStreamPrefix: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(child.end - child.start + 64)
        if usesStreamPrefix, childScope.contains(where: { $0.prefix == names.stream && $0.uri != names.streams }) {
            return nil
        }
        if child.isRenamed {
            bytes.append(literal: "<stream:")
            bytes.append(contentsOf: child.local.bytes)
        } else {
            unsafe bytes.append(contentsOf: slice(child.start..<child.nameEnd))
        }
        for (index, declaration) in rootScope.enumerated() where child.used & (1 << UInt64(index)) != 0 {
            if usesStreamPrefix, declaration.prefix == names.stream {
                guard declaration.uri == names.streams else { return nil }
                continue
            }
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(declaration.uri.bytes), into: &bytes)
        }
        var copied = child.nameEnd
        for cut in (usesStreamPrefix ? ownStreamDeclarations : []) + cuts {
            unsafe bytes.append(contentsOf: slice(copied..<max(copied, cut.lowerBound)))
            copied = max(copied, cut.upperBound)
        }
        guard child.isRenamed, child.startTagEnd < child.end else {
            unsafe bytes.append(contentsOf: slice(copied..<max(copied, child.end)))
            return bytes
        }
        let endTag = tagStart(before: child.end)
        unsafe bytes.append(contentsOf: slice(copied..<max(copied, endTag)))
        bytes.append(literal: "</stream:")
        bytes.append(contentsOf: child.local.bytes)
        unsafe bytes.append(contentsOf: slice((endTag + 1 + child.nameEnd - child.start)..<child.end))
        return bytes
    }

    /// Where the child's start tag declares the prefix `stream` itself.
    private var ownStreamDeclarations: [Range<Int>] {
        guard childScope.contains(where: { $0.prefix == names.stream }) else { return [] }
        let tag = unsafe slice(child.start..<child.startTagEnd)
        return unsafe StartTag.declarations(in: tag.span).filter { $0.prefix.elementsEqual("stream".utf8) }.map {
            (child.start + $0.whole.lowerBound)..<(child.start + $0.whole.upperBound)
        }
    }
}

/// The names that mean something on a stream, in the dictionary of the current context.
struct StreamNames {
    private(set) var stream = InternedName.none, streams = InternedName.none, client = InternedName.none
    private(set) var from = InternedName.none, id = InternedName.none, version = InternedName.none
    private(set) var features = InternedName.none, error = InternedName.none, text = InternedName.none
    private(set) var streamErrors = InternedName.none, enabled = InternedName.none
    private(set) var tls = InternedName.none, startTLS = InternedName.none, required = InternedName.none
    private(set) var proceed = InternedName.none, failure = InternedName.none
    private(set) var compressFeature = InternedName.none, compression = InternedName.none
    private(set) var sasl = InternedName.none, sasl2 = InternedName.none, mechanisms = InternedName.none
    private(set) var authentication = InternedName.none, mechanism = InternedName.none
    private(set) var channelBindings = InternedName.none, channelBinding = InternedName.none

    /// No names: before there is a context.
    init() {}

    /// The names of a new context.
    init(_ intern: (StaticString) -> InternedName) {
        stream = intern("stream")
        streams = intern("http://etherx.jabber.org/streams")
        client = intern("jabber:client")
        from = intern("from")
        id = intern("id")
        version = intern("version")
        features = intern("features")
        error = intern("error")
        text = intern("text")
        streamErrors = intern("urn:ietf:params:xml:ns:xmpp-streams")
        enabled = intern("enabled")
        tls = intern("urn:ietf:params:xml:ns:xmpp-tls")
        startTLS = intern("starttls")
        required = intern("required")
        proceed = intern("proceed")
        failure = intern("failure")
        compressFeature = intern("http://jabber.org/features/compress")
        compression = intern("compression")
        sasl = intern("urn:ietf:params:xml:ns:xmpp-sasl")
        sasl2 = intern("urn:xmpp:sasl:2")
        mechanisms = intern("mechanisms")
        authentication = intern("authentication")
        mechanism = intern("mechanism")
        channelBindings = intern("urn:xmpp:sasl-cb:0")
        channelBinding = intern("sasl-channel-binding")
    }
}
