import Primitives
import TestSupport
import Testing

@testable import Gateway

/// Who uses a session: in the log, in the list, and in a filter.
@Suite struct SessionUserTests {
    private static let bound =
        "<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>romeo@example.org/balcony</jid></bind></iq>"

    private func rows(_ daemon: Daemon, _ query: String) throws -> String {
        try daemon.connectToAdmin().get("/sessions\(query)").body
    }

    private func end(_ daemon: Daemon) throws -> String {
        let line = try daemon.errors.split(separator: "\n").last { $0.contains("session ended") }
        return String(try #require(line)) + " "
    }

    @Test("the user is known once the server has bound a resource, and stays known after the end")
    func bound() throws {
        let session = try OpenSession()
        #expect(try !rows(session.daemon, "").contains("\"user\""))
        try session.stream.send(Self.bound)
        #expect(try session.client.exchange().payload == Self.bound.replacing("<iq", with: "<iq xmlns='jabber:client'"))
        #expect(try rows(session.daemon, "").contains("\"user\":\"romeo@example.org\""))
        for query in ["?user=romeo@example.org", "?user=ROMEO", "?user=romeo%40example.org"] {
            #expect(try rows(session.daemon, query).contains("\"count\":1"), "\(query)")
        }
        for query in ["?user=rome", "?user=romeo@example.net", "?user=juliet"] {
            #expect(try rows(session.daemon, query).contains("\"count\":0"), "\(query)")
        }
        // Somebody else has this sent to the client.
        try session.stream.send(
            "<iq type='result' from='mercutio@example.org/x'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@example.org</jid></bind></iq>"
        )
        _ = try session.client.exchange()
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        #expect(try end(session.daemon).contains(" user=romeo@example.org "))
        #expect(try end(session.daemon).contains(" stream_id8=s1 "))
        #expect(try rows(session.daemon, "?state=ended&user=romeo").contains("\"stream_id8\":\"s1\""))
        // The next session in its place is not his.
        let next = try OpenSession(on: session)
        #expect(try !rows(session.daemon, "").contains("\"user\""))
        #expect(try next.client.exchange("type='terminate'").isTerminal)
        #expect(try !end(session.daemon).contains("user="))
    }

    @Test("over WebSocket, and by SASL2")
    func webSocket() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let socket = try WebSocketPeer(daemon)
        let stream = try socket.open(on: server)
        try stream.send(
            "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org/x</authorization-identifier></success>"
        )
        _ = try socket.text()
        #expect(try rows(daemon, "?user=juliet&over=websocket").contains("\"count\":1"))
        try socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
        try daemon.wait(until: "sessions.ended.terminated", is: 1)
        #expect(try end(daemon).contains(" user=juliet@example.org "))
    }

    @Test("a stream that is resumed is its user's as soon as the server addresses something to him")
    func resumed() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let socket = try WebSocketPeer(daemon)
        let stream = try socket.open(on: server)
        // The client has not logged in, so the address of this answer may be one that it wrote.
        try stream.send("<iq type='result' id='0' to='admin@example.org'/>")
        _ = try socket.text()
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        _ = try socket.text()
        try stream.send("<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>")
        _ = try socket.text()
        #expect(try !rows(daemon, "").contains("\"user\""))
        try stream.send("<iq type='result' id='1' from='example.org' to='romeo@example.org/balcony'/>")
        _ = try socket.text()
        #expect(try rows(daemon, "?user=romeo&over=websocket").contains("\"user\":\"romeo@example.org\""))
        try stream.send("<message to='juliet@example.org'/>")
        _ = try socket.text()
        try socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
        try daemon.wait(until: "sessions.ended.terminated", is: 1)
        #expect(try end(daemon).contains(" user=romeo@example.org "))
    }

    @Test("jabber:iq:auth: the user is known by the first stanza that is no answer")
    func legacy() throws {
        let session = try OpenSession()
        for answer in [
            "<iq type='result' id='auth' to='admin@example.org'/>", "<iq type='error' to='admin@example.org'/>",
        ] {
            try session.stream.send(answer)
            _ = try session.client.exchange()
        }
        #expect(try !rows(session.daemon, "").contains("\"user\""))
        try session.stream.send("<presence from='mercutio@example.org/x' to='romeo@example.org'/>")
        _ = try session.client.exchange()
        #expect(try rows(session.daemon, "?user=romeo").contains("\"user\":\"romeo@example.org\""))
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        #expect(try end(session.daemon).contains(" user=romeo@example.org "))
    }

    @Test("log-users: with off nobody is named anywhere")
    func off() throws {
        let session = try OpenSession(environment: ["HOLDFAST_LOG_USERS": "off"])
        for word in [Self.bound, "<message to='romeo@example.org'/>"] {
            try session.stream.send(word)
            _ = try session.client.exchange()
        }
        #expect(try !rows(session.daemon, "").contains("romeo"))
        #expect(try rows(session.daemon, "?user=romeo").contains("\"count\":0"))
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        #expect(try !session.daemon.errors.contains("romeo"))
    }

    @Test("of a user at the session's domain only the account is kept; others are kept whole")
    func kept() {
        var users = SessionUsers()
        let place = SessionPlace(.webSocket, slot: 3)
        #expect(users.user(of: place, at: "a.test") == nil)
        for (jid, domain) in [
            ("romeo@a.test", "a.test"), ("romeo@A.test", "a.test"), ("romeo@b.test", "a.test"), ("a.test", "a.test"),
            ("@a.test", "a.test"), ("romeo@b.test", nil),
        ] as [(String, String?)] {
            users.set(jid, of: place, at: domain)
            let found = users.user(of: place, at: domain ?? "*")
            #expect(found?.lowercased() == (jid.hasPrefix("@") ? "a.test" : jid.lowercased()))
            users.set("other@a.test", of: place, at: domain)
            #expect(users.user(of: place, at: domain ?? "*") == found)
            #expect(!users.lacks(place) && users.lacks(SessionPlace(.bosh, slot: 3)))
            #expect(users.user(of: SessionPlace(.bosh, slot: 3), at: "a.test") == nil)
            users.remove(place)
            #expect(users.user(of: place, at: "a.test") == nil && users.lacks(place))
        }
        users.remove(SessionPlace(.polling, slot: 99))
    }

    @Test("the beginning of a stream's name is kept, without what no line may have")
    func streamIDs() {
        #expect(StreamIDStart().text == nil && StreamIDStart("").text == nil)
        #expect(StreamIDStart("s1").text == "s1")
        #expect(StreamIDStart("0123456789").text == "01234567")
        #expect(StreamIDStart("a b\nü").text == "a?b???")
        #expect(MemoryLayout<StreamIDStart>.alignment == 4 && MemoryLayout<SessionRecord>.size == 28)
    }
}
