import Bridge

/// Checks the pieces that `ClientStreamXML` cut, with one libxml2 context for all streams of a worker, and prepares
/// them for this program's own streams to servers. A worker has one.
///
/// Specification: RFC 6120 §4.8, §11; `N-02` to `N-10`, `Q-31`, `Q-34`.
package final class ClientStreamReader {
    private let pieces: ClientPieceReader
    /// A root with the stream's declarations around one piece.
    private var document: [UInt8] = []

    /// A reader with these limits.
    package init(limits: XMLLimits) { pieces = ClientPieceReader(limits: limits) }

    /// The limits, which the framer of each stream shares.
    var limits: XMLLimits { pieces.limits }

    /// Reads a stream header, from its XML declaration to its `>`. `scope` becomes the stream's.
    func readHeader(_ piece: Span<UInt8>, scope: inout StreamScope) -> ClientStreamItem {
        let start: Int
        do {
            start = try XMLDeclaration.skip(in: piece)
        } catch {
            return .fault(error)
        }
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.encoding) }
        document.removeAll(keepingCapacity: true)
        document.appendClosed(piece, from: start)
        pieces.prepare(for: .header)
        let fault = pieces.read(document.span)
        if let fault { return .fault(fault) }
        scope = StreamScope(startTag: pieces.takeBytes())
        return .header(pieces.header)
    }

    /// Reads one first-level element.
    func readElement(_ piece: Span<UInt8>, scope: StreamScope) -> ClientStreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.encoding) }
        let fault: XMLFault?
        if piece.count <= ElementReader.mostInSurroundings {
            pieces.prepare(for: .element(0..<piece.count))
            fault = pieces.read(piece, in: .stream(scope))
        } else {
            document.removeAll(keepingCapacity: true)
            scope.appendStartTag(into: &document)
            let start = document.count
            document.append(contentsOf: piece, from: 0, to: piece.count)
            pieces.prepare(for: .element(start..<document.count))
            scope.appendEndTag(into: &document)
            fault = pieces.read(document.span)
            document = []
        }
        if let fault { return .fault(fault) }
        return .element(pieces.takeBytes())
    }

    /// Reads the stream's end tag.
    func readEnd(_ piece: Span<UInt8>, scope: StreamScope) -> ClientStreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.encoding) }
        document.removeAll(keepingCapacity: true)
        scope.appendStartTag(into: &document)
        document.append(contentsOf: piece, from: 0, to: piece.count)
        pieces.prepare(for: .end)
        let fault = pieces.read(document.span)
        document.removeAll(keepingCapacity: true)
        if let fault { return .fault(fault) }
        return .end
    }
}

/// Reads the root of a client's stream with at most one element in it.
private final class ClientPieceReader: ElementReader {
    enum Piece {
        case header
        case element(Range<Int>)
        case end
    }

    private var names = BodyNames()
    private var streams = StreamNames()
    private var to = InternedName.none
    private var piece = Piece.end
    /// The start tag that surrounds the stream's elements, or the element.
    private var bytes: [UInt8] = []
    /// The header that was read last.
    private(set) var header = ClientStreamHeader()

    func prepare(for piece: Piece) {
        self.piece = piece
        bytes = []
    }

    func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = BodyNames(intern)
        streams = StreamNames(intern)
        to = intern("to")
    }

    override func rootOpened(
        local: InternedName, prefix: InternedName, uri: InternedName, attributes: SAXAttributes
    ) -> XMLFault? {
        guard case .header = piece else { return nil }
        guard local == streams.stream, uri == streams.streams else { return .invalidRoot }
        // The default namespace is that of the content, or that of streams; then each element declares its own (RFC
        // 6120 §4.8.2).
        let isContentKnown = rootScope.contains { declaration in
            declaration.prefix.isNone && (declaration.uri == names.client || declaration.uri == streams.streams)
        }
        guard isContentKnown else { return .invalidRoot }
        header = ClientStreamHeader()
        for index in 0..<attributes.count {
            if names.isLanguage(attributes, at: index) {
                let tag = unsafe AttributeText.bounded(attributes.value(index), most: AttributeBound.language)
                header.attributes.language = LanguageTag.isOne(tag.bytes) ? tag.text : nil
            } else if !attributes.uri(index).isNone {
                continue
            } else if attributes.local(index) == to {
                header.attributes.to = unsafe AttributeText.bounded(
                    attributes.value(index), most: AttributeBound.domain)
            } else if attributes.local(index) == streams.from {
                header.attributes.from = unsafe AttributeText.bounded(
                    attributes.value(index), most: AttributeBound.address)
            } else if attributes.local(index) == streams.version {
                let version = unsafe ProtocolVersion(parsing: attributes.value(index).span)
                header.hasVersion = version.map { $0.major >= 1 } ?? false
            }
        }
        bytes = rootTag(prefix: prefix)
        return bytes.count <= limits.declarationBytes ? nil : .limit(.declarationBytes)
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard case .element(let range) = piece, childCount == 1, child.start == range.lowerBound else {
            return .malformed
        }
        guard !names.forbidden.contains(child.uri), !names.asksForExternal(child, attributes) else {
            return .forbiddenElement
        }
        return child.uri.isNone || child.uri == names.empty ? .invalidRoot : nil
    }

    override func childClosed() -> XMLFault? {
        guard case .element(let range) = piece, child.end == range.upperBound else { return .malformed }
        bytes.reserveCapacity(range.count)
        unsafe bytes.append(contentsOf: slice(child.start..<child.nameEnd))
        for (index, declaration) in rootScope.enumerated() where child.used & (1 << UInt64(index)) != 0 {
            // The stream to the server declares these itself.
            if declaration.prefix.isNone, declaration.uri == names.client { continue }
            if declaration.prefix == streams.stream, declaration.uri == streams.streams { continue }
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(declaration.uri.bytes), into: &bytes)
        }
        unsafe bytes.append(contentsOf: slice(child.nameEnd..<child.end))
        return nil
    }
}
