import TestSupport
import Testing

/// Peers that do not read, and the limits on what is kept for them.
@Suite struct UpstreamFloodTests {
    private static let buffer = 65_536
    private static let environment = ["HOLDFAST_SESSION_BUFFER": "\(buffer)"]
    /// How many bytes one read takes at most.
    private static let read = 65_536
    private static let stanza = 4_000

    /// Sends numbered stanzas until the daemon takes no more.
    private func flood(
        _ stream: ScriptedStream, _ daemon: Daemon, from first: Int = 0
    ) throws -> ByteStream.Flood {
        try stream.wire.flood(daemon, from: first) { number in
            Array("<message id='\(number)'>\(String(repeating: "x", count: Self.stanza))</message>".utf8)
        }
    }

    @Test("R-16: of a server that floods, no more is taken in than session-buffer and a read; nothing is lost")
    func server() throws {
        let session = try OpenSession(environment: Self.environment)
        let before = try session.daemon.statistics().number("upstream.bytes_in")
        let memory = try session.daemon.residentKilobytes()
        let flood = try flood(session.stream, session.daemon)
        let begun = flood.begun
        var unsent = flood.unsent
        let taken = try session.daemon.statistics().number("upstream.bytes_in")
        #expect(taken - before <= Self.buffer + 2 * Self.read)
        #expect(taken - before >= Self.buffer / 2)
        // All that the server could send is in the kernel's buffers on both sides, some megabytes.
        #expect(begun * Self.stanza < 64_000_000)
        #expect(try session.daemon.residentKilobytes() - memory < 2_000)

        // The stream goes on as the client fetches, never with more at a time; then the rest comes, in order.
        let text = String(repeating: "x", count: Self.stanza)
        let expected = (0..<begun).map { Array("<message xmlns='jabber:client' id='\($0)'>\(text)</message>".utf8) }
        let size = expected.reduce(0) { $0 + $1.count }
        var received: [UInt8] = []
        while received.count < size {
            let answer = try session.client.exchange()
            #expect(answer.payload.utf8.count <= 2 * (Self.buffer + 2 * Self.read))
            try #require(!answer.payload.isEmpty)
            received += Array(answer.payload.utf8)
            if !unsent.isEmpty { unsent.removeFirst(try session.stream.wire.sendSome(unsent)) }
        }
        // Compared outside the expectation, which would print all the bytes.
        let isWhole = received == Array(expected.joined())
        #expect(isWhole)
        #expect(try session.daemon.residentKilobytes() - memory < 4_000)
        try session.stream.send("<message id='last'/>")
        #expect(try session.client.exchange().payload == "<message xmlns='jabber:client' id='last'/>")
    }

    @Test("R-16: many servers that flood take so much each, and no more")
    func manyServers() throws {
        let count = 40
        let first = try OpenSession(receiveBuffer: 65_536, environment: Self.environment)
        let sessions = try [first] + (1..<count).map { _ in try OpenSession(on: first) }
        let memory = try first.daemon.residentKilobytes()
        for session in sessions { _ = try flood(session.stream, first.daemon) }
        let grown = try first.daemon.residentKilobytes() - memory
        #expect(grown * 1_024 < count * 2 * (Self.buffer + 2 * Self.read))
        let taken = try first.daemon.statistics().number("upstream.bytes_in")
        #expect(taken < count * (Self.buffer + 2 * Self.read + 1_000))
        #expect(taken > count * Self.buffer / 2)
        // All sessions end without having fetched anything, and their stanzas are dropped with them.
        for session in sessions { #expect(try session.client.exchange("type='terminate'").isTerminal) }
        try first.daemon.wait(until: "sessions.now", is: 0)
    }

    @Test("R-13: for a server that reads nothing no more is taken from its client than session-buffer and a request")
    func client() throws {
        let session = try OpenSession(receiveBuffer: 4_096, environment: Self.environment)
        let memory = try session.daemon.residentKilobytes()
        let stanza = "<message xmlns='jabber:client'>\(String(repeating: "x", count: 30_000))</message>"
        let (sent, older) = try session.sendUntilHeld(stanza, most: 500)
        let daemon = session.daemon
        let accepted = sent * stanza.utf8.count
        let written = try daemon.statistics().number("upstream.bytes_out")
        // The daemon keeps what it has accepted and not written: up to the limit, plus the requests that the client may
        // have open.
        #expect(accepted - written <= Self.buffer + 2 * stanza.utf8.count)
        #expect(try daemon.residentKilobytes() - memory < 2_000)
        // At last the server reads: everything comes, in order, and the client gets its answers.
        for _ in 0..<sent { #expect(try session.stream.read(until: "</message>") == stanza) }
        #expect(try older.answer().isEmpty)
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload.contains("id='m1'"))
    }

    @Test("R-13: a server that reads nothing ends its session after upstream-write-timeout, and nothing is kept")
    func writeTimeout() throws {
        let environment = Self.environment.merging(["HOLDFAST_UPSTREAM_WRITE_TIMEOUT": "1"]) { $1 }
        let session = try OpenSession(receiveBuffer: 4_096, environment: environment)
        let stanza = "<message xmlns='jabber:client'>\(String(repeating: "x", count: 30_000))</message>"
        var open: [BOSHRequest] = []
        var answer: BOSHBody?
        for _ in 0..<500 where answer == nil {
            open.append(try session.client.send("", stanza))
            try session.daemon.settle()
            guard open.count > 1 else { continue }
            // The answers are empty as long as the server takes the bytes. The end comes when it has taken nothing for
            // too long.
            let oldest = try open.removeFirst().answer()
            if oldest.isTerminal { answer = oldest }
        }
        #expect(answer?.condition == "remote-connection-failed")
        #expect(try open.first?.answer().condition == "remote-connection-failed")
        try session.daemon.wait(until: "sessions.ended.upstream-stalled", is: 1)
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
        #expect(try session.daemon.statistics().number("failures.stalled", ofSite: "example.org") == 1)
    }
}
