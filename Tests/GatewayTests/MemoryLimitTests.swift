import TestSupport
import Testing

/// The memory that peers take is limited, reported, and released again.
@Suite struct MemoryLimitTests {
    /// All of a request but its last byte.
    private static func unfinished(_ count: Int) -> String {
        let request = RawClient.post(String(repeating: " ", count: count))
        return String(request.dropLast())
    }

    @Test("connection-buffer: repeats behind a request that is held take little memory, and all are answered")
    func sharesRepeats() throws {
        let session = try OpenSession(maxWait: 3)
        let daemon = session.daemon
        let poll = session.client.nextBody()
        let first = try session.client.send(text: poll)
        try session.stream.send("<message>\(String(repeating: "x", count: 200_000))</message>")
        let expected = try first.answer()
        let before = try daemon.residentKilobytes()
        // The server does not open the streams of these sessions, so their creation waits.
        let creation = RawClient.post(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='example.org' wait='3' hold='1'/>")
        let connections = try (0..<30).map { _ in
            let connection = try daemon.connect()
            try connection.send(creation + String(repeating: RawClient.post(poll), count: 15))
            return connection
        }
        try daemon.wait(until: "limits.connection-buffer", isAtLeast: 30)
        try daemon.settle()
        #expect(try daemon.residentKilobytes() - before < 12_000, "90 MB in all")
        for connection in connections.prefix(3) {
            #expect(try connection.answer().status == 200)
            for _ in 0..<15 { #expect(try connection.answer().body == expected.text) }
        }
    }

    @Test("memory-limit: the newest bodies are refused, those that were begun end, and memory comes back")
    func boundsBodies() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: ["HOLDFAST_MEMORY_LIMIT": "16 MiB"])
        #expect(try daemon.connect().exchange(RawClient.post(String(repeating: " ", count: 500_000))).status == 200)
        try daemon.settle()
        let before = try daemon.residentKilobytes()
        var connections: [RawClient] = []
        func begin(_ count: Int) throws {
            for _ in 0..<count {
                let connection = try daemon.connect()
                try connection.send(Self.unfinished(500_000))
                connections.append(connection)
            }
            try daemon.settle()
        }
        try begin(20)
        // A turn reads only some of the bodies, and only some of each.
        try daemon.wait(until: "memory.held", isAtLeast: 9_500 * 1_024)
        try daemon.settle()
        let held = try daemon.statistics().number("memory.held") / 1_024
        let growth = try daemon.residentKilobytes() - before
        #expect(held > 9_500)
        #expect(growth * 4 > held * 3 && growth * 4 < held * 5, "\(growth) KiB for \(held) KiB")
        try begin(8)
        #expect(try connections[27].answer().status == 503)
        #expect(try daemon.statistics().number("limits.memory-limit") > 0)
        try connections[0].send(" ")
        #expect(try connections[0].answer().status == 200, "one that was begun ends")
        connections = []
        try daemon.wait(until: "memory.held", is: 0)
        try Patience.wait("the memory is given back") { try daemon.residentKilobytes() - before <= 3_000 }
    }
}
