import TestSupport
import Testing

/// The cost of an attribute or a name that a peer writes depends only on its length, not on its letters. If anything
/// compared it as text, a run of combining marks in the wrong order would cost the square of its length.
@Suite struct PeerTextCostTests {
    /// Text of `count` bytes of UTF-8 that has marks of two classes in the wrong order.
    private static func marks(_ count: Int) -> String {
        "a" + String(repeating: "\u{301}", count: count / 4) + String(repeating: "\u{323}", count: count / 4)
    }

    private static func plain(_ count: Int) -> String {
        String(repeating: "x", count: marks(count).utf8.count)
    }

    private static func creation(_ attribute: String, _ value: String) -> String {
        let to = attribute == "to" ? "" : " to='example.org'"
        return RawClient.post(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'\(to) wait='5' hold='1' ver='1.6' "
                + "xml:lang='en' \(attribute)='\(value)'/>"
                .replacing("xml:lang='en' xml:lang", with: "xml:lang"))
    }

    @Test(
        "login-body: what stands in an attribute costs by its length",
        arguments: ["to", "from", "route", "content", "key", "newkey", "stream", "xml:lang", "other"])
    func attributes(name: String) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port, environment: ["HOLDFAST_ROUTE": "127.0.0.1:\(server.port)"])
        let connection = try daemon.connect()
        func cost(of value: String) throws -> Duration {
            try daemon.processorTime {
                for _ in 0..<4 {
                    let request = Self.creation(name, value)
                    try connection.send(request)
                    try daemon.settle()
                }
            }
        }
        let harmless = try cost(of: Self.plain(48_000))
        let harmful = try cost(of: Self.marks(48_000))
        // The square would cost thousands of times as much.
        #expect(harmful < harmless * 8, "\(name): \(harmful) against \(harmless)")
    }

    @Test("T-06: the name of a stream error costs by its length, and the log has a line of it that is short")
    func streamErrors() throws {
        func cost(of name: String) throws -> Duration {
            let session = try OpenSession()
            let poll = try session.client.send()
            let time = try session.daemon.processorTime {
                try session.stream.send(
                    "<stream:error><\(name) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
                #expect(try poll.answer().payload.contains(name))
            }
            let log = try session.daemon.errors.split(separator: "\n")
            #expect(log.contains { $0.contains("stream error") })
            for line in log { #expect(line.utf8.count < 500) }
            return time
        }
        let harmless = try cost(of: Self.plain(24_000))
        let harmful = try cost(of: Self.marks(24_000))
        #expect(harmful < harmless * 8, "\(harmful) against \(harmless)")
    }
}
