import StreamCore

/// One element that broke a limit, judged while it streams by. Only what an answer needs is kept of it.
///
/// The skip holds a libxml2 context while it lasts. Each piece given to libxml2 ends after a tag or inside text, but
/// not inside a tag: libxml2 would scan an unfinished tag again with each piece.
final class ElementSkip {
    /// The limit that the element broke.
    private let limit: XMLLimit
    private let scope: StreamScope
    private let limits: XMLLimits
    /// The most bytes of a tag, which is kept until it is whole.
    private var mostInTag: Int { max(limits.elementSize, 1_048_576) }

    /// Nil once another element has taken the context.
    private var reader: SkipReader?
    /// The bytes of the element so far.
    private var count = 0
    /// The bytes that libxml2 was given.
    private var fedCount = 0
    /// Checked characters that libxml2 has not been given: an unfinished tag, or everything since the last piece.
    private var waiting: [UInt8] = []
    /// How many bytes of `waiting` were scanned before: they are the beginning of a tag, or no markup.
    private var seenCount = 0
    /// The first bytes of a character whose last bytes have not come.
    private var cut: [UInt8] = []

    /// A skip for an element whose bytes come next; nil when memory is out.
    init?(_ limit: XMLLimit, scope: StreamScope, limits: XMLLimits, reader: SkipReader) {
        self.limit = limit
        self.scope = scope
        self.reader = reader
        self.limits = limits
        guard reader.beginPieces() else { return nil }
        reader.prepare(limit)
        var root: [UInt8] = []
        scope.appendStartTag(into: &root)
        fedCount = root.count
        guard reader.readPiece(root.span) == nil else { return nil }
    }

    /// Gives the context up, for another element.
    func giveUp() {
        reader = nil
        waiting = []
    }

    /// The bytes that the skip keeps, with what libxml2 takes.
    var heldBytes: Int { waiting.capacity + (reader?.heldBytes ?? 0) }

    /// Takes bytes that are all there, in pieces; returns the item when the element ends with them or is refused.
    func takeAll(_ bytes: Span<UInt8>, framer: inout ElementFramer) -> UpstreamItem? {
        var from = 0
        while from < bytes.count {
            let piece = bytes.extracting(from..<min(from + 65_536, bytes.count))
            var offset = 0
            let item = take(piece, from: &offset, framer: &framer)
            from += offset
            if let item { return item }
        }
        return nil
    }

    /// Takes the next bytes of the element from `offset` on; returns the item when the element ends in them or is
    /// refused.
    func take(_ bytes: Span<UInt8>, from offset: inout Int, framer: inout ElementFramer) -> UpstreamItem? {
        while true {
            let start = offset
            let isInSection = framer.isInSection
            let event = framer.scan(bytes, from: &offset, limits: limits)
            var fault = take(bytes.extracting(start..<offset), inSection: isInSection)
            switch event {
            case .sectionOpened: break
            case .sectionClosed: waiting.append(literal: "]]>")
            case .wideTag: fault = fault ?? narrowTag()
            case .childClosed where fault == nil: return end()
            case .needMore where fault == nil: return feed(isInMarkup: framer.isInMarkup).map(Self.refusal)
            case .fault(let reason): fault = fault ?? reason
            case .rootOpened, .rootClosed, .childClosed, .needMore: fault = fault ?? .malformed
            }
            if let fault { return Self.refusal(fault) }
        }
    }

    private static func refusal(_ fault: XMLFault) -> UpstreamItem { .fault(fault.asStreamFault) }

    /// Takes bytes that the framer has scanned. Inside a CDATA section only their characters have to be checked.
    private func take(_ bytes: Span<UInt8>, inSection isInSection: Bool) -> XMLFault? {
        count += bytes.count
        guard count <= limits.skippedSize else { return .limit(.skippedSize) }
        guard cut.isEmpty else {
            var whole = cut
            whole.append(contentsOf: bytes, from: 0, to: bytes.count)
            cut = []
            return takeCharacters(whole.span, inSection: isInSection)
        }
        return takeCharacters(bytes, inSection: isInSection)
    }

