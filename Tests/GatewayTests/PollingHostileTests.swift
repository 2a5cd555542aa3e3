import TestSupport
import Testing

/// The hostile cases of HTTP polling.
@Suite struct PollingHostileTests {
    private let server: ScriptedUpstream
    private let daemon: Daemon
    private let peer: PollingPeer

    init() throws {
        server = try ScriptedUpstream()
        daemon = try Daemon(upstream: server.port, environment: PollingPeer.environment)
        peer = PollingPeer(daemon)
    }

    @Test(
        "Q-12 hostile cases 1 to 3 and 12: heads that are malformed",
        arguments: [
            "", "0", ",", "0;;,", "0;k;n;x,", "a.b,", "%30%2C", "0%2C%3Cstream", " 0,", "mobile,",
            String(repeating: "a", count: 10_240) + ",", "0;" + String(repeating: "k", count: 65) + ",",
        ])
    func refusesHeads(body: String) throws {
        #expect(try peer.post(body) == PollingPeer.Answer(id: "-2:0", body: ""))
    }

    @Test(
        "Q-41 hostile cases 2, 7 and 16: identifiers of no session",
        arguments: [
            "0:0", "-1:0", "00", "n1-1-00000000000000000000000000000000", "a", "-", "--", "a-b-c",
            "holdfast-1-0123456789abcdef0123456789abcdef", "n1-99999999999-0123456789abcdef0123456789abcdef",
        ])
    func refusesUnknown(id: String) throws {
        let stream = try peer.open(on: server)
        // The cookie does not count.
        #expect(try peer.post("\(id),<presence/>", "Cookie: ID=\(peer.id)").id == "0:0")
        _ = try peer.poll("<iq/>")
        #expect(try stream.read(until: "<iq/>") == "<iq/>")
    }

    @Test("hostile case 7: the identifier of a BOSH session is none here, and the reverse")
    func separatesSides() throws {
        let bosh = BOSHClient(daemon)
        let creation = try bosh.create()
        let theirs = try server.accept()
        try theirs.open()
        _ = try bosh.adopt(try creation.answer())
        let spelled = bosh.sid.map { $0 == "." ? "-" : String($0) }.joined()
        #expect(try peer.post("\(bosh.sid),").id == "-2:0")
        #expect(try peer.post("\(spelled),").id == "0:0")
        let stream = try peer.open(on: server)
        let dotted = peer.id.map { $0 == "-" ? "." : String($0) }.joined()
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='2' sid='\(dotted)'/>"
        #expect(try daemon.connect().exchange(RawClient.post(body)).body.contains("item-not-found"))
        _ = try peer.poll("<iq/>")
        #expect(try stream.read(until: "<iq/>") == "<iq/>")
    }

    @Test("hostile case 4: a right key with a malformed new key is refused whole")
    func refusesHalfKeys() throws {
        let client = PollingPeer(daemon, keys: 9)
        let stream = try client.open(on: server)
        let head = client.head()
        let broken = head.dropLast() + ";" + String(repeating: "n", count: 65) + ","
        #expect(try client.post(broken + "<presence/>").id == "-2:0")
        #expect(try client.post(head + "<iq/>").id == client.id)
        #expect(try stream.read(until: "<iq/>") == "<iq/>")
    }

    @Test("hostile case 6: a wrong key changes nothing, however often")
    func survivesWrongKeys() throws {
        let client = PollingPeer(daemon, keys: 9)
        let stream = try client.open(on: server)
        for _ in 0..<200 {
            #expect(try client.post("\(client.id);VvxEk07IFy6hUmG/PPBlTLE2fiA=,<evil/>").id == "-3:0")
        }
        #expect(try client.post("\(client.id),<evil/>").id == "-3:0")
        Patience.pause(milliseconds: 1_100)
        _ = try client.poll("<iq/>")
        #expect(try stream.read(until: "<iq/>") == "<iq/>")
    }

    @Test("hostile case 8: a header in requests of few bytes, and a character cut over two")
    func takesPieces() throws {
        let whole = PollingPeer.header
        // Its first bytes come one at a time. A hundred requests would take a busy machine longer than a header may take.
        for byte in whole.prefix(20) { _ = try peer.poll(String(byte)) }
        _ = try peer.poll(String(whole.dropFirst(20).dropLast()))
        let client = try daemon.connect()
        try client.send(RawClient.post(peer.head() + ">", to: "/http-poll"))
        let stream = try server.accept()
        try stream.open()
        _ = try PollingPeer.read(from: client)
        let bytes = Array("<message>ü</message>".utf8)
        for part in [bytes[..<10], bytes[10...]] {
            let client = try daemon.connect()
            let head = "\(peer.id),"
            try client.send(
                "POST /http-poll HTTP/1.1\r\nHost: a\r\nContent-Length: \(head.utf8.count + part.count)\r\n\r\n\(head)")
            try client.wire.send(Array(part))
            _ = try PollingPeer.read(from: client)
        }
        #expect(try stream.read(until: "</message>") == "<message>ü</message>")
    }

