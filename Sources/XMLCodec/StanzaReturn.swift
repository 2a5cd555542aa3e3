/// Returns to the server what a client never fetched, as the errors that a dead session owes (`T-12`). A worker has
/// one.
///
/// A message is returned with `recipient-unavailable`, so that the server can store it or tell the sender; an iq that
/// asks for an answer with `service-unavailable`; a presence is not returned. The error types are those that belong to
/// the conditions.
///
/// Specification: XEP-0206 §7, RFC 6120 §8.3.3.13, §8.3.3.19, RFC 6121 §8.5.
package final class StanzaReturn {
    /// The response in which the elements were.
    private static let wrapper = Array(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>".utf8)

    private let reader: StartTagReader
    /// A framer that has scanned the wrapper.
    private let framer: ElementFramer
    /// The wrapper with one start tag in it.
    private var document: [UInt8] = []

    /// `limits` are those of the `UpstreamReader` that read the elements.
    package init(limits: XMLLimits = XMLLimits()) {
        var limits = limits
        // The elements were checked before. By now they declare what they took from the stream's root.
        limits.attributes += 64
        limits.declarations += 64
        limits.names += 128
        reader = StartTagReader(limits: limits)
        var framer = ElementFramer()
        var offset = 0
        _ = framer.scan(Self.wrapper.span, from: &offset, limits: limits)
        self.framer = framer
    }

    /// Appends the errors for `elements`, in their order, ready for a stream whose default namespace is
    /// `jabber:client`; returns their number.
    ///
    /// `elements` are complete elements back to back, as `UpstreamXML` gave them. Some get no error: messages without
    /// `from`, from the account itself (carbons, results from an archive), or of type error, groupchat or headline; iqs
    /// that answer; and elements that are no stanza in `jabber:client`. Reading stops at the first byte that cannot
    /// belong to such an element; the errors for those before it stay. At most six bytes are appended for each byte of
    /// `elements`.
    @discardableResult
    package func append(returning elements: Span<UInt8>, into bytes: inout [UInt8]) -> Int {
        var framer = framer
        var offset = 0
        var count = 0
        while offset < elements.count {
            let start = elements.skippingSpace(from: offset, to: elements.count)
            offset = start
            guard framer.scan(elements, from: &offset, limits: reader.limits) == .childClosed else { break }
            let element = elements.extracting(start..<offset)
            guard let stanza = read(element.extracting(0..<StartTag.end(in: element))) else { continue }
            if stanza.appendError(into: &bytes) { count += 1 }
        }
        if document.capacity > 65_536 { document = [] }
        return count
    }

    /// The number of strings in libxml2's dictionary.
    var nameCount: Int { reader.nameCount }

    private func read(_ tag: Span<UInt8>) -> UnfetchedStanza? {
        guard CharacterCheck.validPrefix(of: tag) == tag.count else { return nil }
        document.removeAll(keepingCapacity: true)
        document.append(contentsOf: Self.wrapper)
        document.append(contentsOf: tag, from: 0, to: tag.count)
        let isInOrder = reader.readBeginning(document.span)
        let stanza = reader.takeStanza()
        return isInOrder ? stanza : nil
    }
}

/// The start tag of a message or an iq.
struct UnfetchedStanza {
    enum Kind {
        case message, iq
    }

    let kind: Kind
    var type: [UInt8] = []
    var id: [UInt8]?
    var from: [UInt8]?
    var to: [UInt8]?

    init(
        kind: Kind, type: [UInt8] = [], id: [UInt8]? = nil, from: [UInt8]? = nil, to: [UInt8]? = nil
    ) {
        self.kind = kind
        self.type = type
        self.id = id
        self.from = from
        self.to = to
    }

    /// Whether the sender gets an error.
    var isAnswerOwed: Bool {
        switch kind {
        case .message: isMessageOwed
        case .iq: type.elementsEqual("get".utf8) || type.elementsEqual("set".utf8)
        }
    }

    /// Appends the error; false when the sender gets none.
    func appendError(into bytes: inout [UInt8]) -> Bool {
        guard isAnswerOwed else { return false }
        switch kind {
        case .message:
            bytes.append(literal: "<message")
            appendAttributes(into: &bytes)
            bytes.append(
                literal: """
                    ><error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
                    """)
        case .iq:
            bytes.append(literal: "<iq")
            appendAttributes(into: &bytes)
            bytes.append(
                literal: """
                    ><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
                    """)
        }
        return true
    }

    /// An answer without `to` goes to the account itself, and a stanza without `from` came from there (RFC 6120
    /// §8.1.2.1, §10.3).
    func appendAttributes(into bytes: inout [UInt8]) {
        bytes.append(literal: " xmlns='jabber:client' type='error'")
        if let from { AttributeText.append("to", from, into: &bytes) }
        if let id { AttributeText.append("id", id, into: &bytes) }
    }

    /// An unknown type counts as `normal` (RFC 6121 §5.2.2).
    private var isMessageOwed: Bool {
        guard let from, !from.isEmpty else { return false }
        if let to, Account(of: from) == Account(of: to) { return false }
        return !type.elementsEqual("error".utf8) && !type.elementsEqual("groupchat".utf8)
            && !type.elementsEqual("headline".utf8)
    }
}

/// A bare address. The server wrote both that are compared, so only the domain's case may differ.
private struct Account: Equatable {
    private let local: ArraySlice<UInt8>
    private let domain: [UInt8]

    init(of address: [UInt8]) {
        let bare = address.prefix { $0 != UInt8(ascii: "/") }
        let at = bare.firstIndex(of: UInt8(ascii: "@"))
        local = bare[..<(at ?? bare.startIndex)]
        domain = bare[(at.map { $0 + 1 } ?? bare.startIndex)...].map { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        }
    }
}

/// Reads the start tag of the first element inside the wrapper.
private final class StartTagReader: ElementReader {
    private var names = Names()
    private var stanza: UnfetchedStanza?

    private struct Names {
        var client = InternedName.none, message = InternedName.none, iq = InternedName.none
        var type = InternedName.none, id = InternedName.none, from = InternedName.none, to = InternedName.none
    }

    func takeStanza() -> UnfetchedStanza? {
        defer { stanza = nil }
        return stanza
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = Names(
            client: intern("jabber:client"), message: intern("message"), iq: intern("iq"), type: intern("type"),
            id: intern("id"), from: intern("from"), to: intern("to"))
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard child.uri == names.client, child.local == names.message || child.local == names.iq else { return nil }
        var stanza = UnfetchedStanza(kind: child.local == names.message ? .message : .iq)
        for index in 0..<attributes.count where attributes.uri(index).isNone {
            let value = unsafe AttributeText.unescaped(Array(attributes.value(index)))
            switch attributes.local(index) {
            case names.type: stanza.type = value
            case names.id: stanza.id = value
            case names.from: stanza.from = value
            case names.to: stanza.to = value
            default: continue
            }
        }
        self.stanza = stanza
        return nil
    }
}
