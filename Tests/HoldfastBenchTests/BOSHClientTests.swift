import Testing

@testable import holdfast_bench

@Suite struct BOSHClientTests {
    private static let features = "<stream:features><mechanism>PLAIN</mechanism></stream:features>"
    private static let boundFeatures = "<stream:features><bind xmlns='b'/></stream:features>"

    private func client(_ login: LoginDialogue.Login = .anonymous) -> BOSHClient {
        let profile = BOSHClient.Profile(path: "/http-bind", host: "h:1", domain: "d.test", hold: 1, wait: 60)
        var client = BOSHClient(profile: profile, login: login, firstRID: 100)
        client.start()
        return client
    }

    private static func reply(_ body: [UInt8]) -> LinkReply {
        LinkReply(kind: .response(status: 200), body: body, isKeptAlive: true)
    }

    /// The XML of the next request and its connection.
    private func request(_ client: inout BOSHClient) -> (body: String, connection: Int)? {
        guard let (connection, bytes) = client.nextRequest() else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        #expect(parts[0].contains("\r\nContent-Length: \(parts[1].utf8.count)"))
        return (String(parts[1]), connection)
    }

    private func answer(
        _ client: inout BOSHClient, _ content: String, on connection: Int = 0, _ attributes: String = ""
    ) {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' \(attributes)>\(content)</body>"
        _ = client.receive(Self.reply(Array(body.utf8)), on: connection)
    }

    /// A client that has just logged in and has no request open.
    private func readyClient() -> BOSHClient {
        var client = client()
        _ = request(&client)
        answer(&client, Self.features, "sid='s1' requests='2'")
        _ = request(&client)
        answer(&client, "<success xmlns='x'/>")
        _ = request(&client)
        answer(&client, Self.boundFeatures)
        _ = request(&client)
        answer(&client, "<iq type='result' id='b'><bind><jid>a@d.test/r</jid></bind></iq>")
        return client
    }

    private func answer(_ client: inout BOSHClient, _ content: String, _ attributes: String) {
        answer(&client, content, on: 0, attributes)
    }

    @Test func `the login goes step by step with a rid each`() throws {
        var client = client(.plain(user: "u", password: "p"))
        let creation = try #require(request(&client)?.body)
        #expect(creation.contains("rid='100'") && creation.contains("to='d.test'") && creation.contains("wait='60'"))
        #expect(request(&client) == nil)
        answer(&client, Self.features, "sid='s1' requests='2'")
        let auth = try #require(request(&client)?.body)
        #expect(auth.contains("rid='101' sid='s1'") && auth.contains("mechanism='PLAIN'>AHUAcA==</auth>"))
        answer(&client, "<success xmlns='x'/>")
        let restart = try #require(request(&client)?.body)
        #expect(restart.contains("rid='102'") && restart.contains("xmpp:restart='true'"))
        answer(&client, Self.boundFeatures)
        #expect(try #require(request(&client)?.body).contains("<bind xmlns="))
        answer(&client, "<iq type='result' id='b'><bind><jid>a@d.test/r</jid></bind></iq>")
        #expect(client.phase == .ready)
        #expect(client.jid == Array("a@d.test/r".utf8))
        #expect(client.requestCount == 4)
    }

    @Test func `features that come later are polled for and a required session is started`() throws {
        var client = client()
        _ = request(&client)
        answer(&client, "", "sid='s1' requests='2'")
        #expect(client.phase == .creating)
        #expect(try #require(request(&client)?.body).hasSuffix("/>"))
        answer(&client, Self.features)
        #expect(client.phase == .authenticating)
        _ = request(&client)
        answer(&client, "<success/>")
        _ = request(&client)
        answer(&client, "<stream:features><bind/><session/></stream:features>")
        _ = request(&client)
        answer(&client, "<iq><bind><jid>a@d/r</jid></bind></iq>")
        #expect(client.phase == .startingSession)
        #expect(try #require(request(&client)?.body).contains("<session xmlns="))
        answer(&client, "<iq type='result' id='s'/>")
        #expect(client.phase == .ready)
    }

