import Reactor

/// One client's stream at the null server: enough of RFC 6120 for a login, and messages after it.
final class NullStream {
    /// What the stream asks of the server as a whole.
    enum Action {
        /// From now on the client is reachable under this full JID.
        case bound([UInt8])
        /// These stanza bytes go to this full JID.
        case route([UInt8], to: [UInt8])
    }

    /// The progress of a write.
    enum FlushResult {
        case done, blocked, broken
    }

    /// The connection.
    let socket: StreamSocket
    /// Slot and generation for the poller.
    let token: UInt64
    /// The poller's interest.
    var interest: Interest = .readable
    /// The full JID, once bound.
    private(set) var jid: [UInt8]?
    /// Nothing more is to be sent after the queued bytes.
    private(set) var isFinished = false

    private let number: Int
    private let domain: [UInt8]
    private var framer = StanzaFramer()
    private var node: [UInt8]
    private var isAuthenticated = false
    private var outgoing: [UInt8] = []

    init(_ socket: consuming StreamSocket, token: UInt64, number: Int, domain: [UInt8]) {
        self.socket = socket
        self.token = token
        self.number = number
        self.domain = domain
        node = Array("anonymous-\(number)".utf8)
    }

    /// Takes bytes from the client; `nextAction` returns what follows from them.
    func receive(_ bytes: Span<UInt8>) {
        framer.append(bytes)
    }

    /// The next thing to do; nil when the received bytes are used up.
    func nextAction() -> Action? {
        while let piece = framer.next() {
            switch piece {
            case .streamHeader: answerHeader()
            case .streamEnd:
                send(Array("</stream:stream>".utf8))
                isFinished = true
            case .element(let range):
                if let action = handle(framer.bytes[range]) { return action }
            }
        }
        framer.discardUsed()
        return nil
    }

    /// Queues bytes to the client.
    func send(_ bytes: [UInt8]) {
        outgoing += bytes
    }

    /// Writes what is queued.
    func flush() -> FlushResult {
        guard !outgoing.isEmpty else { return .done }
        switch socket.write(outgoing) {
        case .wrote(outgoing.count):
            outgoing.removeAll(keepingCapacity: outgoing.capacity <= 1_024)
            return .done
        case .wrote(let count):
            outgoing.removeFirst(count)
            return .blocked
        case .wouldBlock: return .blocked
        case .failed: return .broken
        }
    }

    private func answerHeader() {
        var reply = Array(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                .utf8)
        reply += Array("version='1.0' id='null-\(number)' from='".utf8)
        reply += domain
        reply += Array("'><stream:features>".utf8)
        reply +=
            isAuthenticated
            ? Array("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>".utf8)
            : Array(
                """
                <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>\
                <mechanism>PLAIN</mechanism></mechanisms>
                """.utf8)
        reply += Array("</stream:features>".utf8)
        send(reply)
    }

    private func handle(_ element: ArraySlice<UInt8>) -> Action? {
        if element.starts(with: Needle.message) { return route(element) }
        if element.starts(with: Needle.iq) { return answer(element) }
        if element.starts(with: Needle.auth) {
            if let content = Markup.text(of: element), let user = Base64.decode(content).split(separator: 0).first {
                if Markup.attribute(Needle.mechanism, of: element).map(Array.init) == Needle.plain {
                    node = Array(user)
                }
            }
            isAuthenticated = true
            framer.restart()
            send(Array("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".utf8))
        }
        return nil
    }

    /// A server sets the sender; a real one would refuse the client's own `from`.
    private func route(_ element: ArraySlice<UInt8>) -> Action? {
        guard let jid, let receiver = Markup.attribute(Needle.to, of: element) else { return nil }
        var message = Needle.message
        message += Needle.fromAttribute
        message += jid
        message += Needle.quote
        message += element.dropFirst(Needle.message.count)
        return .route(message, to: Array(receiver))
    }

    private func answer(_ iq: ArraySlice<UInt8>) -> Action? {
        guard let type = Markup.attribute(Needle.type, of: iq),
            type.first == UInt8(ascii: "s") || type.first == UInt8(ascii: "g")
        else { return nil }
        let id = Markup.attribute(Needle.id, of: iq) ?? []
        var reply = Array("<iq type='result' id='".utf8) + id + Needle.quote
        guard Markup.contains(Needle.bind, in: iq) else {
            send(reply + Array("/>".utf8))
            return nil
        }
        var bound = node + [UInt8(ascii: "@")] + domain + [UInt8(ascii: "/")]
        bound += Markup.element(Needle.resource, in: iq).map(Array.init) ?? Array("r\(number)".utf8)
        reply += Array("><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>".utf8)
        reply += bound
        reply += Array("</jid></bind></iq>".utf8)
        send(reply)
        jid = bound
        return .bound(bound)
    }
}

private enum Needle {
    static let message = Array("<message".utf8)
    static let iq = Array("<iq".utf8)
    static let auth = Array("<auth".utf8)
    static let bind = Array("<bind".utf8)
    static let resource = Array("resource".utf8)
    static let mechanism = Array("mechanism".utf8)
    static let plain = Array("PLAIN".utf8)
    static let to = Array("to".utf8)
    static let type = Array("type".utf8)
    static let id = Array("id".utf8)
    static let fromAttribute = Array(" from='".utf8)
    static let quote = Array("'".utf8)
}
