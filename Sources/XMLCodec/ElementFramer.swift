/// Finds the ends of a document's root and of its first-level elements, with a few bytes of state.
///
/// The framer only counts depth and knows quotes and CDATA. libxml2 has to accept each piece that it cuts as exactly
/// one element; where the two disagree, the piece is refused. The framer also refuses what restricted XML forbids (RFC
/// 6120 §11.1), and tags with too many attributes, because libxml2 would compare each with each.
struct ElementFramer {
    /// What the scan found; the offset is one past it.
    enum Event: Equatable {
        /// The input is used up.
        case needMore
        /// The `>` of the root's start tag.
        case rootOpened
        /// The end of a first-level element.
        case childClosed
        /// The end of the root.
        case rootClosed
        /// While skipping: after the `<![CDATA[` of a section, and after its `]]>`.
        case sectionOpened, sectionClosed
        /// While skipping: before the `>` or `/>` of a start tag with more attributes than libxml2 may compare.
        case wideTag
        /// The bytes are refused; the offset is at the byte that showed the fault.
        case fault(XMLFault)
    }

    private enum State: UInt8 {
        case content, markup, startTag, slash, singleQuoted, doubleQuoted, endTag, cdataOpening, cdata, declaration
    }

    private enum Mode: UInt8 {
        /// The document may begin with something like an XML declaration, which `XMLDeclaration` checks.
        case mayDeclare
        case plain
        /// Inside an element that broke a limit: the framer only looks for its end.
        case skipping
    }

    private var depth: UInt32 = 0
    /// In a start tag the number of attributes so far; it saturates above every limit. Elsewhere the progress inside
    /// `<![CDATA[` or `]]>`.
    private var count: UInt16 = 0
    private var mode: Mode
    private var state = State.content

    /// A framer at the start of a document, or of one whose declaration was removed.
    init(mayDeclare: Bool = false) {
        mode = mayDeclare ? .mayDeclare : .plain
    }

    /// Whether the scan is before the root, between first-level elements, or after the root.
    var isBetweenElements: Bool { state == .content && depth <= 1 }

    /// Whether the scan is inside a first-level element.
    var isInElement: Bool { depth > 1 }

    /// Whether the scan is inside a tag, or inside what begins like one.
    var isInMarkup: Bool { state != .content && state != .cdata }

    /// Whether the scan is inside a CDATA section.
    var isInSection: Bool { state == .cdata }

    /// A framer after a root's start tag, before an element to be skipped. It has no limit on attributes, and the depth
    /// `XMLLimits.skippedDepth`.
    static var skipping: ElementFramer {
        var framer = ElementFramer()
        framer.mode = .skipping
        framer.depth = 1
        return framer
    }

    /// A framer after a root's start tag.
    static var insideRoot: ElementFramer {
        var framer = ElementFramer()
        framer.depth = 1
        return framer
    }

    /// Applies the limits again.
    mutating func stopSkipping() {
        mode = .plain
    }

    /// Scans `bytes` from `offset` to the next event.
    mutating func scan(_ bytes: Span<UInt8>, from offset: inout Int, limits: XMLLimits) -> Event {
        while offset < bytes.count {
            let event: Event?
            switch state {
            case .content: event = scanContent(bytes, &offset)
            case .startTag: event = scanStartTag(bytes, &offset, limits)
            case .singleQuoted: event = scanQuoted(bytes, &offset, by: UInt8(ascii: "'"))
            case .doubleQuoted: event = scanQuoted(bytes, &offset, by: UInt8(ascii: "\""))
            case .endTag: event = scanEndTag(bytes, &offset)
            case .cdata: event = scanCDATA(bytes, &offset)
            case .markup: event = openMarkup(bytes[offset], &offset, limits)
            case .slash: event = closeEmptyTag(bytes[offset], &offset)
            case .declaration: event = scanDeclaration(bytes, &offset)
            case .cdataOpening: event = openCDATA(bytes[offset], &offset)
            }
            if let event { return event }
        }
        return .needMore
    }

    private mutating func scanContent(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        let next =
            depth > 1 ? bytes.find(UInt8(ascii: "<"), from: offset) : bytes.skippingSpace(from: offset, to: bytes.count)
        offset = next
        guard next < bytes.count else { return nil }
        guard bytes[next] == UInt8(ascii: "<") else { return .fault(depth == 0 ? .malformed : .text) }
        offset += 1
        state = .markup
        return nil
    }

