import StreamCore

/// One element that passed a limit, judged while it streams by: nothing of it is kept but what an answer needs.
///
/// It holds a libxml2 context as long as it lasts. What libxml2 gets at a time ends behind a tag or inside text, never inside
/// a tag: libxml2 would look through an unfinished one again with each piece.
final class ElementSkip {
    /// The limit that the element passed.
    private let limit: XMLLimit
    private let scope: StreamScope
    private let limits: XMLLimits
    /// A tag is kept until it is whole, up to so many bytes.
    private var mostInTag: Int { max(limits.elementSize, 1_048_576) }

    /// Nil once another element has taken its context.
    private var reader: SkipReader?
    /// How many bytes of the element there were so far.
    private var count = 0
    /// How many bytes libxml2 was given.
    private var fedCount = 0
    /// Checked characters that libxml2 has not got: an unfinished tag, or all since it got some last.
    private var waiting: [UInt8] = []
    /// How many of `waiting` were looked through before: they are the beginning of a tag, or no markup.
    private var seenCount = 0
    /// The first bytes of a character whose last have not come.
    private var cut: [UInt8] = []

    /// The skip of an element whose bytes come next; nil when memory is out.
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

    /// Takes the context away, for another element.
    func giveUp() {
        reader = nil
        waiting = []
    }

    /// How many bytes are kept, with what libxml2 takes.
    var heldBytes: Int { waiting.capacity + (reader?.heldBytes ?? 0) }

    /// Takes bytes that are there as a whole, in pieces; the item when the element ends with them, or is refused.
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

    /// Takes the next bytes of the element from `offset` on; the item when it ends in them, or is refused.
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

    /// Takes bytes that the framer has passed. Those inside a CDATA section need no further judge than their characters.
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

    /// Leaves of the start tag at the end of what waits, whose `>` is still to come, no more than its name and its namespace
    /// declarations: it has more attributes than libxml2 is to compare each with each.
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

    /// Gives libxml2 what waits; `isInMarkup` when its end is inside a tag, `mayGoOn` unless the element has ended.
    private func feed(isInMarkup: Bool, mayGoOn: Bool = true) -> XMLFault? {
        guard let reader else { return .limit(.skips) }
        var end = waiting.count
        if isInMarkup {
            let start = waiting[seenCount...].lastIndex(of: UInt8(ascii: "<"))
            end = start ?? 0
            guard waiting.count - end <= mostInTag else { return .limit(.elementSize) }
        } else if mayGoOn {
            // libxml2 overlooks a `]]>` in text whose beginning it has been given before.
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
        // Text without a tag is used up at once, but for a reference that does not end.
        guard fedCount - reader.consumedCount <= 65_536 else { return .limit(.elementSize) }
        return nil
    }

    /// The element has ended with the bytes that were taken last.
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

/// Judges an element that is skipped by the rules for all others, except that it may be as large as it likes.
final class SkipReader: ElementReader {
    private var names = Names()
    private var limit = XMLLimit.elementSize
    private var stanza: SkippedStanza?

    /// No attribute of the answer, and all of them together, may be longer.
    private static let mostKeptBytes = 16_384

    private struct Names {
        var client = InternedName.none, message = InternedName.none, presence = InternedName.none
        var iq = InternedName.none
        var type = InternedName.none, id = InternedName.none, from = InternedName.none, to = InternedName.none
        /// Those of elements that mean something to the stream itself: it cannot go on without having read one.
        var ofStream: [InternedName] = []
    }

    override var takesAnySize: Bool { true }

    init() {
        super.init(
            limits: XMLLimits(
                depth: XMLLimits.skippedDepth, attributes: 2 * XMLLimits.comparedAttributes, names: .max,
                declarations: .max))
    }

    /// Expects an element that passed `limit`.
    func prepare(_ limit: XMLLimit) {
        self.limit = limit
        stanza = nil
    }

    /// About what its libxml2 context takes, with what that keeps of names and of open elements.
    var heldBytes: Int { Self.bytesOfContext + nameBytes + nameCount * Self.bytesOfName + deepest * Self.bytesOfLevel }

    /// Estimated from the structures of libxml2 2.9: the context, its buffers and an empty dictionary.
    private static let bytesOfContext = 20_480
    /// An entry of the dictionary beside the name's own bytes.
    private static let bytesOfName = 48
    /// An element that is open: its name, its namespaces and its white space, in tables that grow to twice their size.
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
                // Without one of them the others would say something else.
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

/// Lends libxml2 contexts to elements that are skipped, a few at a time for all streams of a worker.
final class SkipContexts {
    /// A context with what it keeps of the deepest element takes some 4 MB.
    static let most = 16

    private struct Lent {
        weak var skip: ElementSkip?
    }

    private let limits: XMLLimits
    private var lent: [Lent] = []

    init(limits: XMLLimits) {
        self.limits = limits
    }

    /// How many elements are being skipped.
    var count: Int { lent.count { $0.skip != nil } }

    /// The skip of an element that passed `limit`; nil when memory is out.
    ///
    /// When all contexts are lent, the element that has had one for the longest time loses it, and its stream ends with the
    /// next bytes: a server that trickles takes nothing from the others, whose elements are skipped in moments.
    func lend(_ limit: XMLLimit, scope: StreamScope) -> ElementSkip? {
        lent.removeAll { $0.skip == nil }
        if lent.count >= Self.most { lent.removeFirst().skip?.giveUp() }
        guard let skip = ElementSkip(limit, scope: scope, limits: limits, reader: SkipReader()) else { return nil }
        lent.append(Lent(skip: skip))
        return skip
    }
}
