import Testing

@testable import HTTPWire

/// The results of `Accept-Encoding` and `Content-Encoding`.
struct ContentCodingTests {
    private func accepted(_ lines: [String]) -> ContentCoding {
        var accept = AcceptEncoding()
        for line in lines {
            let bytes = Array(line.utf8)
            accept.read(bytes.span, 0..<bytes.count)
        }
        return accept.preferred
    }

    private func coding(_ lines: [String]) -> ContentCoding? {
        var encoding = ContentEncoding()
        for line in lines {
            let bytes = Array(line.utf8)
            encoding.read(bytes.span, 0..<bytes.count)
        }
        return encoding.coding
    }

    @Test(
        "H-08: the coding that is preferred of those that were listed",
        arguments: [
            ("gzip, deflate, br, zstd", ContentCoding.gzip), ("gzip", .gzip), ("deflate", .deflate),
            ("deflate, gzip", .gzip), ("x-gzip", .gzip), ("X-GZip", .gzip), ("GZIP;Q=1", .gzip),
            ("br, zstd", .identity), ("", .identity), (",,", .identity), ("identity", .identity),
            ("gzip;q=0.5, deflate;q=0.6", .deflate), ("gzip;q=0.501,deflate;q=0.5", .gzip),
            ("gzip ; q=0.2 , deflate\t;\tq=0.3", .deflate), ("gzip;q=0.001", .gzip), ("gzip;q=1.000", .gzip),
            ("gzip;q=1.", .gzip), ("gzip;q=0.,deflate", .deflate),
        ])
    func preferred(field: String, coding: ContentCoding) {
        #expect(accepted([field]) == coding)
    }

    @Test(
        "RFC 9110 §12.5.3: q=0 forbids",
        arguments: [
            ("gzip;q=0", ContentCoding.identity), ("gzip;q=0.000, deflate;q=0.0", .identity),
            ("gzip;q=0, deflate", .deflate), ("*;q=0", .identity), ("*;q=0, gzip", .gzip), ("*, gzip;q=0", .deflate),
            ("*, gzip;q=0, deflate;q=0", .identity), ("x-gzip;q=0, gzip", .identity), ("gzip, gzip;q=0", .identity),
        ])
    func forbidden(field: String, coding: ContentCoding) {
        #expect(accepted([field]) == coding)
    }

    @Test(
        "RFC 9110 §12.5.3: * stands for what is not named, identity has a weight of its own",
        arguments: [
            ("*", ContentCoding.gzip), ("*;q=0.1", .gzip), ("gzip;q=0.1, *;q=0.5", .deflate),
            ("identity;q=0.5, *;q=0.4", .identity), ("identity, gzip", .gzip), ("identity;q=1, gzip;q=0.9", .identity),
            ("identity;q=0.5, gzip", .gzip), ("identity;q=0", .identity), ("identity;q=0, deflate;q=0.1", .deflate),
            ("*;q=0.5, gzip;q=0.2, deflate;q=0.2", .identity), ("**", .identity),
        ])
    func wildcard(field: String, coding: ContentCoding) {
        #expect(accepted([field]) == coding)
    }

    @Test(
        "a weight that cannot be read is none",
        arguments: [
            "q", "q=", "q=2", "q=1.1", "q=1.001", "q=0.0001", "q=0.1234", "q=-1", "q=.5", "q= 1", "q =1", "q=1;x",
            "x=1",
            "q=1e0", "q=0,5", "q=0.x", "level=9", "", "q=1.0000", "q=\u{661}", "q=10", "q=0x1",
        ])
    func unreadableWeight(weight: String) {
        #expect(accepted(["gzip;\(weight)"]) == .identity)
        #expect(accepted(["gzip;\(weight), deflate"]) == .deflate)
    }

