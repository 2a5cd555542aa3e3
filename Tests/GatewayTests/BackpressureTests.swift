import Glibc
import TestSupport
import Testing

/// Peers that do not read: nothing grows without limit, and nothing is lost.
@Suite struct BackpressureTests {
    @Test("R-16: a server that floods a client which fetches nothing is not read; later everything comes in order")
    func stopsReading() throws {
        let session = try OpenSession()
        let flood = try session.stream.wire.flood(session.daemon) { number in
            Array("<message id='\(number)'>\(String(repeating: "x", count: 1_000))</message>".utf8)
        }
        let sent = flood.begun
        var unsent = flood.unsent
        let read = try session.daemon.statistics().number("upstream.bytes_in")
        #expect(read > 100_000 && read < 1_000_000)
        #expect(try session.daemon.statistics().number("sessions.now") == 1)

        var received = 0
        while received < sent {
            let payload = try session.client.exchange().payload
            for stanza in payload.split(separator: "</message>") {
                #expect(stanza.hasPrefix("<message xmlns='jabber:client' id='\(received)'>"))
                received += 1
            }
            if !unsent.isEmpty { unsent.removeFirst(try session.stream.wire.sendSome(unsent)) }
        }
        #expect(received == sent)
        #expect(try session.daemon.statistics().number("sessions.now") == 1)
    }

    @Test("R-16: a server that floods and closes: everything that was read or not yet read comes first")
    func keepsWhatWasSentBeforeClose() throws {
        let session = try OpenSession()
        let stanza = "<message>\(String(repeating: "x", count: 100_000))</message>"
        for _ in 0..<6 { try session.stream.send(stanza) }
        session.stream.wire.close()
        try session.daemon.settle()
        var received = 0
        while true {
            let answer = try session.client.exchange()
            received += answer.payload.split(separator: "</message>").count
            if answer.isTerminal {
                #expect(answer.condition == "remote-connection-failed")
                break
            }
        }
        #expect(received == 6)
    }

    @Test("R-16: what a server sent before it closed is given also to a client that goes on sending")
    func keepsWhatWasSentBeforeWriteFails() throws {
        let session = try OpenSession()
        let stanza = "<message>\(String(repeating: "x", count: 20_000))</message>"
        let before = try session.daemon.statistics().number("upstream.bytes_in")
        var sent = 0
        // Repeats until the daemon has stopped reading. What is unread then has still arrived: it fits into the
        // daemon's socket.
        repeat {
            try session.stream.send(stanza)
            sent += 1
            try session.daemon.settle()
        } while try session.daemon.statistics().number("upstream.bytes_in") == before + sent * stanza.utf8.count
        session.stream.wire.close()
        try session.daemon.settle()
        // Pause requests fetch nothing. The payload of the first one makes the server's side answer that nobody is
        // there, so the payload of the second one cannot be written.
        for _ in 0..<2 {
            #expect(try session.client.exchange("pause='60'", "<message xmlns='jabber:client'/>").isEmpty)
            try session.daemon.settle()
        }
        var received = 0
        while true {
            let answer = try session.client.exchange()
            received += answer.payload.split(separator: "</message>").count
            if answer.isTerminal {
                #expect(answer.condition == "remote-connection-failed")
                break
            }
        }
        #expect(received == sent)
    }

