import TestSupport
import Testing

/// The log tells an operator about a wrong setting for a server, with the setting to change, and does not repeat it
/// often.
@Suite struct UpstreamAdviceTests {
    /// Lets two clients try without success, and expects one line with these words.
    private func expectAdvice(
        _ mode: String, _ words: String, act: (ScriptedStream) throws -> Void
    ) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(["--upstream", "127.0.0.1:\(server.port)", "--upstream-tls", mode])
        for _ in 0..<2 {
            let request = try BOSHClient(daemon).create()
            let stream = try server.accept()
            try act(stream)
            _ = try request.httpAnswer()
        }
        let lines = try daemon.errors.split(separator: "\n").filter { $0.contains("setting=upstream-tls") }
        #expect(lines.count == 1)
        let line = lines.first ?? ""
        #expect(line.contains(" warning ") && line.contains("domain=example.org") && line.contains("times=1"))
        #expect(line.contains("upstream=127.0.0.1:\(server.port)") && line.contains(words), "\(line)")
    }

    @Test("upstream-tls none: a server that lets nobody log in without TLS")
    func demandsTLS() throws {
        try expectAdvice("none", "upstream-tls has to be starttls, not none") {
            try $0.open(features: ScriptedStream.startTLSFeatures)
        }
    }

    @Test("upstream-tls starttls: a port of direct TLS, that says so in a record of TLS or just closes")
    func expectsDirectTLS() throws {
        for answer: [UInt8] in [[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46], []] {
            try expectAdvice("starttls", "upstream-tls has to be direct for this port") {
                _ = try $0.readHeader()
                if !answer.isEmpty { try $0.wire.send(answer) }
                $0.wire.close()
            }
        }
    }

    @Test("upstream-tls direct: a port that speaks no TLS before STARTTLS")
    func expectsNoDirectTLS() throws {
        try expectAdvice("direct", "upstream-tls has to be starttls for this port") {
            try $0.send(
                ScriptedStream.header() + "<stream:error><not-well-formed "
                    + "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
        }
    }

    @Test("upstream-tls starttls: a server that offers none")
    func lacksStartTLS() throws {
        try expectAdvice("starttls", "the server has no STARTTLS") { try $0.open() }
    }

    @Test("a limit is named in words: no name of this program's own stands in the log")
    func limits() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(["--upstream", "127.0.0.1:\(server.port)"])
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        try stream.wire.sendUntilCut(Array("<stream:stream a='\(String(repeating: "x", count: 20_000))'>".utf8))
        _ = try request.answer()
        let errors = try daemon.errors
        #expect(errors.contains("detail=\"what the server sent is above the bound on header-size\""))
        #expect(!errors.contains("limit("))
    }

    @Test("max-skipped: a server that goes above the bound is told of with the setting")
    func skipped() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.stream.send("<message>" + String(repeating: "<a>", count: 100_100))
        #expect(try poll.answer().isTerminal)
        let lines = try session.daemon.errors.split(separator: "\n").filter { $0.contains("limit reached") }
        #expect(lines.count { $0.contains(" warning ") && $0.contains("setting=stanza-depth") } == 1)
    }
}
