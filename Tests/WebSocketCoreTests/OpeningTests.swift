import Bridge
import Testing

@testable import WebSocketCore

@Suite struct OpeningTests {
    @Test("W-04 the stream to the server is opened by the first message, and its name and features are told")
    func opens() {
        var session = SessionHarness()
        #expect(session.open(account: "u@example.org", language: "de") == ["open example.org for u@example.org in de"])
        #expect(
            session.upstream(
                .opened(
                    StreamIdentity(id: "s&\"1", version: nil),
                    features: Array("<stream:features><a/></stream:features>".utf8)))
                == [
                    SessionHarness.greeting("s&amp;&quot;1", to: "u@example.org", lang: "de"),
                    "send <stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><a/></stream:features>",
                ])
        #expect(session.session.phase == .open)
    }

    @Test("W-04 a server without a name for its stream, and one without features")
    func opensOldServer() {
        var session = SessionHarness()
        _ = session.open()
        #expect(
            session.upstream(.opened(StreamIdentity(id: "", version: nil), features: []))
                == [SessionHarness.greeting("abc")])
    }

    @Test("W-04 a slow server: the client is greeted after 1.5 s, and gets the features when they come")
    func greetsEarly() {
        var session = SessionHarness()
        _ = session.open()
        #expect(session.pass(.milliseconds(1_300)).isEmpty)
        #expect(session.pass(.milliseconds(400)) == [SessionHarness.greeting("abc")])
        #expect(session.pass(.seconds(5)).isEmpty)
        #expect(
            session.upstream(
                .opened(StreamIdentity(id: "s1", version: nil), features: Array("<stream:features/>".utf8)))
                == [SessionHarness.features])
    }

    @Test("W-09 a restart keeps the connection and the domain, and each stream has a name of its own")
    func restarts() {
        var session = SessionHarness.opened()
        #expect(session.open("other.example") == ["restart"])
        #expect(
            session.upstream(.restarted(features: Array("<stream:features/>".utf8)))
                == [SessionHarness.greeting("abd"), SessionHarness.features])
        _ = session.open()
        #expect(session.pass(.seconds(2)) == [SessionHarness.greeting("abe")])
        #expect(session.upstream(.restarted(features: [])) == [])
    }

    @Test("W-09 never two streams at a time")
    func refusesSecondOpen() {
        var session = SessionHarness()
        _ = session.open()
        #expect(
            session.open() == [
                SessionHarness.greeting("abc"), SessionHarness.error("policy-violation"), SessionHarness.goodbye,
                "leave", "close 1000", "ended malformed-request",
            ])
        var other = SessionHarness.opened()
        _ = other.open()
        #expect(other.open().suffix(3) == ["leave", "close 1000", "ended malformed-request"])
    }

    @Test("W-05 a domain that is not served, and none")
    func refusesDomain() {
        var session = SessionHarness()
        #expect(
            session(.open(StreamOpening(.refused(.unknown)))) == [
                SessionHarness.greeting("abc", from: nil), SessionHarness.error("host-unknown"),
                SessionHarness.goodbye, "close 1000", "ended host-unknown",
            ])
        session = SessionHarness()
        #expect(session(.open(StreamOpening(.refused(.unnamed))))[1] == SessionHarness.error("improper-addressing"))
    }

    @Test("W-07 <close/> before <open/> is answered")
    func closesBeforeOpening() {
        var session = SessionHarness()
        #expect(session(.close) == [SessionHarness.goodbye, "close 1000", "ended terminated"])
        #expect(session.open().isEmpty)
    }

    @Test("W-48 a client that does not open its stream in 15 s")
    func timesOut() {
        var session = SessionHarness()
        #expect(session.pass(.seconds(14)).isEmpty)
        #expect(
            session.pass(.seconds(2)) == [
                SessionHarness.greeting("abc", from: nil), SessionHarness.error("connection-timeout"),
                SessionHarness.goodbye, "close 1008", "ended open-timeout",
            ])
    }

    @Test("W-48 a client that does not log in, and one that registers an account")
    func timesOutLogin() {
        var session = SessionHarness.opened(isLoggedIn: false)
        for number in 1...2 {
            #expect(session.pass(.seconds(28)) == ["ping \(number)"])
            session.noteRead()
        }
        #expect(session.pass(.seconds(3)).isEmpty)
        #expect(
            session.pass(.seconds(2)) == [
                SessionHarness.error("connection-timeout"), SessionHarness.goodbye, "leave", "close 1008",
                "ended login-timeout",
            ])
        var other = SessionHarness.opened(isLoggedIn: false)
        _ = other.upstream(.registrationOffered)
        for _ in 0..<9 {
            #expect(!other.pass(.seconds(30)).contains("ended login-timeout"))
            other.noteRead()
        }
        #expect(other.pass(.seconds(31)).last == "ended login-timeout")
    }

    @Test("what comes while no stream is open waits for it, in order and within a bound")
    func keepsEarlyElements() {
        var session = SessionHarness()
        _ = session.open()
        #expect(session.element("<a/>").isEmpty)
        #expect(session.element("<b/>").isEmpty)
        #expect(
            session.upstream(.opened(StreamIdentity(id: "s1", version: nil), features: []))
                == [SessionHarness.greeting(), "forward <a/><b/>"])
        #expect(session.element("<c/>") == ["forward <c/>"])
        _ = session.open()
        #expect(session.element("<d/>").isEmpty)
        #expect(session.upstream(.restarted(features: [])).last == "forward <d/>")

        var other = SessionHarness()
        _ = other.open()
        #expect(other.element(String(repeating: "x", count: 1_000)).isEmpty)
        #expect(other.session.heldBytes.elements >= 1_000)
        #expect(other.element("y").suffix(2) == ["close 1008", "ended malformed-request"])
        #expect(other.session.heldBytes == (0, 0))
    }

    @Test("an operator ends the session")
    func isEndedByOperator() {
        var session = SessionHarness.opened()
        #expect(
            session(.endedByOperator) == [
                SessionHarness.error("policy-violation"), SessionHarness.goodbye, "leave", "close 1008",
                "ended ended-by-operator",
            ])
    }
}
