import BOSHCore
import Effort
import Testing

/// How many stanzas come back to their senders although the client read all of them, when its session ends by silence
/// (`T-12` a). They are at most those in the last `requests` answers, whatever the client does and for however long.
@Suite struct ReturnedAtTheEndTests {
    /// A client that reads each answer at once and keeps a given number of requests open.
    private struct Client {
        var harness: SessionHarness
        var rid = 100
        var open: Set<String> = []
        var sent = 0
        /// The content of each answer, in order.
        var answers: [String] = []
        var returned: [String] = []

        init(hold: Int) {
            harness = SessionHarness(hold: hold)
            // As in the program: no answer with a stanza is kept beyond the last ones.
            harness.policy.extraResponses = 4
            harness.policy.spareBytes = 128
            harness.policy.outboundBound = 10_000
        }

        mutating func send(_ payload: String = "") {
            rid += 1
            open.insert("r\(rid)")
            take(harness.send("r\(rid)", "rid=\(rid) \(payload)"))
        }

        mutating func poll(_ count: Int = 1) {
            while open.count < count { send() }
        }

        mutating func stanza() {
            sent += 1
            take(harness.upstream(Self.stanza(sent)))
        }

        /// Reloads the page: its connections break, and the next page goes on with the next rid.
        mutating func reload() {
            for name in open { take(harness.abort(name)) }
        }

        mutating func fallSilent() { take(harness.jump(.seconds(200))) }

        static func stanza(_ number: Int) -> String { "<message from='peer@example.org/x' id='\(number)'/>" }

        private mutating func take(_ lines: [String]) {
            for line in lines {
                if line.hasPrefix("R: ") { returned = line.split(separator: "<").dropFirst().map { "<\($0)" } }
                guard line.hasPrefix("S: "), let name = line.split(separator: " ").dropFirst().first else { continue }
                open.remove(String(name))
                answers.append(line.firstIndex(of: "<").map { String(line[$0...]) } ?? "")
            }
        }

        /// The stanzas in the last answers.
        func last(_ count: Int) -> [String] { answers.suffix(count).filter { !$0.isEmpty } }
    }

    @Test("T-12 a a pure receiver: the stanzas in the last `requests` answers come back", arguments: [1, 2])
    func receiver(hold: Int) {
        var client = Client(hold: hold)
        for _ in 1...50 {
            client.poll(hold)
            client.stanza()
        }
        client.fallSilent()
        // With more than one request held, each gets an empty answer at the end.
        #expect(client.returned == client.last(hold + 1))
        #expect(client.returned.count == 2)
    }

    @Test("T-12 a a pure receiver that acknowledges: what was answered last comes back")
    func acknowledgingReceiver() {
        var client = Client(hold: 1)
        client.harness = SessionHarness()
        _ = client.harness.send("create", "rid=100 to=example.org ver=1.11 wait=60 hold=1 ack=1")
        _ = client.harness.upstream("open id=s1 version=1.0 <f/>")
        for _ in 1...50 {
            client.poll()
            client.stanza()
        }
        client.fallSilent()
        #expect(client.returned == [Client.stanza(50)])
    }

    @Test("T-12 a a sender: what was answered since it last sent comes back", arguments: [1, 2])
    func sender(hold: Int) {
        var client = Client(hold: hold)
        for _ in 1...50 {
            client.poll(hold)
            client.stanza()
            client.poll(hold)
            client.send("<m/>")
        }
        client.fallSilent()
        #expect(client.returned == [], "it sent last, so all is proven")
        client = Client(hold: hold)
        for _ in 1...50 {
            client.poll(hold)
            client.send("<m/>")
            client.stanza()
        }
        client.fallSilent()
        #expect(client.returned == [Client.stanza(50)])
    }

    @Test("T-12 a libpurple: two connections, a poll only when nothing is open")
    func libpurple() {
        var client = Client(hold: 1)
        var generator = SeededGenerator(seed: 7)
        var most = 0
        for _ in 1...50 {
            for _ in 0..<generator.below(4) {
                client.poll()
                client.stanza()
            }
            client.poll()
            for _ in 0..<generator.below(3) where client.open.count < 2 { client.send("<m/>") }
            var end = client
            end.fallSilent()
            #expect(end.last(2).suffix(end.returned.count) == end.returned[...])
            most = max(most, end.returned.count)
        }
        #expect(most == 1, "it always polls, and the poll is the last answer but one")
    }

    @Test(
        "T-12 a P-13 a page that is loaded again: the stanzas in the last `requests` answers come back",
        arguments: [0, 1, 2])
    func reload(later: Int) {
        var client = Client(hold: 1)
        for _ in 1...50 {
            client.poll()
            client.stanza()
        }
        // This answer is on its way when the page goes, and is lost: it comes back while it can be asked for again.
        client.reload()
        for _ in 0..<later {
            client.poll()
            client.stanza()
        }
        client.fallSilent()
        #expect(client.returned == client.last(2))
        #expect(client.returned.contains(Client.stanza(50)) == (later < 2))
    }
}
