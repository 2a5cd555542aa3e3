import CLinux
import TestSupport
import Testing

/// Clients that send no more: complete requests are served, and answered if the client still reads (RFC 9112 §9.6).
@Suite struct HalfCloseTests {
    private static let message = "<message xmlns='jabber:client' id='m1'/>"
    /// The numbers of requests after a held one: with the first some wait in this program, with the second some in the
    /// kernel.
    private static let counts = [20, 2_000]
    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }

    /// A held poll, then more requests than may be open, and then a message.
    private func flood(_ session: OpenSession, _ path: String = "/nowhere", count: Int) -> String {
        let poll = RawClient.post(session.client.nextBody())
        let last = RawClient.post(session.client.nextBody("", Self.message))
        return poll + String(repeating: Self.get(path), count: count) + last
    }

    @Test("H-27: what stands behind sixteen open requests, read or not, is served and answered", arguments: counts)
    func servesBehindHeld(count: Int) throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        try client.send(flood(session, count: count))
        try session.daemon.settle()
        #expect(try client.wire.isSilent)
        try client.wire.shutdownWrite()
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        for _ in 0..<count { #expect(try client.answer().status == 404) }
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        #expect(try client.wire.readToEnd() == "")
        #expect(try session.stream.read(until: "/>") == Self.message)
    }

    @Test("H-27: polls of many sessions on one connection, more than may be open, are all answered")
    func servesManySessions() throws {
        let first = try OpenSession()
        let sessions = try [first] + (0..<17).map { _ in try OpenSession(on: first) }
        let client = try first.daemon.connect()
        let polls = sessions.map { RawClient.post($0.client.nextBody()) }.joined()
        try client.send(polls + RawClient.post(sessions[1].client.nextBody("", Self.message)))
        try first.daemon.settle()
        try client.wire.shutdownWrite()
        for _ in 0..<19 { #expect(try BOSHBody(try client.answer().body).isEmpty) }
        #expect(try client.wire.readToEnd() == "")
        #expect(try sessions[1].stream.read(until: "/>") == Self.message)
    }

    @Test("H-27: a client that has gone is heard to its end", arguments: counts)
    func hearsThoseThatLeft(count: Int) throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        try client.send(flood(session, count: count))
        try session.daemon.settle()
        try client.wire.reset()
        #expect(try session.stream.read(until: "/>") == Self.message)
        // No stanza is used up for it (`P-13`).
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        try session.stream.send("<message id='n1'/>")
        #expect(try session.client.exchange().payload.contains("id='n1'"))
        // The session's client, `settle` and the connection that asks have one each.
        try session.daemon.wait(until: "http.connections_now", is: 3)
    }

    @Test("H-27: no answer is cut short because the client has closed its side")
    func writesAllAnswers() throws {
        let session = try OpenSession()
        let client = RawClient(try ByteStream(port: session.daemon.port, receiveBuffer: 4_096), of: session.daemon)
        let count = 3_000
        try client.send(flood(session, "/http-bind", count: count))
        try client.wire.shutdownWrite()
        for _ in 0..<10 { try session.daemon.settle() }
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        for _ in 0..<count { #expect(try client.answer().status == 200) }
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-27 send-timeout: a client that reads no answers is heard all the same", arguments: ["TCP", "Unix"])
    func hearsThoseThatDoNotRead(kind: String) throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let listening = ["--listen", "127.0.0.1:0", "--listen", "unix:\(path)"]
        let session = try OpenSession(flags: listening, environment: ["HOLDFAST_SEND_TIMEOUT": "1"])
        let wire =
            try kind == "Unix"
            ? ByteStream(path: path) : ByteStream(port: session.daemon.port, receiveBuffer: 4_096)
        let client = RawClient(wire, of: session.daemon)
        let poll = RawClient.post(session.client.nextBody())
        let message = RawClient.post(session.client.nextBody("", Self.message))
        try client.send(String(repeating: Self.get("/http-bind"), count: 3_000) + poll + message)
        #expect(try session.stream.read(until: "/>") == Self.message)
        try session.daemon.settle()
        try session.stream.send("<message id='n1'/>")
        #expect(try session.client.exchange().payload.contains("id='n1'"))
    }

    @Test("H-27: a connection whose end is known costs nothing while its client reads slowly")
    func doesNotSpin() throws {
        let session = try OpenSession()
        let client = RawClient(try ByteStream(port: session.daemon.port, receiveBuffer: 4_096), of: session.daemon)
        try client.send(String(repeating: Self.get("/http-bind"), count: 3_000))
        try client.wire.shutdownWrite()
        for _ in 0..<10 { try session.daemon.settle() }
        let taken = try session.daemon.processorTime { Patience.pause(milliseconds: 300) }
        #expect(taken < .milliseconds(100))
        for _ in 0..<3_000 { #expect(try client.answer().status == 200) }
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("T-08: what came whole before the signal is served before the sessions end")
    func servesBeforeShutdown() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        #expect(try client.get("/http-bind").status == 200)
        // The loop handles the signal first.
        try session.daemon.standingStill {
            session.daemon.send(SIGTERM)
            try client.send(RawClient.post(session.client.nextBody("", Self.message)))
        }
        #expect(try session.stream.wire.readToEnd() == Self.message + "</stream:stream>")
        #expect(try BOSHBody(try client.answer().body).condition == "system-shutdown")
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("T-08: what stands behind sixteen open requests at the signal, read or not, is answered", arguments: counts)
    func answersBehindHeldAtShutdown(count: Int) throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        try client.send(flood(session, count: count))
        try session.daemon.settle()
        session.daemon.send(SIGTERM)
        #expect(try BOSHBody(try client.answer().body).condition == "system-shutdown")
        for _ in 0..<count { #expect(try client.answer().status == 404) }
        let last = try client.answer()
        #expect(try BOSHBody(last.body).condition == "system-shutdown")
        #expect(last.field("Connection") == "close")
        #expect(try client.wire.readToEnd() == "")
        #expect(try session.daemon.waitUntilEnded() == .code(0))
    }
}
