import StreamCore

/// The bytes of one XMPP stream from the server, cut into its header, its first-level elements and its end.
///
/// The XML state of a stream is only this: the framer's few bytes, and the beginning of an unfinished element. Every
/// complete piece goes through the worker's `UpstreamReader`. An element that is deeper, wider or larger than the
/// limits is skipped while it streams by, and does not end the stream.
///
/// Specification: RFC 6120 §4, §11.
package struct UpstreamXML {
    private enum Phase: UInt8 {
        case header, open, over
    }

    private var framer = ElementFramer(mayDeclare: true)
    private var phase = Phase.header
    /// The beginning of an unfinished piece.
    private var partial: [UInt8] = []
    /// The stream's root, from `UpstreamReader`.
    private var scope = StreamScope.usual
    /// Work that continues over several calls; most of the time there is none.
    private var ongoing = Ongoing.nothing

    private enum Ongoing {
        case nothing
        /// A whole long element that is being read, step by step.
        case reading(LargeElement)
        /// An element that is skipped while it streams by.
        case skipping(ElementSkip)
    }

    private var large: LargeElement? {
        get { if case .reading(let element) = ongoing { element } else { nil } }
        set { ongoing = newValue.map { .reading($0) } ?? .nothing }
    }

    private var skip: ElementSkip? {
        get { if case .skipping(let skip) = ongoing { skip } else { nil } }
        set { ongoing = newValue.map { .skipping($0) } ?? .nothing }
    }

    /// A stream whose header is expected.
    package init() {}

    /// Whether the beginning of an element or of the header has come, but not its end.
    package var hasPartial: Bool { !partial.isEmpty || skip != nil }

    /// Whether a long element is being read: `next` continues it, needs no further byte and takes none.
    package var isReadingOn: Bool { large != nil }

    /// The bytes kept of an unfinished element, or of one that is being read.
    package var heldBytes: Int { partial.capacity + (large?.byteCount ?? 0) + (skip?.heldBytes ?? 0) }

    /// Expects a new stream header, because the stream was restarted or TLS begins (RFC 6120 §4.3.3). Drops what was
    /// kept.
    package mutating func reset() {
        self = UpstreamXML()
    }

    /// The next item in `input` from `offset` on; nil when more bytes are needed, or more steps (`isReadingOn`).
    ///
    /// Moves `offset` past what was used. After `.end` or `.fault` the stream is over and all further bytes are
    /// dropped. After `.proceed`, bytes left in `input` came before TLS and must not be trusted; after `.compressed`
    /// they are compressed. Call `reset()` then before the next call.
    package mutating func next(
        _ input: Span<UInt8>, offset: inout Int, reader: UpstreamReader
    ) -> UpstreamItem? {
        guard phase != .over else {
            offset = input.count
            return nil
        }
        if let large {
            guard let item = reader.proceed(large) else { return nil }
            self.large = nil
            guard case .fault(.limit(let name)) = item, let limit = XMLLimit(rawValue: name) else {
                return ended(by: item)
            }
            return ended(by: skipped(large.element.span, limit, reader) ?? item)
        }
        if partial.isEmpty, framer.isBetweenElements {
            // White space between elements keeps the connection alive and has no meaning (RFC 6120 §4.6.1).
            offset = input.skippingSpace(from: offset, to: input.count)
        }
        guard offset < input.count else { return nil }
        if phase == .header, partial.isEmpty, Self.beginsTLSRecord.contains(input[offset]) {
            return end(with: .fault(.tlsRecord))
        }
        let start = offset
        guard skip == nil else { return goOnSkipping(input, &offset) }
        let event = framer.scan(input, from: &offset, limits: reader.limits)
        if case .fault(let fault) = event {
            guard case .limit(let limit) = fault, phase == .open else { return end(with: .fault(fault.asStreamFault)) }
            offset = start
            return beginSkipping(limit, input, &offset, reader)
        }
        let (most, limit) =
            phase == .header
            ? (reader.limits.headerSize, XMLLimit.headerSize) : (reader.mostBytes, XMLLimit.elementSize)
        guard partial.count + (offset - start) <= most else {
            guard phase == .open, framer.isInElement || event == .childClosed else {
                return end(with: .fault(XMLFault.limit(limit).asStreamFault))
            }
            offset = start
            return beginSkipping(limit, input, &offset, reader)
        }
        if event == .needMore {
            partial.append(contentsOf: input, from: start, to: offset)
            // A second root looks like an element that never ends; waiting for it would swallow all stanzas after it.
            return phase == .open && scope.isRoot(beginning: partial.span) ? end(with: .fault(.invalidNamespace)) : nil
        }
        guard !partial.isEmpty else {
            return item(event, input.extracting(start..<offset), reader)
        }
        partial.append(contentsOf: input, from: start, to: offset)
        let piece = partial
        partial = []
        return item(event, piece.span, reader)
    }

    /// The types of the records with which a TLS server may begin: alert and handshake (RFC 8446 §5.1).
    private static let beginsTLSRecord: ClosedRange<UInt8> = 0x15...0x16

    private mutating func item(
        _ event: ElementFramer.Event, _ piece: Span<UInt8>, _ reader: UpstreamReader
    ) -> UpstreamItem? {
        let item: UpstreamItem
        switch event {
        case .rootOpened:
            item = reader.readHeader(piece, scope: &scope)
            phase = .open
        case .childClosed:
            // A second root is refused whether it came whole or in pieces, whatever its prefix means.
            if scope.isRoot(beginning: piece) {
                item = .fault(.invalidNamespace)
            } else if piece.count > UpstreamReader.step {
                large = LargeElement(piece, scope: scope)
                return nil
            } else {
                item = readOrSkip(piece, reader)
            }
        default:
            // The root was empty and never opened: `<stream:stream/>`.
            item = phase == .open ? reader.readEnd(piece, scope: scope) : .fault(.malformed)
        }
        return ended(by: item)
    }

    /// Ends the stream if the item says so; returns the item.
    private mutating func ended(by item: UpstreamItem) -> UpstreamItem {
        switch item {
        case .end, .fault: end(with: item)
        default: item
        }
    }

    private mutating func end(with item: UpstreamItem) -> UpstreamItem {
        phase = .over
        partial = []
        ongoing = .nothing
        return item
    }

    // MARK: - Skipping

    /// Reads an element, or skips it when it breaks a limit.
    private func readOrSkip(_ piece: Span<UInt8>, _ reader: UpstreamReader) -> UpstreamItem {
        let item = reader.readElement(piece, scope: scope)
        guard case .fault(.limit(let name)) = item, let limit = XMLLimit(rawValue: name) else { return item }
        return skipped(piece, limit, reader) ?? item
    }

    /// Skips an element that is there as a whole; nil when no context can be had.
    private func skipped(_ piece: Span<UInt8>, _ limit: XMLLimit, _ reader: UpstreamReader) -> UpstreamItem? {
        guard let skip = reader.skips.lend(limit, scope: scope) else { return nil }
        var framer = ElementFramer.skipping
        return skip.takeAll(piece, framer: &framer) ?? .fault(.malformed)
    }

    /// Begins to skip an element that broke a limit: its beginning is kept, and it continues in `input` from `offset`.
    /// It is framed again, without limits.
    private mutating func beginSkipping(
        _ limit: XMLLimit, _ input: Span<UInt8>, _ offset: inout Int, _ reader: UpstreamReader
    ) -> UpstreamItem? {
        guard let skip = reader.skips.lend(limit, scope: scope) else {
            return end(with: .fault(XMLFault.limit(limit).asStreamFault))
        }
        self.skip = skip
        var framer = ElementFramer.skipping
        let item = skip.takeAll(partial.span, framer: &framer)
        partial = []
        self.framer = framer
        if let item { return end(with: item) }
        return goOnSkipping(input, &offset)
    }

    private mutating func goOnSkipping(_ input: Span<UInt8>, _ offset: inout Int) -> UpstreamItem? {
        var framer = framer
        let item = skip?.take(input, from: &offset, framer: &framer)
        self.framer = framer
        guard let item else { return nil }
        guard case .skipped = item else { return end(with: item) }
        skip = nil
        self.framer.stopSkipping()
        return item
    }
}