    private func takeCharacters(_ bytes: Span<UInt8>, inSection isInSection: Bool) -> XMLFault? {
        let end = CharacterCheck.validPrefix(of: bytes)
        if !isInSection { waiting.append(contentsOf: bytes, from: 0, to: end) }
        guard bytes.count - end < 4 else { return .malformed }
        cut.append(contentsOf: bytes, from: end, to: bytes.count)
        return nil
    }

    /// Removes all attributes but namespace declarations from the start tag at the end of `waiting`, whose `>` has not
    /// come: it has more attributes than libxml2 may compare.
    private func narrowTag() -> XMLFault? {
        guard let start = waiting.lastIndex(of: UInt8(ascii: "<")) else { return .malformed }
        let tag = Array(waiting[start...])
        let declarations = StartTag.declarations(in: tag.span)
        guard declarations.count <= XMLLimits.comparedAttributes else { return .limit(.declarations) }
        waiting.removeSubrange(start...)
        waiting += tag.prefix { !$0.endsName }
        for declaration in declarations { waiting += tag[declaration.whole] }
        seenCount = 0
        return nil
    }

    /// Gives libxml2 what waits. `isInMarkup`: the end is inside a tag. `mayGoOn`: the element has not ended.
    private func feed(isInMarkup: Bool, mayGoOn: Bool = true) -> XMLFault? {
        guard let reader else { return .limit(.skips) }
        var end = waiting.count
        if isInMarkup {
            let start = waiting[seenCount...].lastIndex(of: UInt8(ascii: "<"))
            end = start ?? 0
            guard waiting.count - end <= mostInTag else { return .limit(.elementSize) }
        } else if mayGoOn {
            // libxml2 does not notice a `]]>` in text whose beginning it was given before.
            while end > 0, waiting.count - end < 2, waiting[end - 1] == UInt8(ascii: "]") { end -= 1 }
        }
        seenCount = waiting.count - end
        guard end > 0 else { return nil }
        fedCount += end
        let fault = reader.readPiece(waiting.span.extracting(0..<end))
        if end == waiting.count, waiting.capacity <= 65_536 {
            waiting.removeAll(keepingCapacity: true)
        } else {
            waiting = Array(waiting[end...])
        }
        if let fault { return fault }
        // Text without a tag is consumed at once, except for an unfinished reference.
        guard fedCount - reader.consumedCount <= 65_536 else { return .limit(.elementSize) }
        return nil
    }

    /// Handles the end of the element, with the bytes that were taken last.
    private func end() -> UpstreamItem {
        if let fault = feed(isInMarkup: false, mayGoOn: false) { return .fault(fault.asStreamFault) }
        guard let reader, cut.isEmpty, reader.child.end == fedCount, reader.childCount == 1 else {
            return .fault(.malformed)
        }
        var rest: [UInt8] = []
        scope.appendEndTag(into: &rest)
        if let fault = reader.readLastPiece(rest.span) { return .fault(fault.asStreamFault) }
        guard var stanza = reader.takeStanza() else { return .fault(.malformed) }
        stanza.size = count
        return .skipped(stanza)
    }
}

/// Judges a skipped element by the rules for all others, except for its size.
final class SkipReader: ElementReader {
    private var names = Names()
    private var limit = XMLLimit.elementSize
    private var stanza: SkippedStanza?

    /// The most bytes of the attributes that the answer needs, all together.
    private static let mostKeptBytes = 16_384

    private struct Names {
        var client = InternedName.none, message = InternedName.none, presence = InternedName.none
        var iq = InternedName.none
        var type = InternedName.none, id = InternedName.none, from = InternedName.none, to = InternedName.none
        /// The namespaces of elements that change the stream itself, which cannot continue without them.
        var ofStream: [InternedName] = []
    }

