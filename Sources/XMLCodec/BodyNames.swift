import BOSHCore
import Bridge

/// The names that a `<body/>` may use, in the dictionary of the current context.
///
/// A class, so that a call on a property of this type does not copy all names first.
final class BodyNames: Sendable {
    let body, bosh, client, empty: InternedName
    let forbidden: [InternedName]
    let stanzas: [InternedName]
    private let xbosh, xml: InternedName
    private let rid, sid, type: InternedName
    private let pause, wait, hold: InternedName
    private let ack, ver, to, from: InternedName
    private let route, content, key: InternedName
    private let newkey, stream, lang: InternedName
    private let version, restart: InternedName
    private let sasl, auth: InternedName
    private let sasl2, authenticate, mechanism: InternedName

    convenience init() { self.init { _ in .none } }

    init(_ intern: (StaticString) -> InternedName) {
        body = intern("body")
        bosh = intern("http://jabber.org/protocol/httpbind")
        client = intern("jabber:client")
        empty = intern("")
        forbidden = [
            intern("http://etherx.jabber.org/streams"), intern("urn:ietf:params:xml:ns:xmpp-tls"),
            intern("http://jabber.org/protocol/compress"),
        ]
        stanzas = [intern("message"), intern("presence"), intern("iq")]
        xbosh = intern("urn:xmpp:xbosh")
        xml = intern("http://www.w3.org/XML/1998/namespace")
        rid = intern("rid")
        sid = intern("sid")
        type = intern("type")
        pause = intern("pause")
        wait = intern("wait")
        hold = intern("hold")
        ack = intern("ack")
        ver = intern("ver")
        to = intern("to")
        from = intern("from")
        route = intern("route")
        content = intern("content")
        key = intern("key")
        newkey = intern("newkey")
        stream = intern("stream")
        lang = intern("lang")
        version = intern("version")
        restart = intern("restart")
        sasl = intern("urn:ietf:params:xml:ns:xmpp-sasl")
        auth = intern("auth")
        sasl2 = intern("urn:xmpp:sasl:2")
        authenticate = intern("authenticate")
        mechanism = intern("mechanism")
    }

    /// Whether `child` asks for a login by this program's certificate (RFC 6120 §6.4.2, XEP-0388 §2.4).
    func asksForExternal(_ child: ElementReader.Child, _ attributes: SAXAttributes) -> Bool {
        let isRequest =
            (child.local == auth && child.uri == sasl) || (child.local == authenticate && child.uri == sasl2)
        // An attribute with a prefix is a different one, but not every server knows that.
        return isRequest
            && (0..<attributes.count).contains { index in
                unsafe attributes.local(index) == mechanism && SASLMechanism.isExternal(attributes.value(index))
            }
    }

    /// Whether `xml:lang` is among the attributes.
    func hasLanguage(_ attributes: SAXAttributes) -> Bool {
        (0..<attributes.count).contains { isLanguage(attributes, at: $0) }
    }

    /// Whether the attribute is `xml:lang`.
    func isLanguage(_ attributes: SAXAttributes, at index: Int) -> Bool {
        attributes.local(index) == lang && attributes.uri(index) == xml
    }

    /// Reads one attribute; an unknown one is ignored (XEP-0124 §7.1).
    ///
    /// - Returns: whether the attribute is stored in `rare`.
    func read(
        _ local: InternedName, _ uri: InternedName, _ value: UnsafeBufferPointer<UInt8>,
        into attributes: inout BodyAttributes, _ rare: inout RareBodyAttributes
    ) -> Bool {
        if !uri.isNone {
            if uri == xbosh, local == restart {
                attributes.isRestart = unsafe value.elementsEqual("true".utf8) || value.elementsEqual("1".utf8)
                return false
            } else if uri == xbosh, local == version {
                rare.xmppVersion = unsafe ProtocolVersion(parsing: value.span)
            } else if uri == xml, local == lang {
                rare.language = unsafe AttributeText.bounded(value, most: AttributeBound.language)
            }
            return true
        }
        switch local {
        case rid: attributes.rid = unsafe NumberAttribute(parsing: value.span)
        case sid: attributes.sid = unsafe SessionID(parsing: value.span).map(SessionReference.known) ?? .foreign
        case ack: attributes.ack = unsafe NumberAttribute(parsing: value.span)
        case type:
            // gloox 1.0 writes `terminal`; without this its session would stay behind.
            let isEnd = unsafe value.elementsEqual("terminate".utf8) || value.elementsEqual("terminal".utf8)
            attributes.type = isEnd ? .terminate : .other
        case pause: attributes.pause = unsafe NumberAttribute(parsing: value.span)
        default: return unsafe readRare(local, value, into: &rare)
        }
        return false
    }

    private func readRare(
        _ local: InternedName, _ value: UnsafeBufferPointer<UInt8>, into rare: inout RareBodyAttributes
    ) -> Bool {
        switch local {
        case wait: rare.wait = unsafe NumberAttribute(parsing: value.span)
        case hold: rare.hold = unsafe NumberAttribute(parsing: value.span)
        case ver: rare.version = unsafe ProtocolVersion(parsing: value.span)
        case to: rare.to = unsafe AttributeText.bounded(value, most: AttributeBound.domain)
        case from: rare.from = unsafe AttributeText.bounded(value, most: AttributeBound.address)
        case route: rare.route = unsafe AttributeText.bounded(value, most: AttributeBound.route)
        case content: rare.content = unsafe AttributeText.bounded(value, most: AttributeBound.content)
        case key: rare.key = unsafe AttributeText.bounded(value, most: AttributeBound.key)
        case newkey: rare.newkey = unsafe AttributeText.bounded(value, most: AttributeBound.key)
        case stream: rare.stream = unsafe AttributeText.bounded(value, most: AttributeBound.stream)
        default: return false
        }
        return true
    }
}
