import Bridge
import Testing

@testable import PollingCore

/// A session from the first request to the end, in order.
@Suite struct PollingSessionTests {
    private static let greeting = SessionHarness.header("id1") + "<stream:features/>"

    @Test("Q-10 Q-26 Q-31: the first request is held until the server has answered, and 20 ms more")
    func opens() {
        var session = SessionHarness()
        #expect(session.request("x", [.header(SessionHarness.target)]) == ["open example.org"])
        #expect(session.wait(100) == [])
        #expect(session.upstream(.opened(SessionHarness.identity, features: Array("<stream:features/>".utf8))) == [])
        #expect(session.wait(19) == [])
        #expect(session.wait(1) == ["1: " + Self.greeting])
    }

    @Test("Q-32: without a version the client gets none, and no features")
    func opensOldClient() {
        var session = SessionHarness()
        let old = PollingOpening(SessionHarness.target.target, hasVersion: false)
        _ = session.request("x", [.header(old)])
        _ = session.upstream(.opened(SessionHarness.identity, features: Array("<stream:features/>".utf8)))
        #expect(session.wait(20) == ["1: " + SessionHarness.header("id1", version: false)])
    }

    @Test("Q-26: a request with XML is held for at most 500 ms, an empty one not at all")
    func holds() {
        var session = SessionHarness.opened()
        #expect(session.request("a", [.element(Array("<a/>".utf8))]) == ["forward <a/>"])
        #expect(session.wait(499) == [])
        #expect(session.wait(1) == ["2: "])
        #expect(session.request("") == ["3: "])
        #expect(session.stanza("<b/>") == [])
        #expect(session.request("") == ["4: <b/>"])
        _ = session.request("c", [.element(Array("<c/>".utf8))])
        #expect(session.stanza("<d/>") == [])
        #expect(session.wait(10) == [])
        #expect(session.stanza("<e/>") == [])
        #expect(session.wait(10) == ["5: <d/><e/>"])
    }

