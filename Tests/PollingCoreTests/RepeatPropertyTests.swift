import Bridge
import Effort
import Testing

@testable import PollingCore

/// Random networks and enemies: whatever happens, each request of the client is forwarded once, and each stanza of the
/// server reaches the client once and in order.
@Suite struct RepeatPropertyTests {
    @Test("Q-21: never forwards twice, never loses an answer", arguments: 0..<UInt64(Effort.cases(300)))
    func exactlyOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var session = SessionHarness.loggedIn(key: "K0")
        var forwarded: [String] = []
        var received = ""
        var sent = ""
        var exchange: UInt64 = 1

        func note(_ lines: [String]) {
            for line in lines where line.hasPrefix("forward ") { forwarded.append(String(line.dropFirst(8))) }
        }

        for number in 1...40 {
            let body = random.oneIn(3) ? "" : "<\(number)/>"
            let (key, digest) = (PeerText("K\(number)"), PeerText("K\(number - 1)"))
            var isAnswered = false
            while !isAnswered {
                if random.oneIn(3) {
                    // An enemy who knows the identifier, and perhaps an old key.
                    let stolen = PeerText("K\(max(number - 2, 0))")
                    let hash = PeerText("hash of \(number)")
                    let lines = session.request("evil", key: stolen, digest: hash, [.element([0x65])])
                    exchange += 1
                    #expect(lines == ["\(exchange) error -3:0"], "seed \(seed)")
                    _ = session.wait(1_001)
                }
                exchange += 1
                var lines = session.request(
                    "\(number)" + body, key: key, digest: digest,
                    body.isEmpty ? [] : [.element(Array(body.utf8))])
                let isBroken = random.oneIn(4)
                if isBroken, random.oneIn(2) { lines += session.abort(exchange) }
                for _ in 0..<random.below(3) {
                    let stanza = "[\(sent.count)]"
                    sent += stanza
                    lines += session.stanza(stanza)
                }
                lines += session.wait(random.below(700))
                if random.oneIn(2) { lines += session.wait(600) }
                note(lines)
                // An answer is lost on its way now and then.
                guard !isBroken else { continue }
                for prefix in ["\(exchange): ", "\(exchange) again: "] {
                    for line in lines where line.hasPrefix(prefix) {
                        received += line.dropFirst(prefix.count)
                        isAnswered = true
                    }
                }
                _ = session.wait(100)
            }
            if !body.isEmpty { #expect(forwarded.last == body, "seed \(seed)") }
        }
        _ = session.wait(600)
        exchange += 1
        let last = session.request("last", key: "K41", digest: "K40")
        for line in last + session.wait(600) where line.hasPrefix("\(exchange): ") {
            received += line.dropFirst("\(exchange): ".count)
        }
        #expect(Set(forwarded).count == forwarded.count, "seed \(seed)")
        #expect(received == sent, "seed \(seed)")
    }
}