    /// The byte after a `<`.
    private mutating func openMarkup(_ byte: UInt8, _ offset: inout Int, _ limits: XMLLimits) -> Event? {
        switch byte {
        case UInt8(ascii: "/"):
            guard depth > 0 else { return .fault(.malformed) }
            state = .endTag
        case UInt8(ascii: "!"):
            state = .cdataOpening
            count = 0
        case UInt8(ascii: "?"):
            guard mode == .mayDeclare, depth == 0 else { return .fault(.restrictedXML) }
            mode = .plain
            state = .declaration
        case UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "\""), 0x20, 0x09, 0x0A, 0x0D:
            return .fault(.malformed)
        default:
            guard depth < (mode == .skipping ? XMLLimits.skippedDepth : limits.depth), depth < .max else {
                return .fault(.limit(.depth))
            }
            depth += 1
            count = 0
            state = .startTag
        }
        offset += 1
        return nil
    }

    private mutating func scanDeclaration(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        offset = bytes.find(UInt8(ascii: ">"), from: offset)
        guard offset < bytes.count else { return nil }
        offset += 1
        state = .content
        return nil
    }

    private mutating func scanStartTag(_ bytes: Span<UInt8>, _ offset: inout Int, _ limits: XMLLimits) -> Event? {
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                guard count < limits.attributes || mode == .skipping else { return .fault(.limit(.attributes)) }
                if count < .max { count += 1 }
                state = bytes[offset] == UInt8(ascii: "'") ? .singleQuoted : .doubleQuoted
                offset += 1
                return nil
            case UInt8(ascii: "/"):
                if isWide { return narrowed() }
                state = .slash
                offset += 1
                return nil
            case UInt8(ascii: "<"):
                return .fault(.malformed)
            case UInt8(ascii: ">"):
                if isWide { return narrowed() }
                offset += 1
                state = .content
                return depth == 1 ? .rootOpened : nil
            default:
                offset += 1
            }
        }
        return nil
    }

    private var isWide: Bool { mode == .skipping && count > XMLLimits.comparedAttributes }

    private mutating func narrowed() -> Event {
        count = 0
        return .wideTag
    }

    private mutating func scanQuoted(_ bytes: Span<UInt8>, _ offset: inout Int, by quote: UInt8) -> Event? {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == quote {
                offset += 1
                state = .startTag
                return nil
            }
            // XML 1.0 §3.1 forbids `<` in attribute values.
            if byte == UInt8(ascii: "<") { return .fault(.malformed) }
            offset += 1
        }
        return nil
    }

    private mutating func closeEmptyTag(_ byte: UInt8, _ offset: inout Int) -> Event? {
        guard byte == UInt8(ascii: ">") else { return .fault(.malformed) }
        offset += 1
        return closeElement()
    }

    private mutating func scanEndTag(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "<") { return .fault(.malformed) }
            offset += 1
            if byte == UInt8(ascii: ">") { return closeElement() }
        }
        return nil
    }

    private mutating func closeElement() -> Event? {
        state = .content
        depth -= 1
        switch depth {
        case 0: return .rootClosed
        case 1: return .childClosed
        default: return nil
        }
    }

    private mutating func openCDATA(_ byte: UInt8, _ offset: inout Int) -> Event? {
        let expected: StaticString = "[CDATA["
        guard unsafe byte == expected.utf8Start[Int(count)] else { return .fault(.restrictedXML) }
        guard depth > 1 else { return .fault(depth == 0 ? .malformed : .text) }
        offset += 1
        count += 1
        if count == expected.utf8CodeUnitCount {
            count = 0
            state = .cdata
            return mode == .skipping ? .sectionOpened : nil
        }
        return nil
    }

    private mutating func scanCDATA(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "]") {
                count = min(count + 1, 2)
            } else if byte == UInt8(ascii: ">"), count == 2 {
                count = 0
                state = .content
                return mode == .skipping ? .sectionClosed : nil
            } else {
                count = 0
            }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// The first offset of `byte` at or after `start`; `count` when there is none.
    func find(_ byte: UInt8, from start: Int) -> Int {
        var index = start
        while index < count, self[index] != byte { index += 1 }
        return index
    }
}
