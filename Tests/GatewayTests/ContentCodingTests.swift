import Deflate
import TestSupport
import Testing

/// Compressed requests and responses.
@Suite struct ContentCodingTests {
    private let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"
    private let features = ScriptedStream.features

    // MARK: Requests

    @Test(
        "H-09: a coded body is served like any other",
        arguments: [
            ("gzip", DeflateFormat.gzip), ("x-gzip", .gzip), ("GZip", .gzip), ("deflate", .zlib), ("deflate", .raw),
            ("identity, gzip", .gzip),
        ])
    func expands(coding: String, format: DeflateFormat) throws {
        let client = try Daemon(upstream: 1).connect()
        for _ in 0..<3 {
            try client.post(try junk.compressed(format), "Content-Encoding: \(coding)")
            #expect(try BOSHBody(try client.answer().body).condition == "item-not-found")
        }
    }

    @Test("H-09: a body that is coded and chunked")
    func expandsChunks() throws {
        let client = try Daemon(upstream: 1).connect()
        let fields = "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
        try client.send("POST /http-bind HTTP/1.1\r\n\(fields)\r\n")
        for byte in try junk.compressed(.gzip) { try client.wire.send(Array("1\r\n".utf8) + [byte] + [13, 10]) }
        try client.send("0\r\n\r\n")
        #expect(try BOSHBody(try client.answer().body).condition == "item-not-found")
    }