    @Test("hostile case 8: a header that never ends; white space is dropped")
    func boundsHeader() throws {
        _ = try peer.poll(String(repeating: " ", count: 200_000))
        let endless = "<stream:stream a='" + String(repeating: "x", count: 20_000)
        #expect(try peer.post("\(peer.id),\(endless)").id == "-2:0")
        #expect(try peer.post("\(peer.id),").id == "0:0")
    }

    @Test("hostile case 9: header, stanza and trailer in one body; two headers in one body")
    func takesAllAtOnce() throws {
        let answer = try peer.post("0,\(PollingPeer.header)<presence/></stream:stream>")
        #expect(answer.body.hasPrefix("<?xml ") && answer.body.hasSuffix("</stream:stream>"))
        let twice = try PollingPeer(daemon).post("0,\(PollingPeer.header)\(PollingPeer.header)")
        #expect(twice.body.contains("<policy-violation ") && twice.body.hasSuffix("</stream:stream>"))
    }

    @Test(
        "Q-34 hostile case 10: what is refused, in pieces over two requests",
        arguments: [
            ("<!DOCT", "YPE a>", "restricted-xml"), ("<!-", "- c -->", "restricted-xml"),
            ("<message>&lol", ";</message>", "restricted-xml"), ("<message><?a", " b?></message>", "restricted-xml"),
            ("te", "xt", "not-well-formed"), ("<a>", "</b>", "not-well-formed"),
            ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'", "/>", "policy-violation"),
            ("<stream:features", "/>", "policy-violation"), ("<message xmlns=''", "/>", "invalid-namespace"),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>", "=</auth>", "policy-violation"),
            (PollingPeer.header, "", "policy-violation"),
        ])
    func refuses(first: String, second: String, condition: String) throws {
        let stream = try peer.open(on: server)
        var body = try peer.poll(first)
        if !body.contains("</stream:stream>") { body = try peer.poll(second) }
        #expect(
            body == "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                + "</stream:stream>")
        #expect(try peer.post("\(peer.id),").id == "0:0")
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
    }

    @Test("hostile case 11: a stanza over the limit, in pieces below it")
    func boundsElements() throws {
        let small = try Daemon(upstream: server.port, "--max-body", "2000", environment: PollingPeer.environment)
        let client = PollingPeer(small)
        let stream = try client.open(on: server)
        _ = try client.poll("<message><body>" + String(repeating: "x", count: 1_500))
        #expect(try client.poll(String(repeating: "x", count: 1_500)).contains("<policy-violation "))
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
    }

    @Test("hostile case 12: chunks and Expect are HTTP's own affair")
    func takesChunks() throws {
        let client = try daemon.connect()
        try client.send(
            "POST /http-poll HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n1\r\n,\r\n0\r\n\r\n")
        #expect(try PollingPeer.read(from: client).id.count > 32)
    }

    @Test("hostile case 13: the server floods, and a client that polls seldom gets everything")
    func bounds() throws {
        let small = try Daemon(
            upstream: server.port,
            environment: PollingPeer.environment.merging(["HOLDFAST_SESSION_BUFFER": "65536"]) { one, _ in one })
        let client = PollingPeer(small)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        let filling = String(repeating: "x", count: 10_000)
        let flood = try stream.wire.flood(small) { number in
            Array("<message><body>\(number) \(filling)</body></message>".utf8)
        }
        var next = 0
        while next < flood.whole {
            for part in try client.read(until: "</message>").split(separator: "<message ") {
                guard part.contains("<body>") else { continue }
                #expect(part.contains("<body>\(next) x"))
                next += 1
            }
        }
    }

    @Test("hostile case 14: two requests with the same key at once: one is processed")
    func takesOneOfTwo() throws {
        let client = PollingPeer(daemon, keys: 9)
        let stream = try client.open(on: server)
        let body = client.head() + "<presence/>"
        let (one, two) = (try daemon.connect(), try daemon.connect())
        try one.send(RawClient.post(body, to: "/http-poll"))
        try two.send(RawClient.post(body, to: "/http-poll"))
        let answers = [try PollingPeer.read(from: one), try PollingPeer.read(from: two)]
        #expect(answers.allSatisfy { $0.id == client.id })
        _ = try client.poll("<iq/>")
        #expect(try stream.read(until: "<iq/>") == "<presence/><iq/>")
    }

    @Test("Q-42 hostile case 17: a page of another origin opens nothing")
    func refusesPages() throws {
        #expect(try peer.post("0,\(PollingPeer.header)", "Origin: https://evil.example").id == "-2:0")
        #expect(try peer.post("0,", "Origin: null").id == "-2:0")
        #expect(try daemon.statistics().number("polling.now") == 0)
    }
}