    override var takesAnySize: Bool { true }

    init() {
        super.init(
            limits: XMLLimits(
                depth: XMLLimits.skippedDepth, attributes: 2 * XMLLimits.comparedAttributes, names: .max,
                declarations: .max))
    }

    /// Prepares for an element that broke `limit`.
    func prepare(_ limit: XMLLimit) {
        self.limit = limit
        stanza = nil
    }

    /// About the memory of the libxml2 context, with its names and its open elements.
    var heldBytes: Int { Self.bytesOfContext + nameBytes + nameCount * Self.bytesOfName + deepest * Self.bytesOfLevel }

    /// Estimated from the structures of libxml2 2.9: the context, its buffers and an empty dictionary.
    private static let bytesOfContext = 20_480
    /// An entry of the dictionary without the name's own bytes.
    private static let bytesOfName = 48
    /// An open element: its name, its namespaces and its white space, in tables that double when they grow.
    private static let bytesOfLevel = 48

    func takeStanza() -> SkippedStanza? {
        defer { stanza = nil }
        return stanza
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = Names(
            client: intern("jabber:client"), message: intern("message"), presence: intern("presence"),
            iq: intern("iq"), type: intern("type"), id: intern("id"), from: intern("from"), to: intern("to"),
            ofStream: [
                intern("http://etherx.jabber.org/streams"), intern("urn:ietf:params:xml:ns:xmpp-tls"),
                intern("http://jabber.org/protocol/compress"), intern("urn:ietf:params:xml:ns:xmpp-sasl"),
                intern("urn:xmpp:sasl:2"),
            ])
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        if names.ofStream.contains(child.uri) { return .limit(limit) }
        let kind: SkippedStanza.Kind =
            switch child.local {
            case _ where child.uri != names.client: .other
            case names.message: .message
            case names.presence: .presence
            case names.iq: .iq
            default: .other
            }
        var stanza = SkippedStanza(kind: kind, limit: limit.rawValue, size: 0)
        var room = Self.mostKeptBytes
        for index in 0..<attributes.count where attributes.uri(index).isNone {
            let name = attributes.local(index)
            guard name == names.type || name == names.id || name == names.from || name == names.to else { continue }
            let value = unsafe attributes.value(index)
            room -= value.count
            guard room >= 0 else {
                // With one attribute missing, the others would mean something else.
                stanza = SkippedStanza(kind: kind, limit: limit.rawValue, size: 0)
                break
            }
            let text = unsafe AttributeText.unescaped(Array(value))
            switch name {
            case names.type: stanza.type = text
            case names.id: stanza.id = text
            case names.from: stanza.from = text
            default: stanza.to = text
            }
        }
        self.stanza = stanza
        return nil
    }
}

/// Lends libxml2 contexts to skipped elements: a few at a time for all streams of a worker.
final class SkipContexts {
    /// A context takes some 4 MB when its element is as deep as allowed.
    static let most = 16

    private struct Lent {
        weak var skip: ElementSkip?
    }

    private let limits: XMLLimits
    private var lent: [Lent] = []

    init(limits: XMLLimits) {
        self.limits = limits
    }

    /// The number of elements that are being skipped.
    var count: Int { lent.count { $0.skip != nil } }

    /// A skip for an element that broke `limit`; nil when memory is out.
    ///
    /// When all contexts are lent, the element that has had one longest loses it, and its stream ends with the next
    /// bytes. So a slow server takes nothing from the others, whose elements are skipped in moments.
    func lend(_ limit: XMLLimit, scope: StreamScope) -> ElementSkip? {
        lent.removeAll { $0.skip == nil }
        if lent.count >= Self.most { lent.removeFirst().skip?.giveUp() }
        guard let skip = ElementSkip(limit, scope: scope, limits: limits, reader: SkipReader()) else { return nil }
        lent.append(Lent(skip: skip))
        return skip
    }
}
