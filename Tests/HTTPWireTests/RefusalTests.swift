import Testing

@testable import HTTPWire

/// Every doubt about the framing is refused, and the connection ends (H-15, H-16, H-24; RFC 9112).
struct RefusalTests {
    /// A head with this line in place of an ordinary field.
    private static func with(_ line: String) -> String { "POST / HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n" }

    private func expect(_ fault: HTTPFault, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        // the bytes after it must never be taken for a request
        let reading = ChunkingVerifier(crossOrigin: .any).verify(
            text + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", sourceLocation: sourceLocation)
        #expect(reading.events == [.refused(fault)], "\(text.debugDescription)", sourceLocation: sourceLocation)
        #expect(reading.phase == .refusing, sourceLocation: sourceLocation)
        #expect(reading.closes, sourceLocation: sourceLocation)
        #expect(
            reading.text.hasPrefix("HTTP/1.1 \(fault.status.line)\r\n"), "\(reading.text)",
            sourceLocation: sourceLocation)
        #expect(reading.text.contains("Connection: close\r\n"), sourceLocation: sourceLocation)
        #expect(reading.text.contains("Access-Control-Allow-Origin: *\r\n"), sourceLocation: sourceLocation)
    }

    @Test("request lines")
    func badRequestLine() {
        let texts = [
            "GET / HTTP/1.1\nHost: h\n\n", "GET /\r\n", "GET / \r\n", "GET\r\n", " GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1 \r\n", "GET /a b HTTP/1.1\r\n", "GET / http/1.1\r\n", "GET / HTTP/1\r\n",
            "GET / HTTP/11\r\n", "GET / HTTP/0.9\r\n",
            "GET / HTTP/1.1x\r\n", "GET / HTTP/+.1\r\n", "GET / HTTP/1,1\r\n", "GET / XTTP/1.1\r\n",
            "GET\t/ HTTP/1.1\r\n",
            "G(T / HTTP/1.1\r\n", "G\u{0}T / HTTP/1.1\r\n", "{} / HTTP/1.1\r\n", "GET / HTTP/1.1\rHost: h\r\n",
            "\u{16}\u{3}\u{1}\u{2}", "\u{0}", "GET / HTTP/1.11\r\n", "GET / HTTP/ 1.1\r\n", "GÉT / HTTP/1.1\r\n",
        ]
        for text in texts {
            expect(.badRequestLine, text)
        }
    }

    @Test("targets")
    func badTarget() {
        let texts = [
            "GET  / HTTP/1.1\r\n", "GET x HTTP/1.1\r\n", "GET * HTTP/1.1\r\n", "GET /# HTTP/1.1\r\n",
            "GET /\u{7F} HTTP/1.1\r\n", "GET /é HTTP/1.1\r\n", "GET /\u{0} HTTP/1.1\r\n",
            "GET http:/// HTTP/1.1\r\n", "GET http://u@h/ HTTP/1.1\r\n", "GET ftp://h/ HTTP/1.1\r\n",
            "GET http:h HTTP/1.1\r\n", "GET http://:80/ HTTP/1.1\r\n", "GET ?a HTTP/1.1\r\n", "GET /\t HTTP/1.1\r\n",
            "OPTIONS ** HTTP/1.1\r\n", "CONNECT x@y:z HTTP/1.1\r\n", "GET http://h\\x/ HTTP/1.1\r\n", "GET /\n",
        ]
        for text in texts {
            expect(.badTarget, text)
        }
    }

    @Test("versions (RFC 9110 §15.6.6)", arguments: ["2.0", "1.2", "3.0", "9.9", "1.9"])
    func unsupportedVersion(version: String) {
        expect(.unsupportedVersion, "GET / HTTP/\(version)\r\nHost: h\r\n\r\n")
    }