    @Test("several lines are one list")
    func lines() {
        #expect(accepted(["br", "deflate;q=0.5", "gzip;q=0.4"]) == .deflate)
        #expect(accepted(["gzip", "gzip;q=0"]) == .identity)
        #expect(accepted([]) == .identity)
        #expect(coding(["gzip", "identity"]) == .gzip)
        #expect(coding(["gzip", "deflate"]) == nil)
        #expect(coding([]) == .identity)
    }

    @Test(
        "H-09: one coding of ours is undone",
        arguments: [
            ("gzip", ContentCoding.gzip), ("x-gzip", .gzip), ("GZip", .gzip), ("deflate", .deflate),
            (" , gzip ,, ", .gzip), ("identity", .identity), ("identity, deflate", .deflate), ("", .identity),
        ])
    func coded(field: String, coding expected: ContentCoding) {
        #expect(coding([field]) == expected)
    }

    @Test(
        "H-09: a coding that is not ours, or more than one, is not",
        arguments: [
            "br", "zstd", "compress", "x-compress", "exi", "pack200-gzip", "aes128gcm", "dcb", "dcz", "BR", "gzip, br",
            "br, gzip", "gzip, gzip", "gzip, deflate, gzip", "identity, br", "br, identity",
        ])
    func unsupported(field: String) {
        #expect(coding([field]) == nil)
    }

    @Test(
        "what is no coding at all says nothing",
        arguments: [
            "text/xml; charset=utf-8", "utf-8", "gzipx", "gzi", "UTF-8", "xml", "gzip;q=1", "\u{E9}", "*", "none",
        ])
    func noCoding(field: String) {
        #expect(coding([field]) == .identity)
        #expect(coding([field + ", gzip"]) == .gzip)
    }

    @Test("both fields are read however the bytes arrive")
    func throughTheConnection() {
        let reading = ChunkingVerifier().verify(
            "POST / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: br\r\nAccept-Encoding: deflate\r\n"
                + "Content-Encoding: x-gzip\r\nContent-Length: 1\r\n\r\n?")
        #expect(reading.requests.map(\.head.acceptedCoding) == [.deflate])
        #expect(reading.requests.map(\.head.coding) == [.gzip])
    }

    @Test("each exchange keeps its own coding until it is answered")
    func perExchange() {
        var connection = HTTPConnection(limits: HTTPLimits())
        for field in ["gzip", "deflate", "br", "gzip;q=0"] {
            #expect(connection.feed("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: \(field)\r\n\r\n").count == 1)
        }
        #expect((1...5).map { connection.coding(of: $0) } == [.gzip, .deflate, .identity, .identity, .identity])
        connection.answer(2, "")
        #expect((1...2).map { connection.coding(of: $0) } == [.gzip, .identity])
        connection.answer(1, "")
        #expect(connection.coding(of: 1) == .identity)
    }

    @Test("a coded answer says so, and caches learn what it depends on")
    func answer() {
        var response = HTTPResponse(status: .ok, contentType: .xml, body: [1, 2, 3])
        func fields(_ policy: CrossOriginPolicy) -> [String] {
            var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: policy)
            #expect(connection.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n").count == 1)
            connection.respond(to: 1, with: response)
            let head = connection.takeText().split(separator: "\r\n").map(String.init)
            return head.filter {
                $0.hasPrefix("Content-Encoding") || $0.hasPrefix("Vary") || $0.hasPrefix("Content-Len")
            }
        }
        let listed = CrossOriginPolicy.list(["https://a.test"], credentials: false)
        #expect(fields(.any) == ["Content-Length: 3"])
        response.variesByCoding = true
        #expect(fields(.any) == ["Content-Length: 3", "Vary: Accept-Encoding"])
        #expect(fields(listed) == ["Content-Length: 3", "Vary: Origin, Accept-Encoding"])
        response.coding = .gzip
        #expect(fields(.off) == ["Content-Length: 3", "Content-Encoding: gzip", "Vary: Accept-Encoding"])
        response.coding = .deflate
        response.variesByCoding = false
        #expect(fields(listed) == ["Content-Length: 3", "Content-Encoding: deflate", "Vary: Origin"])
    }
}
