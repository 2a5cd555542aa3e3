import Deflate
import Glibc
import TestSupport
import Testing

/// Bodies that are worked on over several turns of the loop.
@Suite struct LargeBodyTests {
    private func message(_ id: Int, bytes: Int) -> String {
        "<message xmlns='jabber:client' id='\(id)'><body>\(String(repeating: "x", count: bytes))</body></message>"
    }

    @Test("requests of one connection and of one session keep their order behind a large one")
    func order() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let requests = (0..<6).map { id in
            RawClient.post(session.client.nextBody("", message(id, bytes: id % 2 == 0 ? 100_000 : 10)))
        }
        try connection.send(requests.joined())
        for id in 0..<6 {
            let stanza = try session.stream.read(until: "</message>")
            #expect(stanza.hasPrefix("<message xmlns='jabber:client' id='\(id)'>"))
        }
        for _ in 0..<5 { #expect(try connection.answer().status == 200) }
    }

    @Test("a later request of the session on another connection waits for the large one before it")
    func orderOfSession() throws {
        let session = try OpenSession()
        let large = try session.daemon.connect()
        let small = try session.daemon.connect()
        try large.send(RawClient.post(session.client.nextBody("", message(0, bytes: 100_000))))
        try small.send(RawClient.post(session.client.nextBody("", message(1, bytes: 1))))
        #expect(try session.stream.read(until: "</message>").contains("id='0'"))
        #expect(try session.stream.read(until: "</message>").contains("id='1'"))
    }

