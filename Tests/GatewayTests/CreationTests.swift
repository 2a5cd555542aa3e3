import TestSupport
import Testing

/// How sessions begin.
@Suite struct CreationTests {
    @Test("S-02 S-03 S-05 S-07 S-08 S-09 S-11 S-12: a session is created and says what it grants")
    func creates() throws {
        let session = try OpenSession("wait='30' hold='1' ver='1.6' xmpp:version='1.0'")
        let created = session.created
        #expect(session.client.sid.utf8.count >= 22)
        #expect(created["wait"] == "30")
        #expect(created["hold"] == "1")
        #expect(created["requests"] == "2")
        #expect(created["ver"] == "1.6")
        #expect(created["from"] == "example.org")
        #expect(created["authid"] == "s1")
        #expect(created["xmpp:version"] == "1.0")
        #expect(created["xmpp:restartlogic"] == "true")
        for name in ["polling", "inactivity", "maxpause"] { #expect(created[name].flatMap { Int($0) } != nil) }
        #expect(created["charsets"] == "UTF-8")
        #expect(created["ack"] == "\(session.client.rid)")
        #expect(created["xmlns:stream"] == "http://etherx.jabber.org/streams")
        #expect(created.payload == ScriptedStream.features)
    }

    @Test("S-04 S-06: what is asked for is cut to what the operator allows")
    func clamps() throws {
        let created = try OpenSession("wait='9999' hold='200' ver='1.6'", maxWait: 7).created
        #expect(created["wait"] == "7")
        #expect(created["hold"] == "2")
        #expect(created["requests"] == "3")
    }

    @Test("S-21 S-25: the stream header names domain, version and language")
    func writesHeader() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let request = try client.create(
            "xml:lang='de-CH' from='a@example.org' wait='60' hold='1' ver='1.6' xmpp:version='1.0'")
        let header = try server.accept().open()
        #expect(header.contains(" to='example.org'"))
        #expect(header.contains(" version='1.0'"))
        #expect(header.contains(" xml:lang='de-CH'"))
        #expect(header.contains(" xmlns='jabber:client'"))
        #expect(!header.contains(" from="))
        try client.adopt(try request.answer())
    }

    @Test("S-22: the creation response waits for the features")
    func waitsForFeatures() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        try stream.send(ScriptedStream.header())
        try daemon.settle()
        #expect(try request.isHeld)
        try stream.send(ScriptedStream.features)
        #expect(try request.answer().payload == ScriptedStream.features)
    }

    @Test("S-22: features that do not come within wait are given later")
    func givesFeaturesLater() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let created = try client.adopt(try client.create("wait='1' hold='1' ver='1.6' xmpp:version='1.0'").answer())
        #expect(created["wait"] == "1")
        #expect(created.payload.isEmpty)
        let poll = try client.send()
        try server.accept().open(id: "later")
        let opened = try poll.answer()
        #expect(opened["authid"] == "later")
        #expect(opened["xmpp:version"] == "1.0")
        #expect(opened.payload == ScriptedStream.features)
    }

    @Test("S-15 S-16 S-19 S-20 N-01 N-02: creation requests that are refused", arguments: RefusedCreation.all)
    func refuses(creation: RefusedCreation) throws {
        let answer = try BOSHClient(try Daemon(upstream: 1)).send(text: creation.body).answer()
        #expect(answer.isTerminal)
        #expect(answer.condition == creation.condition)
    }

    @Test(
        "S-01 T-01: what ends or changes a session and names none is answered, and opens nothing",
        arguments: [
            ("type='terminate'", nil), ("type='terminate' xmpp:restart='true'", nil),
            ("xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'", "item-not-found"), ("pause='60'", "item-not-found"),
            ("stream='s1'", "item-not-found"),
        ] as [(String, String?)])
    func opensNothing(attributes: String, condition: String?) throws {
        let daemon = try Daemon(upstream: 1)
        let namespace = attributes.contains("xmlns:xmpp") ? "" : " xmlns:xmpp='urn:xmpp:xbosh'"
        let request = try BOSHClient(daemon).send(
            "to='example.org' ver='1.6' wait='60' hold='1'\(namespace) \(attributes)")
        let answer = try request.answer()
        #expect(answer.isTerminal)
        #expect(answer.condition == condition)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.ever") == 0)
        #expect(try statistics.number("upstream.connects") == 0)
    }

    @Test("S-16: a domain is found in any case, and each of several is served")
    func servesDomains() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--domain", "one.example", "--domain", "two.example")
        for domain in ["ONE.example", "two.example"] {
            let client = BOSHClient(daemon)
            let request = try client.send("to='\(domain)' wait='60' hold='1' ver='1.6'")
            #expect(try server.accept().open().contains(" to='\(domain.lowercased())'"))
            #expect(try request.answer()["from"] == domain.lowercased())
        }
    }

    @Test("S-02: no two sessions have the same sid")
    func makesDifferentSids() throws {
        let first = try OpenSession()
        var sids: Set<String> = [first.client.sid]
        var others: [OpenSession] = []
        for _ in 0..<20 {
            let other = try OpenSession(on: first)
            others.append(other)
            sids.insert(other.client.sid)
        }
        #expect(sids.count == 21)
        #expect(try first.daemon.statistics().number("sessions.now") == 21)
    }

    @Test("R-12: an unknown sid, alone and beside one that is known")
    func refusesUnknownSid() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        let sid = session.client.sid
        let swapped = String(sid.dropLast()) + (sid.hasSuffix("A") ? "B" : "A")
        for other in ["", "x", swapped, sid + "x", String(sid.dropLast()), String(repeating: "a", count: 5_000)] {
            let text = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1002' sid='\(other)'/>"
            #expect(try session.client.send(text: text).answer().condition == "item-not-found", "\(other)")
        }
        try session.daemon.settle()
        #expect(try poll.isHeld)
    }

    @Test("H-12: many sessions on one connection, as behind a proxy")
    func servesManyOnOneConnection() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let connection = try daemon.connect()
        var sessions: [(client: BOSHClient, stream: ScriptedStream)] = []
        for _ in 0..<10 {
            let client = BOSHClient(daemon)
            let body = client.nextBody("to='example.org' wait='60' hold='1' ver='1.6'")
            try connection.send(RawClient.post(body))
            let stream = try server.accept()
            try stream.open()
            try client.adopt(try BOSHBody(try connection.answer().body))
            sessions.append((client, stream))
        }
        for (index, session) in sessions.enumerated() {
            try session.stream.send("<message id='m\(index)'/>")
        }
        try daemon.settle()
        for (index, session) in sessions.enumerated().reversed() {
            let answer = try connection.exchange(RawClient.post(session.client.nextBody("", "<iq id='q\(index)'/>")))
            #expect(try BOSHBody(answer.body).payload.contains("id='m\(index)'"))
            #expect(try session.stream.read(until: "/>").contains("id='q\(index)'"))
        }
    }
}

