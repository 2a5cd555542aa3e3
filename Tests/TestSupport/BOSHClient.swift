/// A `<body/>` that a client received.
package struct BOSHBody: Equatable, CustomStringConvertible {
    /// The attributes by their written names, prefixes included.
    package let attributes: [String: String]
    /// The text between start tag and end tag.
    package let payload: String
    /// The whole text as it came.
    package let text: String

    package var description: String { text }

    /// Reads a response. This program writes responses in one form, so only that is understood.
    package init(_ text: String) throws {
        guard text.hasPrefix("<body "), let end = text.firstIndex(of: ">") else { throw TestFault("no body: \(text)") }
        self.text = text
        let isEmpty = text[..<end].hasSuffix("/")
        var attributes: [String: String] = [:]
        var rest = text[..<end].dropFirst(5)
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].drop { $0 == " " }
            let value = rest[equals...].dropFirst()
            guard let quote = value.first, quote == "'" || quote == "\"",
                let close = value.dropFirst().firstIndex(of: quote)
            else { throw TestFault("no attribute: \(rest)") }
            attributes[String(name)] = String(value[..<close].dropFirst())
            rest = rest[close...].dropFirst()
        }
        self.attributes = attributes
        let inside = text[end...].dropFirst()
        guard !isEmpty else {
            guard inside.isEmpty else { throw TestFault("text behind the body: \(text)") }
            payload = ""
            return
        }
        guard inside.hasSuffix("</body>") else { throw TestFault("no end tag: \(text)") }
        payload = String(inside.dropLast(7))
    }

    package subscript(name: String) -> String? { attributes[name] }

    /// Whether it is an ordinary answer without payload, which may acknowledge requests (`A-01`).
    package var isEmpty: Bool { payload.isEmpty && attributes.keys.allSatisfy { $0 == "xmlns" || $0 == "ack" } }
    /// Whether it ends the session.
    package var isTerminal: Bool { attributes["type"] == "terminate" }
    /// The condition of a terminal answer.
    package var condition: String? { attributes["condition"] }
}

/// A request on its way, on a connection that carries nothing else meanwhile.
package final class BOSHRequest {
    package let rid: UInt64
    package let connection: RawClient
    private let give: (RawClient) -> Void

    init(rid: UInt64, connection: RawClient, give: @escaping (RawClient) -> Void) {
        self.rid = rid
        self.connection = connection
        self.give = give
    }

    /// Waits for the answer, which must be an HTTP 200.
    package func answer() throws -> BOSHBody {
        let answer = try httpAnswer()
        guard answer.status == 200 else { throw TestFault("status \(answer.status): \(answer.body)") }
        return try BOSHBody(answer.body)
    }

    /// Waits for the answer. Whether it tells the client to try again later, in the words of HTTP and of BOSH.
    package func isTurnedAway() throws -> Bool { try endOrTurnedAway() == nil }

    /// Waits for the answer that ends a session, which is an HTTP 200; nil when it tells the client to try again later.
    package func endOrTurnedAway() throws -> BOSHBody? {
        let answer = try httpAnswer()
        let body = try BOSHBody(answer.body)
        switch answer.status {
        case 200 where body.isTerminal: return body
        case 503 where answer.field("Retry-After") != nil && body["type"] == "error": return nil
        default: throw TestFault("status \(answer.status): \(answer.body)")
        }
    }

    /// Waits for the answer of any kind.
    package func httpAnswer() throws -> HTTPAnswer {
        let answer = try connection.answer()
        if answer.field("Connection") != "close" { give(connection) }
        return answer
    }

    /// Whether nothing has come yet; call it after `Daemon.settle`.
    package var isHeld: Bool {
        get throws { try connection.wire.isSilent }
    }

    /// Closes the connection without waiting.
    package func abort() {
        connection.wire.close()
    }
}

/// A BOSH client that counts its requests and uses as many connections as it has open requests.
package final class BOSHClient {
    private let daemon: Daemon
    /// The `rid` of the newest request.
    package private(set) var rid: UInt64
    /// The session; empty before it is created.
    package private(set) var sid = ""
    private var idle: [RawClient] = []

    /// A client whose first request will have a given `rid`.
    package init(_ daemon: Daemon, firstRID: UInt64 = 1_000) {
        self.daemon = daemon
        rid = firstRID - 1
    }

    /// Asks for a session.
    package func create(_ attributes: String = "wait='60' hold='1' ver='1.6' xmpp:version='1.0'") throws -> BOSHRequest
    {
        try send("to='example.org' xmlns:xmpp='urn:xmpp:xbosh' \(attributes)")
    }

    /// Notes the session of a creation response.
    @discardableResult
    package func adopt(_ created: BOSHBody) throws -> BOSHBody {
        guard let sid = created["sid"], !created.isTerminal else { throw TestFault("no session: \(created)") }
        self.sid = sid
        return created
    }

    /// Sends the next request, or one with the given `rid`.
    package func send(_ attributes: String = "", _ payload: String = "", rid given: UInt64? = nil) throws -> BOSHRequest
    {
        try send(text: text(attributes, payload, rid: number(given)), rid: given ?? rid)
    }

    /// Sends the next request and waits for its answer.
    package func exchange(_ attributes: String = "", _ payload: String = "", rid: UInt64? = nil) throws -> BOSHBody {
        try send(attributes, payload, rid: rid).answer()
    }

    /// The text of the next `<body/>`, for tests that send it themselves.
    package func nextBody(_ attributes: String = "", _ payload: String = "") -> String {
        text(attributes, payload, rid: number(nil))
    }

    /// The text of the empty `<body/>` with a `rid` that was used before, for tests that send it themselves.
    package func repeatedBody(rid: UInt64) -> String { text("", "", rid: rid) }

    /// Sends any text as the body of a request.
    package func send(text: String, rid: UInt64 = 0) throws -> BOSHRequest {
        let connection = try idle.popLast() ?? daemon.connect()
        try connection.send(RawClient.post(text, "Content-Type: text/xml; charset=utf-8"))
        return BOSHRequest(rid: rid, connection: connection) { [weak self] in self?.idle.append($0) }
    }

    private func number(_ given: UInt64?) -> UInt64 {
        if let given { return given }
        rid += 1
        return rid
    }

    private func text(_ attributes: String, _ payload: String, rid: UInt64) -> String {
        let session = sid.isEmpty ? "" : " sid='\(sid)'"
        let attributes = attributes.isEmpty ? "" : " " + attributes
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' rid='\(rid)'\(session)\(attributes)"
        return payload.isEmpty ? start + "/>" : start + ">\(payload)</body>"
    }
}
