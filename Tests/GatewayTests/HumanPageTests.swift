import COpenSSL
import TestSupport
import Testing

/// The page for people.
@Suite struct HumanPageTests {
    @Test("H-20: GET shows a page, HEAD its head alone")
    func showsPage() throws {
        let client = try Daemon(upstream: 1).connect()
        let page = try client.get("/http-bind")
        #expect(page.status == 200)
        #expect(page.field("Content-Type") == "text/html; charset=utf-8")
        #expect(page.body.contains("BOSH"))
        #expect(page.field("X-Robots-Tag") == "noindex")
        try client.send("HEAD /http-bind HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try client.answer(toHead: true)
        // The date may change between the two answers.
        func lines(_ answer: HTTPAnswer) -> [Substring] {
            answer.head.split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") }
        }
        #expect(lines(head) == lines(page))
        // The answer had no body: the next answer begins where it should.
        #expect(try client.get("/nowhere").status == 404)
    }

    @Test("H-08 H-20: HEAD says of a compressed page what GET says", arguments: ["gzip", "deflate", "gzip;q=0, *;q=0"])
    func compressesHead(accept: String) throws {
        let client = try Daemon(upstream: 1).connect()
        func head(_ method: String) throws -> [Substring] {
            try client.send("\(method) /http-bind HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: \(accept)\r\n\r\n")
            let answer = try client.answer(toHead: true)
            let length = try #require(answer.field("Content-Length").flatMap { Int($0) })
            if method == "GET" { _ = try client.wire.read(count: length) }
            #expect(answer.field("Vary") == "Accept-Encoding")
            #expect(answer.field("Content-Encoding") == (accept.contains("q=0") ? nil : accept))
            return answer.head.split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") }
        }
        #expect(try head("HEAD") == head("GET"))
    }

    @Test("H-20: with the limits there are")
    func showsLimits() throws {
        let daemon = try Daemon(
            upstream: 1, "--max-wait", "41", "--max-hold", "7", "--inactivity", "43", "--max-body", "4567")
        let page = try daemon.connect().get("/http-bind").body
        for cell in ["<td>41 s</td>", "<td>7</td>", "<td>43 s</td>", "<td>4567 bytes"] {
            #expect(page.contains(cell), "\(cell)")
        }
        #expect(page.contains("plain HTTP"))
        #expect(page.contains("proxy"))
    }

    @Test("H-20: with the addresses for pages over https, if they are known")
    func showsPublicURLs() throws {
        let daemon = try Daemon(upstream: 1, "--public-url", "https://a.example/b?c='&d")
        let page = try daemon.connect().get("/http-bind").body
        #expect(page.contains("<code>https://a.example/b?c=&#39;&amp;d</code>"))
    }

    @Test("H-20: nothing of the request is repeated")
    func repeatsNothing() throws {
        let client = try Daemon(upstream: 1).connect()
        let plain = try client.get("/http-bind").body
        let probe = "<script>probe</script>"
        let page = try client.exchange(
            "GET /http-bind/?\(probe.replacing("<", with: "%3C")) HTTP/1.1\r\nHost: probe.example\r\n"
                + "X-Forwarded-Proto: \(probe)\r\nReferer: \(probe)\r\nUser-Agent: \(probe)\r\n\r\n")
        #expect(page.status == 200)
        #expect(page.body == plain)
        #expect(!page.head.contains("probe"))
    }

    @Test("H-20: the policy allows the style that is there, and nothing else")
    func allowsItsStyle() throws {
        let page = try Daemon(upstream: 1).connect().get("/http-bind")
        let style = try #require(page.body.split(separator: "<style>").dropFirst().first)
            .split(separator: "</style>")[0]
        let policy = try #require(page.field("Content-Security-Policy"))
        #expect(
            policy == "default-src 'none'; style-src 'sha256-\(sha256(String(style)))'; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'")
        #expect(!page.body.contains("style="))
        #expect(!page.body.contains("<script"))
    }

    /// The SHA-256 of a text in base64.
    private func sha256(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        var encoded = [UInt8](repeating: 0, count: 45)
        let count = EVP_EncodeBlock(&encoded, digest, 32)
        return Array(encoded.prefix(Int(count))).text
    }
}