    @Test("Q-35: after the login a header restarts the stream; before, and a second time, it is a fault")
    func restarts() {
        var session = SessionHarness.opened()
        _ = session.upstream(.loggedIn)
        _ = session.stanza("<success/>")
        _ = session.request("")
        #expect(session.request("x", [.header(SessionHarness.target), .element([0x61])]) == ["restart"])
        #expect(session.upstream(.restarted(features: Array("<stream:features/>".utf8))) == ["forward a"])
        #expect(session.wait(20) == ["3: " + SessionHarness.header("abd") + "<stream:features/>"])
        let error = SessionHarness.error("policy-violation")
        #expect(
            session.request("y", [.header(SessionHarness.target)])
                == ["leave", "ended malformed-request", "4: " + error])
        var early = SessionHarness.opened()
        #expect(
            early.request("y", [.header(SessionHarness.target)])
                == ["leave", "ended malformed-request", "2: " + error, "forgotten"])
    }

    @Test("Q-37: the end of the client's stream is answered with the rest, and then nothing is left")
    func ends() {
        var session = SessionHarness.loggedIn()
        _ = session.stanza("<m/>")
        #expect(
            session.request("x", [.element([0x61]), .end, .element([0x62])])
                == ["forward a", "leave", "ended terminated", "2: <m/></stream:stream>"])
        #expect(session.request("") == ["3 error 0:0", "forgotten"])
        var other = SessionHarness.loggedIn()
        _ = other.request("x", [.end])
        #expect(other.wait(10_000) == ["forgotten"])
    }

    @Test("Q-12 Q-14 Q-33: faults are told in the stream, before a stream by the identifier")
    func fails() {
        var session = SessionHarness.loggedIn()
        #expect(
            session.request("x", [.refused(.restrictedXML)])
                == ["leave", "ended malformed-request", "2: " + SessionHarness.error("restricted-xml")])
        var early = SessionHarness()
        #expect(
            early.request("x", [.refused(.notWellFormed)])
                == ["1 error -2:0", "ended malformed-request", "forgotten"])
        var poor = SessionHarness()
        #expect(poor.request("x", [.outOfMemory]) == ["1 error -1:0", "ended out-of-memory", "forgotten"])
        var lost = SessionHarness()
        let nowhere = PollingOpening(.refused(.unknown))
        let lines = lost.request("x", [.header(nowhere)])
        #expect(lines.first == "ended host-unknown" && lines.last == "forgotten")
        #expect(lines[1].hasSuffix(SessionHarness.error("host-unknown")) && lines[1].contains("<stream:stream "))
    }

    @Test("Q-33: the server is gone; the next request learns of it, the one after gets 0:0")
    func losesServer() {
        var session = SessionHarness.loggedIn()
        _ = session.stanza("<m/>")
        #expect(session.upstream(.ended(.upstreamLost, streamError: [])) == ["ended upstream-lost"])
        #expect(session.request("") == ["2: <m/>" + SessionHarness.error("remote-connection-failed")])
        #expect(session.request("") == ["3 error 0:0", "forgotten"])
        var told = SessionHarness.loggedIn()
        _ = told.request("x")
        #expect(
            told.upstream(.ended(.upstreamStreamError, streamError: Array("<stream:error/>".utf8)))
                == ["ended upstream-stream-error", "2: <stream:error/></stream:stream>"])
        var unreached = SessionHarness()
        _ = unreached.request("x", [.header(SessionHarness.target)])
        let lines = unreached.upstream(.ended(.upstreamUnreachable, streamError: []))
        #expect(lines.count == 3 && lines[1].hasSuffix(SessionHarness.error("remote-connection-failed")))
    }

    @Test("T-12 Q-33: a client that broke a rule is told that, and what it had not been sent goes back")
    func returnsWhatAnOffenderMisses() {
        var session = SessionHarness.loggedIn()
        _ = session.stanza("<a/>")
        _ = session.request("")
        _ = session.stanza("<b/>")
        #expect(
            session.request("x", [.element([0x61]), .refused(.restrictedXML)])
                == [
                    "forward a", "return <b/>", "leave", "ended malformed-request",
                    "3: " + SessionHarness.error("restricted-xml"),
                ])
        var draining = SessionHarness.loggedIn()
        _ = draining.stanza("<a/>")
        _ = draining.request("x")
        #expect(
            draining(.shutdownRequested)
                == [
                    "return <a/>", "leave", "ended shutdown", "2: " + SessionHarness.error("system-shutdown"),
                    "forgotten",
                ])
        var counted = SessionHarness.loggedIn()
        _ = counted.upstream(.managed(isResumable: false))
        _ = counted.stanza("<c/>")
        #expect(
            counted.request("x", [.refused(.restrictedXML)])
                == ["leave", "ended malformed-request", "2: <c/>" + SessionHarness.error("restricted-xml")])
    }

    @Test("Q-35: one header after the login restarts the stream, whatever the server answers later")
    func restartsOnce() {
        var session = SessionHarness.loggedIn()
        #expect(session.request("x", [.header(SessionHarness.target)]) == ["restart"])
        _ = session.upstream(.restarted(features: []))
        _ = session.wait(20)
        // The answer to the binding of a resource looks like that to a login without SASL.
        _ = session.upstream(.loggedIn)
        #expect(
            session.request("y", [.header(SessionHarness.target)])
                == ["leave", "ended malformed-request", "3: " + SessionHarness.error("policy-violation")])
    }

    @Test("Q-39: a server whose stanzas nobody fetches is not read")
    func slowsServer() {
        var session = SessionHarness.loggedIn()
        let large = String(repeating: "x", count: 6_000)
        #expect(session.stanza(large) == [])
        #expect(session.stanza(large) == ["pause"])
        // The answer is kept for a repeat, so nothing is read before the next request.
        #expect(session.request("") == ["2: " + large + large])
        #expect(session.request("") == ["resume", "3: "])
    }

    @Test("the login has its time, and may be displaced")
    func limitsLogin() {
        var session = SessionHarness.opened()
        #expect(session.wait(90_000) == ["leave", "ended login-timeout", "forgotten"])
        var displaced = SessionHarness.opened()
        #expect(displaced(.displaced) == ["drop", "ended login-displaced", "forgotten"])
    }

    @Test("an operator ends the session")
    func endedByOperator() {
        var session = SessionHarness.loggedIn()
        #expect(session(.endedByOperator) == ["leave", "ended ended-by-operator"])
        #expect(session.request("") == ["2: " + SessionHarness.error("policy-violation")])
    }

    @Test("the process ends")
    func shutsDown() {
        var session = SessionHarness.loggedIn()
        _ = session.request("x")
        #expect(
            session(.shutdownRequested)
                == ["leave", "ended shutdown", "2: " + SessionHarness.error("system-shutdown"), "forgotten"])
        var idle = SessionHarness.loggedIn()
        _ = idle.stanza("<a/>")
        #expect(idle(.shutdownRequested) == ["return <a/>", "leave", "ended shutdown", "forgotten"])
    }
}
