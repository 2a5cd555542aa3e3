/// The steps of a client's login, whatever carries them: SASL, the restart of the stream, the resource.
struct LoginDialogue {
    /// How to log in.
    enum Login {
        case anonymous
        case plain(user: String, password: String)
    }

    /// The state of the session.
    var phase = LoadPhase.idle
    /// The full JID, once bound.
    private(set) var jid: [UInt8] = []
    let login: Login
    private var needsSession = false

    init(_ login: Login) {
        self.login = login
    }

    /// What is sent once the server offers its mechanisms.
    mutating func authenticate() -> [UInt8] {
        phase = .authenticating
        switch login {
        case .anonymous:
            return Array("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>".utf8)
        case .plain(let user, let password):
            let response = Base64.encode([0] + Array(user.utf8) + [0] + Array(password.utf8))
            return Array("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>".utf8) + response
                + Array("</auth>".utf8)
        }
    }

    /// Reads what has come, between the creation of the session and its end. After `restarting` the stream is to be
    /// restarted.
    ///
    /// - Returns: the stanza to send next, or nothing.
    mutating func read(_ body: ArraySlice<UInt8>) -> [UInt8] {
        switch phase {
        case .authenticating:
            if Markup.contains(Needle.success, in: body) {
                phase = .restarting
            } else if Markup.contains(Needle.failure, in: body) {
                phase = .failed("login refused")
            }
        case .restarting:
            guard Markup.contains(Needle.bind, in: body) else { break }
            needsSession =
                Markup.firstIndex(of: Needle.session, in: body).map {
                    !Markup.contains(Needle.optional, in: body[$0...])
                } ?? false
            phase = .binding
            return Array("<iq xmlns='jabber:client' type='set' id='b'>".utf8) + Needle.bindRequest
        case .binding:
            guard let jid = Markup.element(Needle.jid, in: body) else {
                if Markup.contains(Needle.error, in: body) { phase = .failed("no resource") }
                break
            }
            self.jid = Array(jid)
            guard needsSession else {
                phase = .ready
                break
            }
            phase = .startingSession
            return Array("<iq xmlns='jabber:client' type='set' id='s'>".utf8) + Needle.sessionRequest
        case .startingSession:
            if Markup.contains(Needle.iq, in: body) { phase = .ready }
        case .idle, .creating, .ready, .terminating, .ended, .failed: break
        }
        return []
    }
}

private enum Needle {
    static let success = Array("<success".utf8)
    static let failure = Array("<failure".utf8)
    static let bind = Array("<bind".utf8)
    static let session = Array("<session".utf8)
    static let optional = Array("<optional".utf8)
    static let jid = Array("jid".utf8)
    static let iq = Array("<iq".utf8)
    static let error = Array("<error".utf8)
    static let bindRequest = Array("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>".utf8)
    static let sessionRequest = Array("<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>".utf8)
}
