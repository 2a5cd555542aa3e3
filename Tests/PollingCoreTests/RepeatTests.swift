import Bridge
import Testing

@testable import PollingCore

/// Requests that come again, two at a time, or whose connection dies.
@Suite struct RepeatTests {
    @Test("Q-21: the same key and body get the last answer again, and nothing is forwarded")
    func repeatsAnswer() {
        var session = SessionHarness.loggedIn(key: "K9")
        _ = session.request("x", key: "K8", digest: "K9", [.element([0x61])])
        _ = session.stanza("<m/>")
        #expect(session.wait(20) == ["2: <m/>"])
        for number in 3...5 {
            #expect(
                session.request("x", key: "K8", digest: "K9", [.element([0x61])]) == ["\(number) again: <m/>"])
        }
        #expect(session.request("y", key: "K7", digest: "K8", [.element([0x62])]) == ["forward b"])
    }

    @Test("Q-22 hostile case 5: the same key with another body is a wrong key")
    func refusesOtherBody() {
        var session = SessionHarness.loggedIn(key: "K9")
        _ = session.request("", key: "K8", digest: "K9")
        #expect(session.request("other", key: "K8", digest: "K9") == ["3 error -3:0"])
        #expect(session.request("", key: "K7", digest: "K8") == ["4: "])
        #expect(session.request("no key") == ["5 error -3:0"])
    }

    @Test("Q-21 hostile case 14: copies of a request may overtake each other, so all get the answer")
    func answersCopies() {
        var session = SessionHarness.loggedIn(key: "K9")
        #expect(session.request("x", key: "K8", digest: "K9", [.element([0x61])]) == ["forward a"])
        #expect(session.request("x", key: "K8", digest: "K9", [.element([0x61])]) == [])
        _ = session.stanza("<m/>")
        #expect(session.wait(20) == ["2: <m/>", "3: <m/>"])
        for number in 4...7 {
            #expect(
                session.request("y", key: "K7", digest: "K8", [.element([0x62])])
                    == (number == 4 ? ["forward b"] : []))
        }
        #expect(session.request("y", key: "K7", digest: "K8", [.element([0x62])]) == ["4: "])
        #expect(session.abort(6) == ["6: "])
        _ = session.stanza("<n/>")
        #expect(session.wait(20) == ["5: <n/>", "7: <n/>", "8: <n/>"])
        _ = session.request("z", key: "K6", digest: "K7", [.element([0x63])])
        _ = session.request("z", key: "K6", digest: "K7", [.element([0x63])])
        #expect(session(.answerAwaited(PollingExchange(connection: 1, number: 9))) == ["9: ", "10: "])
    }

    @Test("Q-23: the connection dies while the request waits; what comes is for the repeat or the next one")
    func losesConnection() {
        var session = SessionHarness.loggedIn(key: "K9")
        _ = session.request("x", key: "K8", digest: "K9", [.element([0x61])])
        #expect(session.abort(2) == ["2: "])
        #expect(session.stanza("<m/>") == [])
        #expect(session.request("x", key: "K8", digest: "K9", [.element([0x61])]) == [])
        #expect(session.wait(20) == ["3: <m/>"])
        _ = session.request("y", key: "K7", digest: "K8", [.element([0x62])])
        #expect(session.abort(4) == ["4: "])
        _ = session.stanza("<n/>")
        #expect(session.request("", key: "K6", digest: "K7") == ["5: <n/>"])
    }

    @Test("Q-22: without keys only a request that is known to have got no answer is repeated")
    func repeatsWithoutKeys() {
        var session = SessionHarness.loggedIn()
        let items: [PollingInput] = [.element([0x61])]
        #expect(session.request("x", items) == ["forward a"])
        _ = session.wait(500)
        #expect(session.request("x", items) == ["forward a"])
        _ = session.abort(3)
        #expect(session.request("x", items) == [])
        #expect(session.wait(500) == ["4: "])
        #expect(session.request("x", items) == ["forward a"])
    }

    @Test("hostile case 6: repeats are bounded")
    func boundsRepeats() {
        var session = SessionHarness.loggedIn(key: "K9")
        _ = session.request("", key: "K8", digest: "K9")
        for _ in 0..<20 { _ = session.request("", key: "K8", digest: "K9") }
        #expect(session.request("", key: "K8", digest: "K9") == ["23 error -3:0"])
        _ = session.wait(1_000)
        #expect(session.request("", key: "K8", digest: "K9") == ["24 again: "])
    }
}