    @Test("a large body that has come whole counts, though its connection closed at once")
    func closed() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let body = session.client.nextBody("", message(7, bytes: 900_000))
        try connection.send(RawClient.post(body))
        connection.wire.close()
        #expect(try session.stream.read(until: "</message>").contains("id='7'"))
        // The answer was lost; the repeat gets it.
        try session.stream.send("<presence/>")
        #expect(try session.client.exchange("", "", rid: nil).payload == "<presence xmlns='jabber:client'/>")
    }

    @Test("what was sent before our side was closed is all served, however many turns it takes")
    func halfClosed() throws {
        let session = try OpenSession("wait='60' hold='0' ver='1.6' xmpp:version='1.0'")
        let connection = try session.daemon.connect()
        let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"
        try connection.send(String(repeating: RawClient.post(junk), count: 300))
        try connection.wire.shutdownWrite()
        let answers = try connection.wire.readToEnd()
        #expect(answers.components(of: "item-not-found") == 300)
    }

    @Test("a small request is answered before the large ones that were there before it")
    func small() throws {
        let daemon = try Daemon(upstream: 1)
        let text = String(repeating: "y", count: 1_000_000)
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'><m>\(text)</m></body>"
        let large = try (0..<12).map { _ in try daemon.connect() }
        for connection in large { try connection.send(RawClient.post(body)) }
        let small = try daemon.connect()
        let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"
        #expect(try small.exchange(RawClient.post(junk)).status == 200)
        let answered = try large.filter { try $0.wire.receiveNow() != nil }.count
        #expect(answered < large.count)
    }

    @Test("of many bodies that come in pieces each is read to its end, though one turn reads only some of them")
    func pieces() throws {
        let daemon = try Daemon(upstream: 1)
        let text = String(repeating: "y", count: 300_000)
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'><m>\(text)</m></body>"
        let request = RawClient.post(body)
        let large = try (0..<40).map { _ in try daemon.connect() }
        for connection in large { try connection.send(String(request.prefix(100_000))) }
        // However much was read so far, the rest of all bodies comes at the same time.
        try daemon.standingStill {
            for connection in large.dropLast() { try connection.send(String(request.dropFirst(100_000))) }
        }
        for connection in large.dropLast() { #expect(try connection.answer().body.contains("item-not-found")) }
        // The client that has stopped sending is not forgotten, and does not keep the others from being read.
        try large[39].send(String(request.dropFirst(100_000)))
        #expect(try large[39].answer().body.contains("item-not-found"))
    }

    @Test("xml-elements: more are refused, the session ends and the operator is told")
    func elements() throws {
        let session = try OpenSession(environment: ["HOLDFAST_XML_ELEMENTS": "1000"])
        _ = try session.client.send("", "<m>\(String(repeating: "<a/>", count: 998))</m>")
        #expect(try session.stream.read(until: "</m>").hasSuffix("<a/></m>"))
        let answer = try session.client.exchange("", "<m>\(String(repeating: "<a/>", count: 1_000))</m>")
        #expect(answer.condition == "bad-request")
        try session.daemon.wait(until: "limits.xml-elements", is: 1)
        #expect(try session.daemon.errors.contains("xml-elements"))
    }

    @Test("max-expansion: five times its size, or 3 KiB; 413 above it, and the connection stays")
    func expansion() throws {
        let daemon = try Daemon(upstream: 1)
        let client = try daemon.connect()
        func status(_ count: Int, _ filler: String = "\n") throws -> (status: Int, ratio: Int) {
            let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'><m>"
            let end = "</m></body>"
            let rest = max(count - junk.utf8.count - end.utf8.count, 0)
            let body = junk + String(repeating: filler, count: rest / filler.utf8.count) + end
            let bytes = try body.compressed(.gzip)
            try client.post(bytes, "Content-Encoding: gzip")
            let answer = try client.answer()
            #expect(answer.field("Connection") == nil)
            return (answer.status, body.utf8.count / bytes.count)
        }
        #expect(try status(3_072).status == 200)
        #expect(try status(3_072 + 100).status == 413)
        #expect(try status(1_000_000).status == 413)
        try daemon.wait(until: "limits.max-expansion", is: 2)
        // Compression saves nothing on random bytes.
        let noise = Self.noise(300_000)
        #expect(try status(300_000, noise).status == 200)
    }

    @Test("max-expansion: what takes long to read may become less")
    func weight() throws {
        let client = try Daemon(upstream: 1).connect()
        // With the noise the body expands to less than five times its size, so its bytes are allowed.
        let elements = String(repeating: "<a/>", count: 9_000)
        let body =
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'><m>\(elements)\(Self.noise(18_000))</m></body>"
        try client.post(try body.compressed(.gzip), "Content-Encoding: gzip")
        #expect(try client.answer().status == 413)
        try client.send(RawClient.post(body))
        #expect(try client.answer().status == 200)
    }

    @Test("max-expansion: a gzip bomb costs little more than a plain message of its size on the wire")
    func bombs() throws {
        let daemon = try Daemon(upstream: 1)
        let client = try daemon.connect()
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'><m>"
        let bomb = try (start + String(repeating: "<a xmlns='x'/>", count: 70_000) + "</m></body>").compressed(.gzip)
        let plain = start + String(repeating: "x", count: bomb.count) + "</m></body>"
        let harmless = try daemon.processorTime {
            for _ in 0..<50 { _ = try client.exchange(RawClient.post(plain)) }
        }
        let hostile = try daemon.leastProcessorTime {
            for _ in 0..<50 {
                try client.post(bomb, "Content-Encoding: gzip")
                #expect(try client.answer().status == 413)
            }
        }
        #expect(hostile < harmless * 10)
    }

    @Test("a namespace error in a body costs no more than plain text does")
    func namespaceError() throws {
        let daemon = try Daemon(upstream: 1)
        let client = try daemon.connect()
        let name = String(repeating: "n", count: 1_000)
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'>"
        let hostile = start + "<m" + (0..<190).map { " p:\(name)\($0)=''" }.joined() + "/></body>"
        let plain = start + "<m>" + String(repeating: "x", count: hostile.utf8.count) + "</m></body>"
        func cost(_ body: String) throws -> Duration {
            try daemon.leastProcessorTime { for _ in 0..<10 { _ = try client.exchange(RawClient.post(body)) } }
        }
        #expect(try cost(hostile) < cost(plain) * 4)
    }

    @Test("R-07 H-08: a repeat is not compressed again")
    func repeats() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let body = session.client.nextBody()
        try connection.send(RawClient.post(body, "Accept-Encoding: gzip"))
        try session.stream.send("<message><body>\(Self.noise(60_000))</body></message>")
        let first = try connection.rawAnswer()
        #expect(first.head.field("Content-Encoding") == "gzip")
        func cost(_ fields: String) throws -> Duration {
            try session.daemon.leastProcessorTime {
                for _ in 0..<15 {
                    let answer = try connection.exchange(RawClient.post(body, fields))
                    #expect(answer.field("Content-Encoding") == nil)
                    #expect(answer.field("Vary") == "Accept-Encoding")
                }
            }
        }
        #expect(try cost("Accept-Encoding: gzip") < cost("X-None: x") * 3)
    }

    /// Random letters.
    private static func noise(_ count: Int) -> String {
        var state: UInt32 = 1
        return String(
            decoding: (0..<count).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(0x40 + (state >> 24) % 0x3F)
            }, as: UTF8.self
        ).replacing("\\", with: "z")
    }
}

extension String {
    /// How often `text` occurs in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