/// A creation request that gets a terminal answer.
struct RefusedCreation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let body: String
    let condition: String

    init(_ name: String, _ body: String, _ condition: String = "bad-request") {
        testDescription = name
        self.body = body
        self.condition = condition
    }

    private static func body(_ attributes: String, _ content: String = "") -> String {
        "<body xmlns='http://jabber.org/protocol/httpbind' ver='1.6' \(attributes)>\(content)</body>"
    }

    static let all = [
        RefusedCreation("no domain", body("rid='1'"), "improper-addressing"),
        RefusedCreation("empty domain", body("rid='1' to=''"), "improper-addressing"),
        RefusedCreation("unknown domain", body("rid='1' to='example.com'"), "host-unknown"),
        RefusedCreation("no rid", body("to='example.org'")),
        RefusedCreation("rid 0", body("rid='0' to='example.org'")),
        RefusedCreation("rid -1", body("rid='-1' to='example.org'")),
        RefusedCreation("rid 2^53", body("rid='9007199254740992' to='example.org'")),
        RefusedCreation("rid beyond numbers", body("rid='99999999999999999999999' to='example.org'")),
        RefusedCreation("wait is no number", body("rid='1' to='example.org' wait='x'")),
        RefusedCreation("hold is negative", body("rid='1' to='example.org' hold='-1'")),
        RefusedCreation("nothing", ""),
        RefusedCreation("no XML", "hello"),
        RefusedCreation("not well-formed", "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'><a></body>"),
        RefusedCreation("two roots", body("rid='1' to='example.org'") + "<x/>"),
        RefusedCreation("another root", "<html xmlns='http://jabber.org/protocol/httpbind' rid='1' to='example.org'/>"),
        RefusedCreation("another namespace", "<body xmlns='http://www.w3.org/1999/xhtml' rid='1' to='example.org'/>"),
        RefusedCreation("no namespace", "<body rid='1' to='example.org'/>"),
        RefusedCreation("a DTD", "<!DOCTYPE body [<!ENTITY a 'b'>]>" + body("rid='1' to='example.org'")),
        RefusedCreation("a comment", body("rid='1' to='example.org'", "<!-- x -->")),
        RefusedCreation("an instruction", body("rid='1' to='example.org'", "<?x y?>")),
        RefusedCreation("a foreign entity", body("rid='1' to='example.org'", "<a>&nbsp;</a>")),
        RefusedCreation("text", body("rid='1' to='example.org'", "hello")),
        RefusedCreation("a character that is none", body("rid='1' to='example.org'", "<a>&#0;</a>")),
        RefusedCreation(
            "another encoding", "<?xml version='1.0' encoding='ISO-8859-1'?>" + body("rid='1' to='example.org'")),
        RefusedCreation("an unbound prefix", body("rid='1' to='example.org'", "<x:a/>")),
    ]
}
