import TestSupport
import Testing

/// Stanzas that a client never fetched go back to their senders (XEP-0206 §7).
@Suite struct ReturnTests {
    private let sender = "juliet@example.com/balcony"
    private let end = "</stream:stream>"

    private func message(_ id: String) -> String { "<message from='\(sender)' id='\(id)'><body>hi</body></message>" }

    private func returned(_ id: String) -> String {
        "<message xmlns='jabber:client' type='error' to='\(sender)' id='\(id)'><error type='wait'>"
            + "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    }

    private func refused(_ id: String) -> String {
        "<iq xmlns='jabber:client' type='error' to='\(sender)' id='\(id)'><error type='cancel'>"
            + "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    }

    /// A session of three requests, two of which are held.
    private func openWithTwoPolls(_ more: String = "") throws -> (session: OpenSession, polls: [BOSHRequest]) {
        let session = try OpenSession("wait='60' hold='2' ver='1.6' \(more)")
        let polls = try (0..<2).map { _ in
            let poll = try session.client.send()
            try session.daemon.settle()
            return poll
        }
        return (session, polls)
    }

    @Test("T-12: what waits when the client terminates is returned, in order, before the stream is closed")
    func returnsWhatWaits() throws {
        let session = try OpenSession()
        try session.stream.send(message("m1"))
        try session.stream.send("<iq from='\(sender)' type='get' id='q1'><x/></iq><presence from='\(sender)' id='p1'/>")
        try session.stream.send("<iq type='set' from='\(sender)' id='q2'><x/></iq>" + message("m2"))
        try session.daemon.settle()
        let farewell = "<presence xmlns='jabber:client' type='unavailable'/>"
        let answer = try session.client.exchange("type='terminate'", farewell)
        #expect(answer.isTerminal)
        #expect(answer.payload.isEmpty)
        #expect(
            try session.stream.read(until: end)
                == farewell + returned("m1") + refused("q1") + refused("q2") + returned("m2") + end)
        try session.daemon.wait(until: "upstream.stanzas_returned", is: 4)
    }

    @Test("T-12 b: what is never returned")
    func keepsBack() throws {
        let session = try OpenSession()
        let kept = [
            "<message id='x'/>", "<message from='' id='x'/>", "<message from='\(sender)' type='error' id='x'/>",
            "<message from='\(sender)' type='groupchat' id='x'/>", "<message from='\(sender)' type='headline'/>",
            "<message from='romeo@example.org' to='romeo@example.org/orchard' id='x'/>",
            "<iq from='\(sender)' type='result' id='x'/>", "<iq from='\(sender)' type='error' id='x'/>",
            "<presence from='\(sender)'/>", "<presence from='\(sender)' type='subscribe'/>",
            "<r xmlns='urn:xmpp:sm:3'/>", "<message xmlns='urn:other' from='\(sender)' id='x'/>",
        ]
        try session.stream.send(kept.joined() + message("m1"))
        try session.daemon.settle()
        #expect(try session.client.exchange("type='terminate'").payload.isEmpty)
        #expect(try session.stream.read(until: end) == returned("m1") + end)
    }

    @Test("T-12 P-14: what waits when the client stays silent is returned before the stream is closed")
    func returnsAfterSilence() throws {
        let session = try OpenSession(flags: ["--inactivity", "5"])
        try session.stream.send(message("m1"))
        #expect(try session.stream.read(until: end) == returned("m1") + end)
        #expect(try session.daemon.statistics().number("sessions.ended.inactive") == 1)
    }

    @Test("T-12 c: a resumable stream of a silent client is dropped without a farewell, and nothing is returned")
    func dropsResumable() throws {
        let session = try OpenSession(flags: ["--inactivity", "5"])
        let enabled = "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>"
        let poll = try session.client.send("", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        _ = try session.stream.read(until: "/>")
        try session.stream.send(enabled)
        #expect(try poll.answer().payload == enabled)
        try session.stream.send(message("m1"))
        #expect(try session.stream.wire.readToEnd() == "")
        try session.daemon.wait(until: "sessions.ended.inactive", is: 1)
        #expect(try session.daemon.statistics().number("upstream.stanzas_returned") == 0)
    }

    @Test("T-12 c: so is one that was resumed, and one that was made resumable together with the login")
    func dropsAllKindsOfResumable() throws {
        let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>"
        let bound = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/></bound>"
        let first = try OpenSession()
        for said in [resumed, success(resumed), success(bound)] {
            let session = try OpenSession(on: first)
            try session.stream.send(said + message("m1"))
            try session.daemon.settle()
            #expect(try session.client.exchange("", rid: session.client.rid + 100).condition == "item-not-found")
            #expect(try session.stream.wire.readToEnd() == "", "\(said)")
        }
        #expect(try first.daemon.statistics().number("upstream.stanzas_returned") == 0)
    }

    @Test("T-12 c: a server that only counts stanzas gets no error of them, and sees its stream closed")
    func closesManaged() throws {
        let session = try OpenSession()
        let bound = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3'/></bound>"
        try session.stream.send(success(bound) + message("m1"))
        try session.daemon.settle()
        #expect(try session.client.exchange("", rid: session.client.rid + 100).condition == "item-not-found")
        #expect(try session.stream.read(until: end) == end)
    }

    private func success(_ inline: String) -> String {
        "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>u@example.org</authorization-identifier>\(inline)"
            + "</success>"
    }

    @Test("T-12 c: a client that terminates closes its resumable stream; the server has what was not fetched")
    func closesResumable() throws {
        let session = try OpenSession()
        try session.stream.send("<enabled xmlns='urn:xmpp:sm:3' resume='true'/>" + message("m1"))
        try session.daemon.settle()
        _ = try session.client.exchange("type='terminate'")
        #expect(try session.stream.read(until: end) == end)
    }

    @Test("T-12 a: a request that may have crossed the answer proves nothing, though no other one was open")
    func notProvenByCrossing() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.stream.send(message("m1"))
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        let next = try session.client.send("", "<presence xmlns='jabber:client'/>")
        #expect(try session.stream.read(until: "/>") == "<presence xmlns='jabber:client'/>")
        poll.abort()
        next.abort()
        session.daemon.send(15)
        #expect(try session.stream.read(until: end) == returned("m1") + end)
    }

    @Test("T-12 a: a repeat is no new request: what it asks for again was not fetched")
    func notFetchedByRepeat() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.stream.send(message("m1"))
        _ = try poll.answer()
        #expect(try session.client.exchange("", rid: poll.rid).payload.contains("id='m1'"))
        session.daemon.send(15)
        #expect(try session.stream.read(until: end) == returned("m1") + end)
    }