    @Test("R-16: a close that comes with the poll that lets the server be read again", arguments: [true, false])
    func closeWithThePollThatResumes(isReset: Bool) throws {
        let session = try OpenSession(environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        let stanza = "<message>\(String(repeating: "x", count: 10_000))</message>"
        for _ in 0..<8 { try session.stream.send(stanza) }
        // The daemon finds both events at its next look, the poll's first.
        var request: BOSHRequest?
        try session.daemon.standingStill {
            request = try session.client.send()
            if isReset { try session.stream.wire.reset() } else { session.stream.wire.close() }
        }
        var answer = try #require(try request?.answer())
        var received = answer.payload.split(separator: "</message>").count
        while !answer.isTerminal {
            answer = try session.client.exchange("", "<message xmlns='jabber:client'/>")
            received += answer.payload.split(separator: "</message>").count
        }
        #expect(answer.condition == "remote-connection-failed")
        // A reset destroys what was not read yet.
        #expect(isReset ? received > 0 : received == 8)
    }

    @Test("T-01: a flooding server whose client terminates without fetching is left")
    func leavesFlood() throws {
        let session = try OpenSession()
        let stanza = "<message>\(String(repeating: "x", count: 100_000))</message>"
        for _ in 0..<6 { try session.stream.send(stanza) }
        try session.daemon.settle()
        let answer = try session.client.exchange("type='terminate'")
        #expect(answer.isTerminal)
        try session.stream.wire.drain()
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("R-13: while a server reads nothing its client is answered nothing, and others do not notice")
    func delaysAnswers() throws {
        let session = try OpenSession(receiveBuffer: 4_096)
        let other = try OpenSession(on: session)
        let stanza =
            "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 60_000))</body></message>"
        let (sent, older) = try session.sendUntilHeld(stanza, most: 200)
        let poll = try other.client.send()
        try other.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
        // The stream goes on as soon as the server reads.
        for _ in 0..<sent { #expect(try session.stream.read(until: "</message>") == stanza) }
        #expect(try older.answer().isEmpty)
        try session.daemon.settle()
        #expect(try session.daemon.statistics().number("sessions.now") == 2)
    }

    @Test("T-01: what was taken before a terminate goes to a server that reads slowly")
    func farewellToSlowServer() throws {
        let session = try OpenSession(receiveBuffer: 4_096)
        // When the terminate comes, more than session-buffer waits. That is no reason to drop it.
        let stanza = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 250_000))</body></message>"
        let (sent, _) = try session.sendUntilHeld(stanza, most: 200)
        let leave = "<presence xmlns='jabber:client' type='unavailable'/>"
        #expect(try session.client.exchange("type='terminate'", leave).payload.isEmpty)
        // This pause is longer than a farewell takes with a server that reads. Only a server that accepts nothing for
        // upstream-write-timeout is ended.
        usleep(2_500_000)
        for _ in 0..<sent { #expect(try session.stream.read(until: "</message>") == stanza) }
        #expect(try session.stream.read(until: "</stream:stream>") == leave + "</stream:stream>")
    }

    @Test("T-08: what was taken before SIGTERM goes to a server that reads slowly")
    func shutdownWithSlowServer() throws {
        let session = try OpenSession(receiveBuffer: 4_096)
        let stanza = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 250_000))</body></message>"
        let (sent, _) = try session.sendUntilHeld(stanza, most: 200)
        try session.daemon.wait(until: "upstream.stanzas_out", is: sent)
        session.daemon.send(SIGTERM)
        var expected = Array(String(repeating: stanza, count: sent).utf8)
        // It reads slowly, for longer than a process takes to end when nothing is left to send.
        for _ in 0..<16 {
            #expect(try session.stream.wire.read(count: 8_000) == Array(expected.prefix(8_000)))
            expected.removeFirst(8_000)
            usleep(250_000)
        }
        #expect(try session.stream.wire.read(count: expected.count) == expected)
        #expect(try session.stream.read(until: "</stream:stream>") == "</stream:stream>")
    }