    @Test func `a ready client keeps one poll open and sends on the other connection`() throws {
        var client = readyClient()
        let poll = try #require(request(&client))
        #expect(poll.connection == 0 && poll.body.hasSuffix("/>"))
        #expect(client.isIdlyPolling)
        #expect(request(&client) == nil)
        client.send(Array("<message/>".utf8))
        client.send(Array("<presence/>".utf8))
        let message = try #require(request(&client))
        #expect(message.connection == 1 && message.body.contains("><message/><presence/></body>"))
        #expect(!client.isIdlyPolling)
        client.send(Array("<iq/>".utf8))
        #expect(request(&client) == nil)
        answer(&client, "")
        #expect(try #require(request(&client)).body.contains("<iq/>"))
    }

    @Test func `responses are read in the order of their requests`() throws {
        var client = readyClient()
        _ = request(&client)
        client.send(Array("<message/>".utf8))
        _ = request(&client)
        #expect(client.receive(Self.reply(Array("<body>2</body>".utf8)), on: 1) == [])
        let bodies = client.receive(Self.reply(Array("<body>1</body>".utf8)), on: 0)
        #expect(bodies.map { String(decoding: $0, as: UTF8.self) } == ["<body>1</body>", "<body>2</body>"])
    }

    @Test func `after a cut the same bytes are repeated or the next rid is used`() throws {
        var client = readyClient()
        let next = client.nextRequest()
        let poll = try #require(next)
        #expect(client.repeatedRequest(on: 0) == poll.bytes)
        #expect(client.repeatedRequest(on: 1) == nil)
        client.forgetRequest(on: 0)
        #expect(client.repeatedRequest(on: 0) == nil)
        #expect(try #require(request(&client)).body.contains("rid='105'"))
    }

    @Test func `terminating ends the session and what ends it early is a failure`() throws {
        var client = readyClient()
        client.terminate()
        #expect(try #require(request(&client)).body.contains("type='terminate'"))
        #expect(request(&client) == nil)
        answer(&client, "", "type='terminate'")
        #expect(client.phase == .ended)
        client.fail("late")
        #expect(client.phase == .ended)

        var other = readyClient()
        _ = request(&other)
        answer(&other, "", "type='terminate' condition='item-not-found'")
        #expect(other.phase == .failed("terminated: item-not-found"))
        #expect(request(&other) == nil)
    }

    @Test func `a session that nobody knows is told from other failures and has a successor`() throws {
        var client = readyClient()
        _ = request(&client)
        answer(&client, "", "type='terminate' condition='item-not-found'")
        #expect(client.phase == BOSHClient.sessionUnknown)
        var successor = try #require(client.successor(firstRID: 9_000) as? BOSHClient)
        #expect(successor.phase == .idle && successor.jid.isEmpty && successor.requestCount == 0)
        successor.start()
        let creation = try #require(request(&successor)?.body)
        #expect(creation.contains("rid='9000'") && creation.contains("to='d.test'") && !creation.contains("sid="))

        var other = readyClient()
        _ = request(&other)
        answer(&other, "", "type='terminate' condition='remote-connection-failed'")
        #expect(other.phase != BOSHClient.sessionUnknown)
    }

    @Test func `wrong answers are failures`() {
        var refused = client()
        _ = request(&refused)
        _ = refused.receive(LinkReply(kind: .response(status: 404), body: [], isKeptAlive: true), on: 0)
        #expect(refused.phase == .failed("status 404"))

        var nameless = client()
        _ = request(&nameless)
        answer(&nameless, Self.features)
        #expect(nameless.phase == .failed("no sid"))

        var unasked = readyClient()
        _ = unasked.receive(Self.reply(Array("<body/>".utf8)), on: 1)
        #expect(unasked.phase == .failed("a response that nobody asked for"))

        var wrong = client()
        _ = request(&wrong)
        answer(&wrong, Self.features, "sid='s1'")
        _ = request(&wrong)
        answer(&wrong, "<failure xmlns='x'/>")
        #expect(wrong.phase == .failed("login refused"))
    }
}
