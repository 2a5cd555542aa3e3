import Bridge
import Testing

@testable import WebSocketCore

/// Who ends a session, and what both sides are told (W-50).
@Suite struct EndTests {
    /// A session with XEP-0198 that its server would keep.
    private static func resumable() -> SessionHarness {
        var session = SessionHarness.opened()
        _ = session.upstream(.managed(isResumable: true))
        return session
    }

    @Test("W-07 the client says goodbye: it is answered, and the server's stream closed")
    func clientCloses() {
        var session = SessionHarness.opened()
        #expect(session(.close) == [SessionHarness.goodbye, "leave", "close 1000", "ended terminated"])
        var resumable = Self.resumable()
        #expect(resumable(.close) == [SessionHarness.goodbye, "leave", "close 1000", "ended terminated"])
    }

    @Test("W-50 the client is gone without a goodbye: only a stream that can be resumed is dropped")
    func clientIsLost() {
        var session = SessionHarness.opened()
        #expect(session(.lost(.clientLost)) == ["leave", "abandon", "ended client-lost"])
        var resumable = Self.resumable()
        #expect(resumable(.lost(.clientLost)) == ["drop", "abandon", "ended client-lost"])
        var closed = Self.resumable()
        #expect(closed(.socketClosed) == ["drop", "close as asked", "ended client-lost"])
        var counted = SessionHarness.opened()
        _ = counted.upstream(.managed(isResumable: false))
        #expect(counted(.socketClosed) == ["leave", "close as asked", "ended client-lost"])
    }

    @Test("W-45 a fault of the client is a clean end, though its stream could be resumed")
    func clientFails() {
        let inputs: [(WebSocketInput, String, [String])] = [
            (.refused(.notWellFormed), "1000", [SessionHarness.error("not-well-formed"), SessionHarness.goodbye]),
            (.refused(.invalidNamespace), "1000", [SessionHarness.error("invalid-namespace"), SessionHarness.goodbye]),
            (.tooLarge, "1009", [SessionHarness.error("policy-violation"), SessionHarness.goodbye]),
            (.frameFault(.unsupportedData), "1003", []), (.frameFault(.invalidData), "1007", []),
            (.outOfMemory, "1008", [SessionHarness.error("resource-constraint"), SessionHarness.goodbye]),
        ]
        for (input, code, said) in inputs {
            var session = Self.resumable()
            let lines = session(input)
            #expect(lines.dropLast() == said + ["leave", "close \(code)"])
            #expect(lines.last?.hasPrefix("ended ") == true)
        }
    }

    @Test("W-06 a stream error of the server reaches the client whole")
    func serverFails() {
        var session = SessionHarness.opened()
        #expect(
            session.upstream(
                .ended(
                    .upstreamStreamError, streamError: Array("<stream:error><conflict xmlns='x'/></stream:error>".utf8))
            )
                == [
                    "send <stream:error xmlns:stream=\"http://etherx.jabber.org/streams\"><conflict xmlns='x'/></stream:error>",
                    SessionHarness.goodbye, "close 1000", "ended upstream-stream-error",
                ])
        var opening = SessionHarness()
        _ = opening.open()
        let lines = opening.upstream(.ended(.upstreamStreamError, streamError: Array("<stream:error/>".utf8)))
        #expect(lines.first == SessionHarness.greeting("abc") && lines.count == 5)
    }

    @Test("W-53 the server is lost: no goodbye, so that the client comes back")
    func serverIsLost() {
        var session = SessionHarness.opened()
        #expect(
            session.upstream(.ended(.upstreamLost, streamError: [])) == ["close 1012", "ended upstream-lost"])
        var restarting = SessionHarness.opened()
        _ = restarting.open()
        #expect(
            restarting.upstream(.ended(.upstreamStalled, streamError: [])) == ["close 1012", "ended upstream-stalled"])
    }

    @Test(
        "W-52 the server cannot be reached: <close/> comes first, never a closed socket alone",
        arguments: [
            EndReason.upstreamUnreachable, .upstreamUnresolved, .upstreamSpared, .upstreamShortage, .upstreamTLS,
            .upstreamNoStartTLS, .upstreamTimeout, .upstreamMalformed, .upstreamClosed, .upstreamLost,
        ])
    func serverIsNotReached(reason: EndReason) {
        var session = SessionHarness()
        _ = session.open()
        #expect(
            session.upstream(.ended(reason, streamError: []))
                == [SessionHarness.goodbye, "close 1013", "ended \(reason.rawValue)"])
        var greeted = SessionHarness()
        _ = greeted.open()
        _ = greeted.pass(.seconds(2))
        #expect(
            greeted.upstream(.ended(reason, streamError: [])) == ["close 1013", "ended \(reason.rawValue)"])
    }

    @Test("W-05 a domain that leads to a forbidden address is unknown")
    func serverIsForbidden() {
        var session = SessionHarness()
        _ = session.open()
        #expect(
            session.upstream(.ended(.upstreamForbidden, streamError: [])).contains(SessionHarness.error("host-unknown"))
        )
    }

    @Test("W-55 the process ends: who can resume is told to come back, the others that the stream is closed")
    func shutsDown() {
        var session = SessionHarness.opened()
        #expect(
            session(.shutdownRequested) == [
                SessionHarness.error("system-shutdown"), SessionHarness.goodbye, "leave", "close 1001",
                "ended shutdown",
            ])
        var resumable = Self.resumable()
        #expect(resumable(.shutdownRequested) == ["drop", "close 1012", "ended shutdown"])
        var waiting = SessionHarness()
        #expect(waiting(.shutdownRequested) == [SessionHarness.goodbye, "close 1001", "ended shutdown"])
        var opening = SessionHarness()
        _ = opening.open()
        #expect(opening(.shutdownRequested) == [SessionHarness.goodbye, "leave", "close 1001", "ended shutdown"])
    }

    @Test("nothing follows the end")
    func isOver() {
        var session = SessionHarness.opened()
        _ = session(.close)
        #expect(session.element("<a/>").isEmpty && session.stanzas("<b/>").isEmpty && session(.pong(1)).isEmpty)
        #expect(session(.close).isEmpty && session.unsent(100_000).isEmpty)
        #expect(session.session.nextDeadline(by: SessionHarness.policy) == nil)
    }
}