    @Test("H-09: stanzas of coded requests arrive; the rid is that of the body inside")
    func forwards() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let message = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 2_000))</body></message>"
        try connection.post(
            try session.client.nextBody("", message).compressed(.gzip), "Content-Encoding: gzip")
        #expect(try session.stream.read(until: "</message>") == message)
        try session.stream.send("<presence/>")
        #expect(try BOSHBody(try connection.answer().body).payload == "<presence xmlns='jabber:client'/>")
    }

    @Test("H-09: what cannot be expanded is the fault of this request alone")
    func refusesDamaged() throws {
        let client = try Daemon(upstream: 1).connect()
        let gzip = try junk.compressed(.gzip)
        var changed = gzip
        changed[gzip.count - 6] ^= 1
        let bad: [([UInt8], String)] = [
            (Array(junk.utf8), "gzip"), (Array(junk.utf8), "deflate"), (Array(gzip.dropLast()), "gzip"), ([], "gzip"),
            (changed, "gzip"), (gzip + [0], "gzip"), (gzip, "deflate"), (try junk.compressed(.raw), "gzip"),
        ]
        for (body, coding) in bad {
            try client.post(body, "Content-Encoding: \(coding)")
            let answer = try client.answer()
            #expect(answer.status == 400)
            #expect(answer.field("Connection") == nil)
            #expect(answer.field("Access-Control-Allow-Origin") == "*")
        }
        try client.post(gzip, "Content-Encoding: gzip")
        #expect(try client.answer().status == 200)
    }

    @Test("H-09: a bomb is stopped at the limit of a body, which is exact")
    func refusesBomb() throws {
        let client = try Daemon(upstream: 1, "--max-body", "2000").connect()
        func status(_ count: Int) throws -> Int {
            let body = junk + String(repeating: "\n", count: count - junk.utf8.count)
            try client.post(try body.compressed(.gzip), "Content-Encoding: gzip")
            let answer = try client.answer()
            #expect(answer.field("Connection") == nil)
            return answer.status
        }
        #expect(try status(2_001) == 413)
        #expect(try status(200_000) == 413)
        #expect(try status(2_000) == 200)
    }

    @Test("H-09: another coding is refused and told what would be taken", arguments: ["br", "zstd", "gzip, gzip"])
    func refusesCoding(coding: String) throws {
        let client = try Daemon(upstream: 1).connect()
        let answer = try client.exchange(RawClient.post(junk, "Content-Encoding: \(coding)"))
        #expect(answer.status == 415)
        #expect(answer.field("Accept-Encoding") == "gzip, deflate")
        #expect(answer.field("Connection") == nil)
        #expect(try client.exchange(RawClient.post(junk)).status == 200)
    }

    @Test("H-09: the creation response says what is taken")
    func announces() throws {
        #expect(try OpenSession().created["accept"] == "gzip,deflate")
    }

    // MARK: Responses

    /// A message that is worth compressing.
    private let message =
        "<message xmlns='jabber:client'><body>\(String(repeating: "so ", count: 200))</body></message>"

    @Test(
        "H-08: a response is compressed as the request allows",
        arguments: [
            ("gzip, deflate, br", "gzip", DeflateFormat.gzip), ("gzip;q=0.1, deflate", "deflate", .zlib),
            ("*", "gzip", .gzip),
        ])
    func compresses(accept: String, coding: String, format: DeflateFormat) throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        for _ in 0..<3 {
            try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: \(accept)"))
            try session.stream.send(message)
            let (head, bytes) = try connection.rawAnswer()
            #expect(head.field("Content-Encoding") == coding)
            #expect(head.field("Vary") == "Accept-Encoding")
            #expect(head.field("Content-Type") == "text/xml; charset=utf-8")
            #expect(bytes.count < 200)
            #expect(try BOSHBody(try bytes.expanded(format)).payload == message)
        }
    }

    @Test(
        "H-08: never with a coding that was not listed",
        arguments: [nil, "", "br", "identity", "gzip;q=0", "deflate;q=0, gzip;q=0", "*;q=0"])
    func leavesPlain(accept: String?) throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let field = accept.map { "Accept-Encoding: \($0)" } ?? "X-None: x"
        try connection.send(RawClient.post(session.client.nextBody(), field))
        try session.stream.send(message)
        let answer = try connection.answer()
        #expect(answer.field("Content-Encoding") == nil)
        #expect(answer.field("Vary") == "Accept-Encoding")
        #expect(try BOSHBody(answer.body).payload == message)
    }

    @Test("H-08: a short response is not compressed, nor one that would not get shorter")
    func leavesShort() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
        try session.stream.send("<presence/>")
        let short = try connection.answer()
        #expect(short.field("Content-Encoding") == nil)
        #expect(short.field("Vary") == nil)
        // Random letters: compression would save less than its header field takes.
        var state: UInt32 = 1
        let noise = String(
            (0..<400).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return Character(Unicode.Scalar(0x3400 + (state >> 16) % 0x1900) ?? "x")
            })
        try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
        try session.stream.send("<message>\(noise)</message>")
        let long = try connection.rawAnswer()
        #expect(long.head.field("Vary") == "Accept-Encoding")
        if long.head.field("Content-Encoding") == nil {
            #expect(long.bytes.text.contains(noise))
        } else {
            #expect(try long.bytes.expanded(.gzip).contains(noise))
        }
    }

    @Test(
        "H-08: nothing of SASL is compressed",
        arguments: ["urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:1", "urn:xmpp:sasl:2"])
    func leavesSASL(namespace: String) throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let challenge = "<challenge xmlns='\(namespace)'>\(String(repeating: "cj1", count: 300))</challenge>"
        try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
        try session.stream.send(challenge)
        let answer = try connection.answer()
        #expect(answer.field("Content-Encoding") == nil)
        #expect(try BOSHBody(answer.body).payload == challenge)
        // The next response contains none of it and is compressed.
        try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
        try session.stream.send(message)
        #expect(try connection.rawAnswer().head.field("Content-Encoding") == "gzip")
    }

    @Test("H-08: the creation response, which names the mechanisms and the sid, is not compressed")
    func leavesCreation() throws {
        let server = try ScriptedUpstream()
        let connection = try Daemon(upstream: server.port).connect()
        let creation =
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='example.org' wait='60' hold='1' ver='1.6' "
            + "xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>"
        try connection.send(RawClient.post(creation, "Accept-Encoding: gzip"))
        try server.accept().open()
        let answer = try connection.answer()
        #expect(answer.body.utf8.count >= 256)
        #expect(answer.field("Content-Encoding") == nil)
        #expect(try BOSHBody(answer.body).payload == features)
    }

    @Test("H-08 R-07: a repeat is answered with the same content, which is not compressed again")
    func replays() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let body = session.client.nextBody()
        try connection.send(RawClient.post(body, "Accept-Encoding: gzip"))
        try session.stream.send(message)
        let first = try connection.rawAnswer().bytes.expanded(.gzip)
        #expect(try connection.exchange(RawClient.post(body)).body == first)
        let again = try connection.exchange(RawClient.post(body, "Accept-Encoding: deflate"))
        #expect(again.field("Content-Encoding") == nil)
        #expect(again.field("Vary") == "Accept-Encoding")
        #expect(again.body == first)
    }

    @Test("H-08: a response that would hold up the loop for long is not compressed")
    func leavesLarge() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        let large = "<message xmlns='jabber:client'><body>\(String(repeating: "so ", count: 60_000))</body></message>"
        try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
        try session.stream.send(large)
        let answer = try connection.answer()
        #expect(answer.field("Content-Encoding") == nil)
        #expect(answer.field("Vary") == "Accept-Encoding")
        #expect(try BOSHBody(answer.body).payload == large)
    }

    @Test("H-08 H-12: pipelined requests are answered each in its own coding")
    func pipelines() throws {
        let client = try Daemon(upstream: 1).connect()
        let get = "GET /http-bind HTTP/1.1\r\nHost: localhost\r\n"
        try client.send(
            get + "Accept-Encoding: gzip\r\n\r\n" + get + "\r\n" + get + "Accept-Encoding: deflate\r\n\r\n")
        let first = try client.rawAnswer().bytes.expanded(.gzip)
        #expect(try client.answer().body == first)
        #expect(try client.rawAnswer().bytes.expanded(.zlib) == first)
    }
}

extension RawClient {
    /// Sends a request whose body may be any bytes.
    func post(_ body: [UInt8], _ field: String) throws {
        let head =
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\n\(field)\r\nContent-Length: \(body.count)\r\n\r\n"
        try wire.send(Array(head.utf8) + body)
    }

    /// Reads one answer whose body may be any bytes.
    func rawAnswer() throws -> (head: HTTPAnswer, bytes: [UInt8]) {
        let head = try answer(toHead: true)
        guard let length = head.field("Content-Length").flatMap({ Int($0) }) else { throw TestFault("no length") }
        return (head, try wire.read(count: length))
    }
}

extension String {
    func compressed(_ format: DeflateFormat) throws -> [UInt8] {
        guard var deflater = Deflater(format) else { throw DeflateError.outOfMemory }
        let plain = Array(utf8)
        var bytes: [UInt8] = []
        guard deflater.deflate(plain.span, limit: plain.count + 100, into: &bytes) else { throw TestFault("no room") }
        return bytes
    }
}

extension [UInt8] {
    func expanded(_ format: DeflateFormat) throws -> String {
        guard var inflater = Inflater() else { throw DeflateError.outOfMemory }
        var bytes: [UInt8] = []
        try inflater.inflate(span, as: format, limit: 1_000_000, into: &bytes)
        return bytes.text
    }
}