/// The start tag that replaces a stream's own around an element: the same name with the same declarations.
struct StreamScope: Equatable {
    /// The start tag; empty for the usual one, which nearly every server sends and no stream has to keep.
    private let startTag: [UInt8]

    /// `<stream:stream>` with `jabber:client` and the streams namespace.
    static let usual = StreamScope(startTag: [])

    /// The start tag's bytes.
    static let usualStartTag = Array(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>".utf8)

    init(startTag: [UInt8]) {
        self.startTag = startTag == Self.usualStartTag ? [] : startTag
    }

    /// Appends the start tag.
    func appendStartTag(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: self.bytes)
    }

    /// The bytes of the start tag, including the usual one.
    var bytes: [UInt8] { startTag.isEmpty ? Self.usualStartTag : startTag }

    /// Appends the end tag.
    func appendEndTag(into bytes: inout [UInt8]) {
        bytes.append(literal: "</")
        bytes.append(contentsOf: start.dropFirst())
        bytes.append(UInt8(ascii: ">"))
    }

    /// `<` and the name with its prefix.
    private var start: ArraySlice<UInt8> {
        startTag.isEmpty ? Self.usualStart : startTag.prefix { $0 != UInt8(ascii: " ") }
    }

    private static let usualStart = usualStartTag.prefix { $0 != UInt8(ascii: " ") }

    /// Whether `piece` begins like the root of a stream, by this stream's name for it or by the usual one.
    func isRoot(beginning piece: Span<UInt8>) -> Bool {
        Self.begins(piece, with: Self.usualStart) || !startTag.isEmpty && Self.begins(piece, with: start)
    }

    private static func begins(_ piece: Span<UInt8>, with start: ArraySlice<UInt8>) -> Bool {
        guard piece.count > start.count, piece[start.count].endsName else { return false }
        for (index, byte) in start.enumerated() where piece[index] != byte { return false }
        return true
    }
}

extension XMLFault {
    /// The fault as one of the stream.
    var asStreamFault: StreamFault {
        switch self {
        case .malformed, .encoding, .text: .malformed
        case .restrictedXML: .restrictedXML
        case .invalidRoot, .forbiddenElement: .invalidNamespace
        case .limit(let limit): .limit(limit.rawValue)
        }
    }
}

extension [UInt8] {
    /// Appends a part of `bytes`.
    mutating func append(contentsOf bytes: Span<UInt8>, from start: Int, to end: Int) {
        unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { part in
            unsafe append(contentsOf: part)
        }
    }
}
