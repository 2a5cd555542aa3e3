/// The names that have a meaning on a stream, in the dictionary of the current context.
///
/// A class, so that a call on a property of this type does not copy all names first.
final class StreamNames: Sendable {
    let stream, streams, client: InternedName
    let from, id, version: InternedName
    let features, error, text: InternedName
    let streamErrors, enabled: InternedName
    let resumed, resume: InternedName
    let tls, startTLS, required: InternedName
    let proceed, failure: InternedName
    let compressFeature, compression: InternedName
    let method: InternedName
    let compressProtocol, compressed: InternedName
    let sasl, sasl2, mechanisms: InternedName
    let authentication, mechanism: InternedName
    let fast, fastTokens: InternedName
    let streamLimits, limits: InternedName
    let maxBytes, idleSeconds: InternedName
    let seeOtherHost: InternedName
    let success, iq, type: InternedName
    let register: InternedName
    let code, stanzaErrors, notAuthorized: InternedName
    let bindProtocol, bind, jid: InternedName
    let authorization: InternedName
    let message, presence, to: InternedName

    /// No names, before there is a context.
    convenience init() { self.init { _ in .none } }

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
        resumed = intern("resumed")
        resume = intern("resume")
        tls = intern("urn:ietf:params:xml:ns:xmpp-tls")
        startTLS = intern("starttls")
        required = intern("required")
        proceed = intern("proceed")
        failure = intern("failure")
        compressFeature = intern("http://jabber.org/features/compress")
        compression = intern("compression")
        method = intern("method")
        compressProtocol = intern("http://jabber.org/protocol/compress")
        compressed = intern("compressed")
        sasl = intern("urn:ietf:params:xml:ns:xmpp-sasl")
        sasl2 = intern("urn:xmpp:sasl:2")
        mechanisms = intern("mechanisms")
        authentication = intern("authentication")
        mechanism = intern("mechanism")
        fast = intern("fast")
        fastTokens = intern("urn:xmpp:fast:0")
        streamLimits = intern("urn:xmpp:stream-limits:0")
        limits = intern("limits")
        maxBytes = intern("max-bytes")
        idleSeconds = intern("idle-seconds")
        seeOtherHost = intern("see-other-host")
        success = intern("success")
        iq = intern("iq")
        type = intern("type")
        register = intern("jabber:iq:register")
        code = intern("code")
        stanzaErrors = intern("urn:ietf:params:xml:ns:xmpp-stanzas")
        notAuthorized = intern("not-authorized")
        bindProtocol = intern("urn:ietf:params:xml:ns:xmpp-bind")
        bind = intern("bind")
        jid = intern("jid")
        authorization = intern("authorization-identifier")
        message = intern("message")
        presence = intern("presence")
        to = intern("to")
    }
}
