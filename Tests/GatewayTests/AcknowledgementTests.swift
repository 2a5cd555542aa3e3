import TestSupport
import Testing

/// Acknowledgements in both directions (XEP-0124 §9).
@Suite struct AcknowledgementTests {
    private let creation = "hold='1' ver='1.6' xmpp:version='1.0'"

    @Test("A-01 A-02: an answer says which requests have come, unless it is the answer to the last of them")
    func acknowledges() throws {
        let session = try OpenSession("wait='60' hold='2' ver='1.6'")
        #expect(session.created["ack"] == "\(session.client.rid)")
        let polls = try (0..<3).map { _ in
            let poll = try session.client.send()
            try session.daemon.settle()
            return poll
        }
        #expect(try polls[0].answer()["ack"] == "\(polls[2].rid)")
        try session.stream.send("<message/>")
        #expect(try polls[1].answer()["ack"] == "\(polls[2].rid)")
        try session.stream.send("<message/>")
        #expect(try polls[2].answer()["ack"] == nil)
    }

    @Test("A-01: a request that came early counts when the gap before it is closed")
    func countsWithoutGaps() throws {
        let session = try OpenSession("wait='60' hold='2' ver='1.6'")
        let rid = session.client.rid
        let poll = try session.client.send("", rid: rid + 1)
        try session.daemon.settle()
        let early = try session.client.send("", rid: rid + 3)
        #expect(try poll.answer()["ack"] == nil)
        let late = try session.client.send("", rid: rid + 2)
        try session.stream.send("<message/>")
        #expect(try late.answer()["ack"] == "\(rid + 3)")
        try session.stream.send("<message/>")
        #expect(try early.answer()["ack"] == nil)
    }

    @Test("A-03 A-04: a response that the client seems not to have is reported, once, with its age")
    func reports() throws {
        let session = try OpenSession("wait='1' ack='1' \(creation)")
        let first = session.client.rid
        let lost = try session.client.send()
        try session.stream.send("<message id='m1'/>")
        #expect(try lost.answer()["report"] == nil)
        // The request was held for `wait`, one second.
        #expect(try session.client.exchange("ack='\(lost.rid)'")["report"] == nil)
        let report = try session.client.exchange("ack='\(first)'")
        #expect(report["report"] == "\(lost.rid)")
        let age = try #require(report["time"].flatMap { Int($0) })
        #expect(age >= 1_000)
        #expect(report["type"] == nil)
        #expect(try session.client.exchange("", rid: lost.rid).payload.contains("id='m1'"))
        // Otherwise each of its requests would be answered at once, for ever.
        #expect(try session.client.exchange("ack='\(first)'")["report"] == nil)
    }

    @Test("A-04: an ack that crosses the response on its way is no reason for a report")
    func crosses() throws {
        let first = try OpenSession("wait='60' ack='1' \(creation)")
        var isHeld = false
        while !isHeld {
            let session = try OpenSession("wait='60' ack='1' \(creation)", on: first)
            let rid = session.client.rid
            let poll = try session.client.send("ack='\(rid)'")
            let start = ContinuousClock.now
            try session.stream.send("<message/>")
            _ = try poll.answer()
            let next = try session.client.send("ack='\(rid)'")
            try session.daemon.settle()
            isHeld = try next.isHeld
            // After a second the response is no longer on its way. A busy machine may take as long; then it is tried again.
            try #require(isHeld || start.duration(to: .now) >= .seconds(1))
        }
    }

    @Test("A-03: a client that announces nothing is never told of a report")
    func leavesOthersAlone() throws {
        let session = try OpenSession("wait='1' ack='0' \(creation)")
        let first = session.client.rid
        for _ in 0..<3 { #expect(try session.client.exchange("ack='\(first)'").isEmpty) }
    }

    @Test(
        "A-07: what is no acknowledgement is ignored",
        arguments: [
            "", "x", "-1", "0", "1.5", "9007199254740992", "99999999999999999999999", "9007199254740991", "1001 ",
            "&#10;1000",
        ])
    func ignores(ack: String) throws {
        let session = try OpenSession("wait='60' ack='1' \(creation)")
        let poll = try session.client.send("ack='\(ack)'", "<message xmlns='jabber:client' id='up'/>")
        #expect(try session.stream.read(until: "/>").contains("id='up'"))
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
        #expect(try session.client.exchange("", rid: poll.rid).payload.contains("id='m1'"))
    }

    @Test("A-05 R-06: what a client has not acknowledged is kept, up to a bound")
    func keepsUnacknowledged() throws {
        let session = try OpenSession("wait='60' ack='1' \(creation)")
        let rid = session.client.rid
        for index in 1...5 {
            let poll = try session.client.send("ack='\(rid)'")
            try session.stream.send("<message id='m\(index)'/>")
            #expect(try poll.answer().payload.contains("id='m\(index)'"))
        }
        for index in 1...5 {
            let again = try session.client.exchange("", rid: rid + UInt64(index))
            #expect(again.payload.contains("id='m\(index)'"))
        }
        for _ in 0..<15 {
            let poll = try session.client.send("ack='\(rid)'")
            try session.stream.send("<message/>")
            _ = try poll.answer()
        }
        #expect(try session.client.exchange("", rid: rid + 1).condition == "item-not-found")
    }
}
