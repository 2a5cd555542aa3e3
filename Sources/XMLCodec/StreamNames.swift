/// The names that have a meaning on a stream, in the dictionary of the current context.
struct StreamNames {
    private(set) var stream = InternedName.none, streams = InternedName.none, client = InternedName.none
    private(set) var from = InternedName.none, id = InternedName.none, version = InternedName.none
    private(set) var features = InternedName.none, error = InternedName.none, text = InternedName.none
    private(set) var streamErrors = InternedName.none, enabled = InternedName.none
    private(set) var resumed = InternedName.none, resume = InternedName.none
    private(set) var tls = InternedName.none, startTLS = InternedName.none, required = InternedName.none
    private(set) var proceed = InternedName.none, failure = InternedName.none
    private(set) var compressFeature = InternedName.none, compression = InternedName.none
    private(set) var method = InternedName.none
    private(set) var compressProtocol = InternedName.none, compressed = InternedName.none
    private(set) var sasl = InternedName.none, sasl2 = InternedName.none, mechanisms = InternedName.none
    private(set) var authentication = InternedName.none, mechanism = InternedName.none
    private(set) var fast = InternedName.none, fastTokens = InternedName.none
    private(set) var streamLimits = InternedName.none, limits = InternedName.none
    private(set) var maxBytes = InternedName.none, idleSeconds = InternedName.none
    private(set) var seeOtherHost = InternedName.none
    private(set) var success = InternedName.none, iq = InternedName.none, type = InternedName.none
    private(set) var register = InternedName.none

    /// No names, before there is a context.
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
    }
}
