import Bridge

/// What comes next in the XML stream of a client.
package enum ClientStreamItem: Sendable, Equatable {
    /// A stream header, the first one or one more: a client restarts its stream after its login without ending the old
    /// one (`Q-35`).
    case header(ClientStreamHeader)
    /// An element for the server, as bytes that stand alone in this program's own stream to it.
    case element([UInt8])
    /// The end of the stream.
    case end
    /// Something that is not to be forwarded. The stream is over.
    case fault(XMLFault)
}

/// A client's stream header (RFC 6120 §4.7, `Q-31`).
package struct ClientStreamHeader: Sendable, Equatable {
    /// Its attributes `to`, `from` and `xml:lang`.
    package var attributes = OpenAttributes()
    /// Whether it names a version that has features (`Q-32`).
    package var hasVersion = false

    /// A header without attributes.
    package init() {}
}

/// The XML stream of one client, which comes in pieces that are cut anywhere, also inside a tag or a character.
///
/// Its state is that of the framer, and the beginning of at most one unfinished element (`Q-09`). Every complete piece
/// goes through the worker's `ClientStreamReader`. White space between elements is dropped (`Q-36`).
package struct ClientStreamXML {
    private enum Phase {
        /// A header is expected, or has begun.
        case header
        /// Between two elements, or at the beginning of one that may be a header.
        case between
        case element
        case over
    }

    private var phase = Phase.header
    private var framer = ElementFramer(mayDeclare: true)
    /// The beginning of an unfinished piece.
    private var partial: [UInt8] = []
    private var scope = StreamScope.usual
    /// How many bytes have come in elements, and how many of declarations were added to them.
    private var elementBytes = 0
    private var addedBytes = 0

    /// A stream whose header is expected.
    package init() {}

    /// The bytes kept of an unfinished piece.
    package var heldBytes: Int { partial.capacity }

    /// The next item in `input` from `offset` on; nil when more bytes are needed.
    ///
    /// Moves `offset` past what was used. After `.end` or `.fault` the stream is over, and all further bytes are
    /// dropped.
    ///
    /// - Parameter mostBytes: the most bytes of one element.
    package mutating func next(
        _ input: Span<UInt8>, offset: inout Int, mostBytes: Int, reader: ClientStreamReader
    ) -> ClientStreamItem? {
        guard phase != .over else {
            offset = input.count
            return nil
        }
        if partial.isEmpty { offset = input.skippingSpace(from: offset, to: input.count) }
        if phase == .between {
            guard decide(input, &offset, reader) else { return nil }
            // What decided is framed now that its framer is known.
            var framed = 0
            let beginning = partial
            let event = framer.scan(beginning.span, from: &framed, limits: reader.limits)
            if event != .needMore { return take(event, reader) }
        }
        guard offset < input.count else { return nil }
        let start = offset
        let event = framer.scan(input, from: &offset, limits: reader.limits)
        let limits = reader.limits
        let (most, limit) =
            phase == .header
            ? (limits.headerSize, XMLLimit.headerSize) : (min(mostBytes, limits.elementSize), XMLLimit.elementSize)
        guard offset - start <= most - partial.count else { return end(with: .fault(.limit(limit))) }
        partial.append(contentsOf: input, from: start, to: offset)
        return event == .needMore ? nil : take(event, reader)
    }

    /// Takes bytes until it is known whether an element or another header begins; false when more bytes are needed.
    private mutating func decide(_ input: Span<UInt8>, _ offset: inout Int, _ reader: ClientStreamReader) -> Bool {
        while offset < input.count {
            partial.append(input[offset])
            offset += 1
            guard let isHeader = beginsHeader(reader.limits.headerSize) else { continue }
            phase = isHeader ? .header : .element
            framer = isHeader ? ElementFramer(mayDeclare: true) : .insideRoot
            return true
        }
        return false
    }

    /// Whether the beginning of the piece is that of a header; nil when that is not known.
    private func beginsHeader(_ longest: Int) -> Bool? {
        guard partial[0] == UInt8(ascii: "<") else { return false }
        guard partial.count > 1 else { return nil }
        guard partial[1] != UInt8(ascii: "?") else {
            // Anything else that begins like this is a processing instruction.
            guard partial.starts(with: Self.declaration.prefix(partial.count)) else { return false }
            guard let last = partial.last, partial.count > Self.declaration.count else { return nil }
            return last.isXMLSpace
        }
        guard partial[1] != UInt8(ascii: "/"), partial[1] != UInt8(ascii: "!"), partial.count < longest else {
            return false
        }
        return partial[partial.count - 1].endsName ? scope.isRoot(beginning: partial.span) : nil
    }

    private static let declaration = Array("<?xml".utf8)

    /// Acts on a piece that has come whole, or is refused.
    private mutating func take(_ event: ElementFramer.Event, _ reader: ClientStreamReader) -> ClientStreamItem {
        let piece = partial
        partial = []
        let item: ClientStreamItem
        switch event {
        case .rootOpened:
            item = reader.readHeader(piece.span, scope: &scope)
            phase = .between
        case .childClosed:
            item = reader.readElement(piece.span, scope: scope)
            phase = .between
            if case .element(let bytes) = item {
                elementBytes &+= piece.count
                addedBytes &+= bytes.count - piece.count
                // A long namespace must not be copied into any number of short elements.
                guard addedBytes <= reader.limits.declarationBytes + 2 * elementBytes else {
                    return end(with: .fault(.limit(.declarationBytes)))
                }
            }
        case .rootClosed:
            // An empty root was never opened.
            item = phase == .element ? reader.readEnd(piece.span, scope: scope) : .fault(.malformed)
        case .fault(let fault): item = .fault(fault)
        case .needMore, .sectionOpened, .sectionClosed, .wideTag: item = .fault(.malformed)
        }
        switch item {
        case .end, .fault: return end(with: item)
        case .header, .element: return item
        }
    }

    private mutating func end(with item: ClientStreamItem) -> ClientStreamItem {
        phase = .over
        partial = []
        return item
    }
}