    @Test("T-12 a: an answer is proven when a request comes that left no room for it beside the unanswered")
    func provenByCounting() throws {
        for later in [0, 1, 2] {
            let (session, polls) = try openWithTwoPolls()
            try session.stream.send(message("m1"))
            #expect(try polls[0].answer().payload.contains("id='m1'"))
            for _ in 0..<later {
                _ = try session.client.send()
                try session.daemon.settle()
            }
            _ = try session.client.send("type='terminate'")
            #expect(try session.stream.read(until: end) == (later < 2 ? returned("m1") : "") + end)
        }
    }

    @Test("T-12 a A-03: with acknowledgements, what was acknowledged is proven and nothing else")
    func fetchedByAcknowledgement() throws {
        for isAcknowledged in [true, false] {
            let (session, polls) = try openWithTwoPolls("ack='1'")
            try session.stream.send(message("m1"))
            #expect(try polls[0].answer().payload.contains("id='m1'"))
            let ack = polls[0].rid - (isAcknowledged ? 0 : 1)
            _ = try session.client.send("ack='\(ack)' type='terminate'")
            #expect(try session.stream.read(until: end) == (isAcknowledged ? "" : returned("m1")) + end)
        }
    }

    @Test("T-12: nothing is lost with a session that the client's own fault ends")
    func returnsAfterFault() throws {
        let session = try OpenSession()
        try session.stream.send(message("m1"))
        try session.daemon.settle()
        #expect(try session.client.exchange("", rid: session.client.rid + 100).condition == "item-not-found")
        #expect(try session.stream.read(until: end) == returned("m1") + end)
    }

    @Test("T-12: a hundred thousand bytes of stanzas are returned, each once and in order")
    func returnsMany() throws {
        let session = try OpenSession()
        for index in 0..<1_000 { try session.stream.send(message("m\(index)")) }
        try session.daemon.settle()
        _ = try session.client.exchange("type='terminate'")
        #expect(try session.stream.read(until: end) == (0..<1_000).map { returned("m\($0)") }.joined() + end)
    }

    @Test("T-12: what a server had sent beyond what a session keeps is returned too")
    func returnsWhatWasNotRead() throws {
        let session = try OpenSession(environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        let identifiers = (0..<1_000).map { "m\($0)" }
        for chunk in stride(from: 0, to: 1_000, by: 100) {
            try session.stream.send(identifiers[chunk..<chunk + 100].map(message).joined())
        }
        try session.daemon.settle()
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        #expect(try session.stream.read(until: end) == identifiers.map(returned).joined() + end)
    }

    @Test("T-12 N-07: what the sender wrote into its address and id stands in the error as it was")
    func escapes() throws {
        let session = try OpenSession()
        try session.stream.send("<message from=\"a@b/&lt;&apos;&#x9;&quot;&amp;\" id='&#10;\u{1F600}]]&gt;'/>")
        try session.daemon.settle()
        _ = try session.client.exchange("type='terminate'")
        let error =
            "<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        #expect(
            try session.stream.read(until: end) == "<message xmlns='jabber:client' type='error' "
                + "to='a@b/&lt;&apos;&#9;\"&amp;' id='&#10;\u{1F600}]]&gt;'>" + error + end)
    }
}
