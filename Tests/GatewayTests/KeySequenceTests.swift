import TestSupport
import Testing

/// Key sequences: an eavesdropper cannot go on with a session (XEP-0124 §15).
@Suite struct KeySequenceTests {
    /// A client's keys; the last one made is used first.
    private struct Sequence {
        private var keys: [String]

        /// - Parameter write: how the client writes the digits of each.
        init(_ seed: String, count: Int = 50, write: (String) -> String = { $0 }) {
            keys = [write(SequenceKey.hash(seed))]
            while keys.count < count { keys.append(write(SequenceKey.hash(keys[keys.count - 1]))) }
        }

        mutating func next() -> String { keys.removeLast() }
    }

    private let creation = "wait='60' hold='1' ver='1.6'"

    private func message(_ id: Int) -> String { "<message xmlns='jabber:client' id='u\(id)'/>" }

    @Test("K-01: the hash of the tests is SHA-1")
    func hashes() {
        #expect(SequenceKey.hash("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(SequenceKey.named("A2") == SequenceKey.hash(SequenceKey.hash("A").uppercased()).uppercased())
    }

    @Test("K-01 K-02 K-03: a sequence is followed, in whatever case the client writes it", arguments: [0, 1, 2])
    func follows(writing: Int) throws {
        var keys = Sequence("seed") { text in
            switch writing {
            case 0: text
            case 1: text.uppercased()
            default: String(text.enumerated().map { $0 % 2 == 0 ? Character($1.uppercased()) : $1 })
            }
        }
        let session = try OpenSession("newkey='\(keys.next())' \(creation)")
        for index in 0..<40 {
            _ = try session.client.send("key='\(keys.next())'", message(index))
            #expect(try session.stream.read(until: "/>") == message(index))
        }
    }

    @Test(
        "K-04: a key that is wrong or missing ends the session, and nothing of the request is sent on",
        arguments: [
            "", "key=''", "key='0000000000000000000000000000000000000000'", "key='a used one'", "newkey='a9'",
            "key='the one after the next'", "key='a new sequence' newkey='a new sequence'", "key='é'",
            "key='\(String(repeating: "a", count: 20_000))'",
        ])
    func refuses(attributes: String) throws {
        var keys = Sequence("seed")
        let session = try OpenSession("newkey='\(keys.next())' \(creation)")
        let first = keys.next()
        let poll = try session.client.send("key='\(first)'")
        try session.daemon.settle()
        _ = keys.next()
        let wrong = attributes.replacing("a used one", with: first)
            .replacing("the one after the next", with: keys.next())
            .replacing("a new sequence", with: SequenceKey.hash("mine"))
        #expect(try session.client.exchange(wrong, message(1)).condition == "item-not-found")
        #expect(try poll.answer().condition == "other-request")
        #expect(try session.stream.read(until: ">") == "</stream:stream>")
        #expect(try session.daemon.statistics().number("sessions.ended.key-mismatch") == 1)
    }

    @Test("K-05: the old key is checked and the next sequence begins, more than once")
    func switches() throws {
        var keys = Sequence("first", count: 3)
        let session = try OpenSession("newkey='\(keys.next())' \(creation)")
        for index in 0..<5 {
            _ = try session.client.send("key='\(keys.next())'", message(index))
            #expect(try session.stream.read(until: "/>") == message(index))
            let last = keys.next()
            keys = Sequence("next \(index)", count: 3)
            _ = try session.client.send("key='\(last)' newkey='\(keys.next())'", message(index))
            #expect(try session.stream.read(until: "/>") == message(index))
        }
    }

    @Test("K-06: a repeat carries the key of its rid, held or answered")
    func repeats() throws {
        var keys = Sequence("seed")
        let session = try OpenSession("newkey='\(keys.next())' \(creation)")
        let (key, next) = (keys.next(), keys.next())
        let held = try session.client.send("key='\(key)'")
        try session.daemon.settle()
        let again = try session.client.send("key='\(key.uppercased())'", rid: held.rid)
        #expect(try held.answer()["type"] == "error")
        try session.stream.send("<message id='m1'/>")
        let answer = try again.answer()
        #expect(answer.payload.contains("id='m1'"))
        let later = try session.client.send("key='\(next)'")
        try session.daemon.settle()
        #expect(try session.client.exchange("key='\(key)'", rid: held.rid).text == answer.text)
        #expect(try later.isHeld)
        #expect(try session.client.exchange("key='\(next)'", rid: held.rid).condition == "item-not-found")
    }

    @Test("K-06 R-02: requests that come in the wrong order are checked in that of their rids")
    func reorders() throws {
        var keys = Sequence("seed")
        let session = try OpenSession("newkey='\(keys.next())' wait='60' hold='2' ver='1.6'")
        let rid = session.client.rid
        let ordered = (0..<3).map { _ in keys.next() }
        for index in [2, 1, 0] {
            _ = try session.client.send("key='\(ordered[index])'", message(index), rid: rid + 1 + UInt64(index))
        }
        let expected = (0..<3).map { message($0) }.joined()
        #expect(try session.stream.wire.read(count: expected.utf8.count).text == expected)
    }

    @Test("T-13 K-04: junk without the key does no harm")
    func survivesJunk() throws {
        var keys = Sequence("seed")
        let session = try OpenSession("newkey='\(keys.next())' \(creation)")
        let rid = session.client.rid
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' sid='\(session.client.sid)' rid='\(rid + 1)'"
        for junk in ["\(start)><a></body>", "\(start) key='x'>text</body>", "\(start)"] {
            #expect(try session.client.send(text: junk).answer().condition == "bad-request")
        }
        let request = try session.client.send("key='\(keys.next())'", message(1))
        #expect(try session.stream.read(until: "/>") == message(1))
        try session.daemon.settle()
        #expect(try request.isHeld)
        // With the right key the request is the client's own, and so is the error.
        let own = "\(start.replacing("rid='\(rid + 1)'", with: "rid='\(rid + 2)'")) key='\(keys.next())'><a></body>"
        #expect(try session.client.send(text: own).answer().condition == "bad-request")
        #expect(try request.answer().condition == "other-request")
    }
}