    @Test(
        "upstream-write-timeout: a server that reads nothing ends the session of a client that goes on sending, and no other"
    )
    func boundsUnsent() throws {
        let session = try OpenSession(
            receiveBuffer: 4_096,
            environment: ["HOLDFAST_SESSION_BUFFER": "16384", "HOLDFAST_UPSTREAM_WRITE_TIMEOUT": "2"])
        let other = try OpenSession(on: session)
        let text = String(repeating: "x", count: 200_000)
        var open: [BOSHRequest] = []
        // These are as many as a client may have open; the kernel's buffers take the first ones.
        for _ in 0..<100 {
            open.append(try session.client.send("", "<message xmlns='jabber:client'><body>\(text)</body></message>"))
            try session.daemon.settle()
            try open.removeAll { request in try !request.isHeld }
            if open.count == 2 { break }
        }
        try #require(open.count == 2)
        #expect(try open[0].answer().condition == "remote-connection-failed")
        #expect(try open[1].answer().condition == "remote-connection-failed")
        #expect(try session.daemon.statistics().number("sessions.ended.upstream-stalled") == 1)
        // The bytes for the server are dropped when the server does not take them.
        try session.daemon.wait(until: "upstream.streams_now", is: 1)
        let poll = try other.client.send()
        try other.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
    }

    @Test("B-03: bodies above session-buffer wait for a slow server, and none is lost")
    func withholdsLargeBodies() throws {
        let session = try OpenSession(receiveBuffer: 4_096, environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        let text = String(repeating: "x", count: 250_000)
        var expected: [String] = []
        var open: [BOSHRequest] = []
        for number in 0..<40 {
            let stanza = "<message xmlns='jabber:client' id='\(number)'><body>\(text)</body></message>"
            expected.append(stanza)
            open.append(try session.client.send("", stanza))
            try session.daemon.settle()
            try open.removeAll { request in try !request.isHeld }
            if open.count == 2 { break }
        }
        try #require(open.count == 2)
        // Only one body of the waiting bytes is in front of the kernel. The others are counted as the session's
        // requests.
        #expect(try session.daemon.statistics().number("sessions.now") == 1)
        for stanza in expected { #expect(try session.stream.read(until: "</message>") == stanza) }
        #expect(try open[0].answer().isEmpty)
        let next = try session.client.send("", "<message xmlns='jabber:client' id='last'/>")
        #expect(try session.stream.read(until: "id='last'/>").hasSuffix("id='last'/>"))
        #expect(try open[1].answer().isEmpty)
        #expect(try next.isHeld)
    }

    @Test("R-13: a server that reads late gets everything in order")
    func waitsForSlowServer() throws {
        let session = try OpenSession(receiveBuffer: 4_096)
        let text = String(repeating: "x", count: 60_000)
        var expected = ""
        var requests: [BOSHRequest] = []
        for index in 0..<4 {
            let stanza = "<message xmlns='jabber:client' id='\(index)'><body>\(text)</body></message>"
            expected += stanza
            requests.append(try session.client.send("", stanza))
            try session.daemon.settle()
        }
        #expect(try session.stream.wire.read(count: expected.utf8.count) == Array(expected.utf8))
        for request in requests.dropLast() { #expect(try request.answer().isEmpty) }
    }

    @Test("R-16: a client that reads its answer late gets all of it")
    func waitsForSlowClient() throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        // There are many answers that nobody reads, and then the last one.
        let count = 400
        for _ in 0..<count { try connection.send("GET /http-bind HTTP/1.1\r\nHost: localhost\r\n\r\n") }
        try session.daemon.settle()
        for _ in 0..<count { #expect(try connection.answer().status == 200) }
    }

    @Test("H-12: a client that pipelines for ever and reads nothing does not make the daemon grow")
    func boundsUnreadAnswers() throws {
        let daemon = try Daemon(upstream: 1)
        let connection = try daemon.connect()
        let requests = Array(String(repeating: "GET /http-bind HTTP/1.1\r\nHost: h\r\n\r\n", count: 2_000).utf8)
        var sent = 0
        var refusals = 0
        while refusals < 3, sent < 8_000_000 {
            let count = try connection.wire.sendSome(Array(requests[(sent % requests.count)...]))
            sent += count
            refusals = count == 0 ? refusals + 1 : 0
            try daemon.settle()
        }
        // The kernel holds some megabytes on both sides; the daemon read far less than was offered.
        #expect(refusals == 3)
        #expect(try daemon.residentKilobytes() < 60_000)
        #expect(try daemon.connectToAdmin().get("/healthz").status == 200)
    }
}