    @Test("the HTTP/2 preface")
    func preface() {
        expect(.unsupportedVersion, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    }

    @Test("field lines")
    func fieldLine() {
        let cases: [(String, HTTPFault)] = [
            ("X: a\nY: b", .badLineEnd), ("X: a\rY: b", .badLineEnd), ("X: a\r\r\n", .badLineEnd),
            ("X : a", .spaceBeforeColon), ("X\t: a", .spaceBeforeColon), ("Host : h", .spaceBeforeColon),
            (" X: a", .foldedField), ("\tX: a", .foldedField), ("X: a\r\n b", .foldedField),
            ("X: a\r\n\tb", .foldedField),
            (": a", .badFieldName), ("X", .badFieldName), ("X(y): a", .badFieldName), ("X\u{0}: a", .badFieldName),
            ("Xé: a", .badFieldName), ("\"X\": a", .badFieldName), ("X/Y: a", .badFieldName),
            ("X\u{7F}: a", .badFieldName),
            ("X: a\u{0}b", .badFieldValue), ("X: \u{1}", .badFieldValue), ("X: a\u{7F}", .badFieldValue),
            ("X: a\u{1B}[2J", .badFieldValue), ("X: \u{8}", .badFieldValue),
        ]
        for (line, fault) in cases { expect(fault, Self.with(line)) }
    }

    @Test("a head whose lines end with LF only")
    func bareLineFeedAtTheEnd() {
        expect(.badLineEnd, "GET / HTTP/1.1\r\nHost: h\r\n\n")
        expect(.badLineEnd, "GET / HTTP/1.1\r\nHost: h\r\n\rX\n")
        expect(.badLineEnd, "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
        expect(.badLineEnd, "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n")
        expect(.badLineEnd, "\r\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
    }

    @Test("H-15: no Host")
    func missingHost() {
        expect(.missingHost, "GET / HTTP/1.1\r\n\r\n")
        expect(.missingHost, "GET http://h/ HTTP/1.1\r\nHosts: h\r\n\r\n")
        #expect(ChunkingVerifier().verify("GET / HTTP/1.0\r\n\r\n").requests.count == 1)
    }

    @Test("H-15: two Hosts, or an invalid one")
    func badHost() {
        let cases = [
            "Host: h\r\nHost: h", "Host: a b", "Host: a/b", "Host: u@h", "Host: h:x", "Host: h:80:80", "Host: [::1",
            "Host: ::1]", "Host: []", "Host: [::1]x", "Host: h, h", "Host: h?", "Host: \"h\"", "Host: é", "Host: [a/b]",
            "Host: h\\", "Host: h:-1", "Host: ::1",
        ]
        for lines in cases {
            expect(.badHost, "GET / HTTP/1.1\r\n\(lines)\r\n\r\n")
            expect(.badHost, "GET / HTTP/1.0\r\n\(lines)\r\n\r\n")
        }
    }

    @Test("H-16: Content-Length other than 1*DIGIT, or twice")
    func contentLength() {
        let values = [
            "", "+5", "-5", "0x5", "5,5", "5, 5", "5 5", "5;", "5a", "1e3", "5.0", "_5", "5_0", "٥", "\u{B5}5",
            "9223372036854775808", "18446744073709551616", "99999999999999999999999999", "5\r\nContent-Length: 5",
            "5\r\nContent-Length: 6", "5\r\ncontent-length: 5",
        ]
        for value in values {
            expect(.badContentLength, Self.with("Content-Length: \(value)"))
        }
    }

    @Test("leading zeros are digits like any others")
    func contentLengthWithZeros() {
        let text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0000000000000000000000002\r\n\r\nab"
        #expect(ChunkingVerifier().verify(text).requests.first?.head.framing == .length(2))
    }

    @Test("H-16: Transfer-Encoding other than exactly chunked, or twice")
    func transferEncoding() {
        let values = [
            "", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "chunked;q=1", "xchunked",
            "chunk",
            "chunked,", "\"chunked\"", "chunked\r\nTransfer-Encoding: chunked",
            "chunked\r\nTransfer-Encoding: identity",
        ]
        for value in values {
            expect(.badTransferEncoding, Self.with("Transfer-Encoding: \(value)"))
        }
    }

    @Test("H-16: Transfer-Encoding in HTTP/1.0")
    func transferEncodingInLegacy() {
        expect(.badTransferEncoding, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    }

    @Test("H-16: Transfer-Encoding with Content-Length, in either order")
    func ambiguousFraming() {
        expect(.ambiguousFraming, Self.with("Content-Length: 5\r\nTransfer-Encoding: chunked"))
        expect(.ambiguousFraming, Self.with("Transfer-Encoding: chunked\r\nContent-Length: 0"))
    }

    @Test("an answer to a refused HEAD has no body to be taken for the next answer")
    func refusedHead() {
        let reading = ChunkingVerifier().verify("HEAD / HTTP/1.1\r\n\r\n")
        #expect(reading.faults == [.missingHost])
        #expect(reading.text.hasSuffix("\r\n\r\n"))
        let get = ChunkingVerifier().verify("GET / HTTP/1.1\r\n\r\n")
        #expect(get.text.hasSuffix("\r\n\r\n400 Bad Request\n"))
    }

    @Test("a refusal follows the answers owed, and nothing is read behind it")
    func inOrder() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let events = connection.feed(
            "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nBAD\r\n\r\nGET /3 HTTP/1.1\r\n")
        #expect(events.count == 3)
        #expect(events.last == .refused(.badRequestLine))
        #expect(connection.hasOutput == false)
        #expect(connection.mayRead == false)
        #expect(connection.closesWhenDrained == false)
        #expect(connection.openExchanges == [1, 2])
        #expect(connection.answer(2, "two") == true)
        #expect(connection.hasOutput == false)
        #expect(connection.answer(1, "one") == true)
        #expect(connection.takeText().answerBodies == ["one", "two", "400 Bad Request\n"])
        #expect(connection.closesWhenDrained == true)
        #expect(connection.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == [])
        #expect(connection.hasOutput == false)
    }

    @Test("the refusal echoes a listed origin when it came before the doubt")
    func origin() {
        var verifier = ChunkingVerifier()
        verifier.crossOrigin = .list(["https://a.test"], credentials: true)
        let reading = verifier.verify(
            "POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://a.test\r\nContent-Length: x\r\n\r\n")
        #expect(reading.text.contains("Access-Control-Allow-Origin: https://a.test\r\n"))
        let body = verifier.verify(
            "POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://a.test\r\nTransfer-Encoding: chunked\r\n\r\nx")
        #expect(body.faults == [.badChunk])
        #expect(body.text.contains("Access-Control-Allow-Origin: https://a.test\r\n"))
    }
}
