import TestSupport
import Testing

/// Health and statistics.
@Suite struct AdminTests {
    @Test("admin: what is served there, and what not")
    func servesPaths() throws {
        let admin = try Daemon(upstream: 1).connectToAdmin()
        #expect(try admin.get("/healthz").body == "ok\n")
        #expect(try admin.get("/readyz").body == "ready\n")
        #expect(try admin.get("//healthz/").body == "ok\n")
        #expect(try admin.get("/http-bind").status == 404)
        #expect(try admin.get("/nothing").status == 404)
        let statistics = try admin.get("/stats")
        #expect(statistics.status == 200)
        #expect(statistics.field("Content-Type") == "application/json")
        #expect(statistics.field("Access-Control-Allow-Origin") == nil)
        let posted = try admin.exchange("POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        #expect(posted.status == 405)
        #expect(posted.field("Allow") == "GET, HEAD")
        try admin.send("HEAD /stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try admin.answer(toHead: true).status == 200)
        #expect(try admin.get("/healthz").status == 200)
    }

    @Test("admin: it can be off")
    func canBeOff() throws {
        let daemon = try Daemon(upstream: 1, "--admin", "off")
        #expect(daemon.adminPort == 0)
        #expect(try daemon.connect().get("/http-bind").status == 200)
        #expect(try daemon.connect().get("/stats").status == 404)
    }

    @Test("admin: a body is refused without being read")
    func refusesBody() throws {
        let admin = try Daemon(upstream: 1).connectToAdmin()
        #expect(
            try admin.exchange("POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n").status
                == 413)
    }

    @Test("admin: numbers move with what happens")
    func counts() throws {
        let session = try OpenSession()
        let daemon = session.daemon
        let before = try daemon.statistics()
        #expect(try before.number("schema") == 1)
        #expect(try before.number("sessions.now") == 1)
        #expect(try before.number("sessions.ever") == 1)
        #expect(try before.number("sessions.held_requests") == 0)
        #expect(try before.number("sessions.opening") == 0)
        #expect(try before.number("upstream.streams_now") == 1)
        #expect(try before.number("upstream.connects") == 1)
        #expect(try before.number("upstream.stanzas_in") == 0)

        let poll = try session.client.send("", "<message/><presence/>")
        _ = try session.stream.read(until: "<presence")
        #expect(try daemon.statistics().number("sessions.held_requests") == 1)
        try session.stream.send("<message/><message/><message/>")
        let answer = try poll.answer()
        let after = try daemon.statistics()
        #expect(try after.number("sessions.held_requests") == 0)
        #expect(try after.number("upstream.stanzas_out") == 2)
        #expect(try after.number("upstream.stanzas_in") == 3)
        let came = try after.number("upstream.bytes_in") - before.number("upstream.bytes_in")
        #expect(came == "<message/><message/><message/>".utf8.count)
        #expect(try after.number("http.bytes_out") - before.number("http.bytes_out") > answer.text.utf8.count)

        #expect(try session.client.send(text: "<body/>").answer().isTerminal)
        #expect(try BOSHClient(daemon).send("to='example.com'").answer().isTerminal)
        let unknown = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='x'/>"
        #expect(try session.client.send(text: unknown).answer().isTerminal)
        _ = try daemon.connect().exchange("nonsense\r\n\r\n")
        _ = try session.client.exchange("type='terminate'")
        session.stream.wire.close()
        try daemon.wait(until: "upstream.streams_now", is: 0)
        let end = try daemon.statistics()
        #expect(try end.number("sessions.refused.host-unknown") == 1)
        #expect(try end.number("sessions.unknown_sid") == 1)
        #expect(try end.number("sessions.ended.terminated") == 1)
        #expect(try end.number("sessions.now") == 0)
        #expect(try end.number("sessions.ever") == 1)
        #expect(try end.number("http.requests_refused") == 1)
    }

    @Test("admin: connections that end are no longer counted as open")
    func countsConnections() throws {
        let daemon = try Daemon(upstream: 1)
        let connections = try (0..<10).map { _ in try daemon.connect() }
        // The connection that asks is one of them.
        try daemon.wait(until: "http.connections_now", is: 11)
        for connection in connections { connection.wire.close() }
        try daemon.wait(until: "http.connections_now", is: 1)
    }

    @Test("admin: a session that is being opened is counted as such")
    func countsOpening() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        #expect(try daemon.statistics().number("sessions.opening") == 1)
        try stream.send(ScriptedStream.header() + ScriptedStream.features)
        _ = try request.answer()
        #expect(try daemon.statistics().number("sessions.opening") == 0)
    }

    @Test("log: a session's end is one line that does not tell its sid")
    func logsEnd() throws {
        let session = try OpenSession()
        _ = try session.client.exchange("type='terminate'", "<message id='secret'/>")
        try session.daemon.wait(until: "sessions.ended.terminated", is: 1)
        let log = try session.daemon.errors
        let lines = log.split(separator: "\n").filter { $0.contains("session ended") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("reason=terminated") == true)
        #expect(!log.contains(session.client.sid))
        #expect(!log.contains("secret"))
    }
}
