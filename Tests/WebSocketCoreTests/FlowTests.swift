import Bridge
import Testing

@testable import WebSocketCore

/// Pings, the proof of receipt, and back-pressure.
@Suite struct FlowTests {
    @Test("W-36 a ping goes out when nothing was sent for a while, and never with the interval 0")
    func pings() {
        var session = SessionHarness.opened()
        #expect(session.pass(.seconds(24)).isEmpty)
        #expect(session.pass(.seconds(2)) == ["ping 1"])
        session.noteRead()
        #expect(session.pass(.seconds(26)) == ["ping 2"])
        var policy = SessionHarness.policy
        policy.pingInterval = .zero
        var silent = SessionHarness(policy: policy)
        _ = silent.open()
        _ = silent.upstream(.opened(StreamIdentity(id: "s1", version: nil), features: []))
        _ = silent.upstream(.loggedIn)
        #expect(silent.pass(.seconds(100_000)).isEmpty)
    }

    @Test("W-37 a client from which nothing comes although it was sent a ping is gone")
    func noticesSilence() {
        var session = SessionHarness.opened()
        #expect(session.pass(.seconds(44)) == ["ping 1"])
        #expect(session.pass(.seconds(2)) == ["leave", "abandon", "ended client-silent"])
        // Any byte is a sign of life.
        var living = SessionHarness.opened()
        _ = living.pass(.seconds(44))
        living.noteRead()
        #expect(living.pass(.seconds(24)) == ["ping 2"])
    }

    @Test("W-37 a client has its time from the ping on, however long it was silent before")
    func givesTimeAfterPing() {
        var session = SessionHarness.opened()
        _ = session.upstream(.managed(isResumable: true))
        for _ in 0..<20 {
            session.wait(.seconds(20))
            _ = session.stanzas("<a/>")
        }
        #expect(session.pass(.seconds(44)) == ["ping 1"])
        #expect(session.pass(.seconds(2)) == ["drop", "abandon", "ended client-silent"])
    }

    @Test("W-47 a client that is not read is not called silent")
    func sparesUnread() {
        var session = SessionHarness.opened()
        _ = session.upstream(.congested(.full))
        #expect(!session.session.mayRead)
        #expect(!session.pass(.seconds(600)).contains("ended client-silent"))
        _ = session.upstream(.congested(.none))
        #expect(session.session.mayRead)
        // What it has said meanwhile has not been read yet.
        #expect(session.pass(.seconds(44)).allSatisfy { $0.hasPrefix("ping ") })
        #expect(session.pass(.seconds(2)).contains("ended client-silent"))
    }

    @Test("R-16 each element of the server is a message")
    func delivers() {
        var session = SessionHarness.opened(isLoggedIn: false)
        #expect(session.stanzas("<a/>", "<bb/>", "<c/>") == ["deliver <a/> | <bb/> | <c/>"])
    }

    @Test("W-38 what no answered ping proves goes back to its senders")
    func returnsUnproven() {
        var session = SessionHarness.opened()
        #expect(session.stanzas("<a/>") == ["deliver <a/>", "ping 1"])
        // At most one such ping in two seconds.
        #expect(session.stanzas("<b/>") == ["deliver <b/>"])
        #expect(session(.pong(1)).isEmpty)
        var lost = session
        #expect(lost(.lost(.clientLost)) == ["return <b/>", "leave", "abandon", "ended client-lost"])
        session.noteRead()
        #expect(session.pass(.milliseconds(2_200)) == ["ping 2"])
        #expect(session.stanzas("<c/>") == ["deliver <c/>"])
        #expect(session(.pong(2)).isEmpty)
        #expect(session(.close) == [SessionHarness.goodbye, "return <c/>", "leave", "close 1000", "ended terminated"])
    }

    @Test("W-38 an answer proves all before it; numbers that were not sent prove nothing")
    func judgesNumbers() {
        var session = SessionHarness.opened()
        _ = session.stanzas("<a/>")
        session.wait(.seconds(3))
        _ = session.stanzas("<b/>")
        session.wait(.seconds(3))
        #expect(session.stanzas("<c/>") == ["deliver <c/>", "ping 3"])
        for number: UInt32 in [0, 4, 1_000, .max] { #expect(session(.pong(number)).isEmpty) }
        #expect(session.session.proof.unproven == SessionHarness.bytes("<a/><b/><c/>"))
        #expect(session.session.awaits(pong: 1) && session.session.awaits(pong: 3) && !session.session.awaits(pong: 4))
        _ = session(.pong(2))
        #expect(session.session.proof.unproven == SessionHarness.bytes("<c/>"))
        #expect(!session.session.awaits(pong: 2) && session.session.awaits(pong: 3))
        _ = session(.pong(1))
        _ = session(.pong(3))
        #expect(session.session.heldBytes.stanzas == 0)
    }

    @Test("W-12, W-50 a server that counts stanzas returns them itself")
    func leavesToServer() {
        var session = SessionHarness.opened()
        _ = session.stanzas("<a/>")
        _ = session.upstream(.managed(isResumable: false))
        #expect(session.stanzas("<b/>") == ["deliver <b/>"])
        #expect(session(.lost(.clientLost)) == ["leave", "abandon", "ended client-lost"])
    }

    @Test("before login nothing goes back")
    func returnsNothingBeforeLogin() {
        var session = SessionHarness.opened(isLoggedIn: false)
        #expect(session.stanzas("<a/>") == ["deliver <a/>"])
        #expect(session(.lost(.clientLost)) == ["leave", "abandon", "ended client-lost"])
    }

    @Test("W-47 the server is not read while too much waits for the client, and is read again at half of it")
    func pausesServer() {
        var session = SessionHarness.opened()
        _ = session.upstream(.managed(isResumable: true))
        #expect(session.unsent(1_000).isEmpty)
        #expect(session.unsent(1_001) == ["pause"])
        #expect(session.unsent(501).isEmpty)
        #expect(session.unsent(500) == ["resume"])
    }

    @Test("W-47 unproven stanzas are bounded too")
    func pausesForProof() {
        var session = SessionHarness.opened()
        let large = String(repeating: "x", count: 700)
        #expect(session.stanzas(large) == ["deliver \(large)", "ping 1"])
        #expect(session.stanzas(large) == ["deliver \(large)", "pause"])
        // So much is not left to the next ping in two seconds.
        #expect(session(.pong(1)) == ["ping 2"])
        #expect(session(.pong(2)) == ["resume"])
    }
}
