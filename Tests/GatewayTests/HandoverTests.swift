import Glibc
import TestSupport
import Testing

/// A connection follows its session to the worker that owns it.
@Suite struct HandoverTests {
    private func message(_ id: String) -> String { "<message xmlns='jabber:client' id='\(id)'/>" }

    @Test("sessions of all workers are served over one connection, whichever worker has it")
    func mixed() throws {
        let scene = try WorkersScene(workers: 3)
        let connection = try scene.daemon.connect()
        let members = try (0..<6).map { _ in try scene.begin(over: connection) }
        #expect(Set(members.map(\.worker)).count == 3)
        for round in 0..<4 {
            for (index, member) in members.enumerated() {
                let id = "m\(round)-\(index)"
                try member.stream.send(message("to-client-" + id))
                // What the server sent may come with this answer, or with that to a further poll.
                var received = try connection.exchange(member, "", message(id)).payload
                #expect(try member.stream.read(until: "id='\(id)'/>").hasSuffix(message(id)))
                while !received.contains("to-client-" + id) { received += try connection.exchange(member).payload }
                #expect(received == message("to-client-" + id))
            }
        }
    }

    @Test("new sessions are spread evenly, whatever connection they come over")
    func spread() throws {
        let scene = try WorkersScene(workers: 4)
        let connection = try scene.daemon.connect()
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[try scene.begin(over: connection).worker, default: 0] += 1 }
        #expect(counts.count == 4)
        #expect(counts.values.allSatisfy { (8...12).contains($0) }, "\(counts)")
    }

    @Test("a poll that is held before a request for another worker is answered first")
    func heldPoll() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try connection.send(RawClient.post(first.client.nextBody()))
        try connection.send(RawClient.post(second.client.nextBody("", message("behind"))))
        #expect(try BOSHBody(try connection.answer().body).isEmpty)
        #expect(try second.stream.read(until: "id='behind'/>").hasSuffix(message("behind")))
        try second.stream.send(message("answer"))
        #expect(try BOSHBody(try connection.answer().body).payload == message("answer"))
    }

    @Test("pipelined requests for several workers are all answered, in order")
    func pipelined() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        var requests = ""
        for round in 0..<5 {
            for member in [first, second] {
                requests += RawClient.post(member.client.nextBody("", message("p\(round)")))
            }
        }
        try connection.send(requests)
        // The last poll of each session stays; each earlier one is released by its successor or by what is behind it.
        for _ in 0..<9 { #expect(try BOSHBody(try connection.answer().body).isEmpty) }
        for member in [first, second] {
            for round in 0..<5 { _ = try member.stream.read(until: "id='p\(round)'/>") }
        }
        try second.stream.send(message("last"))
        #expect(try BOSHBody(try connection.answer().body).payload == message("last"))
    }

    @Test("large bodies go to their owner whole", arguments: [70_000, 900_000])
    func largeBody(size: Int) throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        for member in [first, second, first] {
            let text = String(repeating: "x", count: size)
            let stanza = "<message xmlns='jabber:client' id='large'><body>\(text)</body></message>"
            try connection.send(RawClient.post(member.client.nextBody("", stanza)))
            #expect(try member.stream.read(until: "</message>").hasSuffix(stanza))
            try member.stream.send(message("taken"))
            #expect(try BOSHBody(try connection.answer().body).payload == message("taken"))
        }
    }

    @Test("H-09: a coded body goes to its owner")
    func codedBody() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        for member in [first, second, first] {
            let body = member.client.nextBody("", message("coded"))
            try connection.post(try body.compressed(.gzip), "Content-Encoding: gzip")
            #expect(try member.stream.read(until: "id='coded'/>").hasSuffix(message("coded")))
            try member.stream.send(message("taken"))
            #expect(try BOSHBody(try connection.answer().body).payload == message("taken"))
        }
    }

    @Test("more connections than a worker takes in one turn of its loop are all taken")
    func burst() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let members = try (0..<48).map { _ in try scene.begin(over: connection) }
        let owner = try #require(members.first?.worker)
        let owned = members.filter { $0.worker == owner }
        let other = try #require(members.first { $0.worker != owner })
        #expect(owned.count > 20)
        let process = pid_t(try scene.processID(of: owner))
        try StandStill.begin(process)
        defer { kill(process, SIGCONT) }
        // The other worker accepts all of them and sends them on.
        let connections = try owned.map { member in
            let own = try scene.daemon.connect()
            try own.send(RawClient.post(member.client.nextBody("", message("burst"))))
            return own
        }
        let last = try scene.daemon.connect()
        try other.stream.send(message("behind"))
        #expect(try last.exchange(other).payload == message("behind"))
        try StandStill.end(process)
        for (member, own) in zip(owned, connections) {
            #expect(try member.stream.read(until: "id='burst'/>").hasSuffix(message("burst")))
            try member.stream.send(message("taken"))
            #expect(try BOSHBody(try own.answer().body).payload == message("taken"))
        }
    }

    @Test("of connections sent together, the owner takes those that it has descriptors for, and the others get 503")
    func tooFewDescriptors() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let members = try (0..<24).map { _ in try scene.begin(over: connection) }
        let owner = try #require(members.first?.worker)
        let owned = Array(members.filter { $0.worker == owner }.prefix(10))
        #expect(owned.count == 10)
        let other = try #require(members.first { $0.worker != owner })
        let process = pid_t(try scene.processID(of: owner))
        let sender = pid_t(try scene.processID(of: other.worker))
        // After the second answer the owner has the connection, and has closed all that it had sent away or that had ended.
        for id in ["first", "second"] {
            try owned[0].stream.send(message(id))
            #expect(try connection.exchange(owned[0]).payload == message(id))
        }
        try StandStill.begin(process)
        defer { for each in [process, sender] { kill(each, SIGCONT) } }
        // The other worker accepts all of them, and finds their requests in one turn.
        let connections = try owned.map { _ in try scene.daemon.connect() }
        let last = try scene.daemon.connect()
        try other.stream.send(message("accepted"))
        #expect(try last.exchange(other).payload == message("accepted"))
        try StandStill.begin(sender)
        let requests = owned.map { RawClient.post($0.client.nextBody("", message("m"))) }
        for (connection, request) in zip(connections, requests) { try connection.send(request) }
        let limits = try OpenFileLimit.leave(4, for: process)
        try StandStill.end(sender)
        try other.stream.send(message("sent"))
        #expect(try last.exchange(other).payload == message("sent"))
        try StandStill.end(process)

        // Who was served gets what its server sends; who was refused asks again.
        for member in owned { try member.stream.send(message("served")) }
        var refused: [Int] = []
        for (index, connection) in connections.enumerated() {
            let answer = try connection.answer()
            if answer.status == 503 {
                #expect(answer.field("Retry-After") != nil)
                refused.append(index)
            } else {
                #expect(try BOSHBody(answer.body).payload == message("served"))
            }
        }
        #expect(refused.count == 6)
        try OpenFileLimit.set(limits, of: process)
        for index in refused {
            try connections[index].send(requests[index])
            #expect(try BOSHBody(try connections[index].answer().body).payload == message("served"))
        }
        // Each message has come once.
        for (member, connection) in zip(owned, connections) {
            #expect(try member.stream.read(until: "id='m'/>").hasSuffix(message("m")))
            try connection.send(RawClient.post(member.client.nextBody("", message("end"))))
            #expect(try member.stream.read(until: "id='end'/>") == message("end"))
        }
    }

    @Test("H-27: a request is served although its client ended its side right behind it")
    func halfClosed() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        for member in [first, second] {
            let last = try scene.daemon.connect()
            try last.send(RawClient.post(member.client.nextBody("", message("last words"))))
            try last.wire.shutdownWrite()
            #expect(try member.stream.read(until: "id='last words'/>").hasSuffix(message("last words")))
            #expect(try BOSHBody(try last.answer().body).isEmpty)
        }
    }

    @Test("H-28: connections over a Unix socket move too")
    func unixSocket() throws {
        let path = "/tmp/holdfast-handover-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let scene = try WorkersScene(flags: ["--listen", "unix:\(path)"])
        let connection = try scene.daemon.connect(path: path)
        let (first, second) = try scene.twoOwners(over: connection)
        for member in [first, second, first] {
            try connection.send(RawClient.post(member.client.nextBody("", message("unix"))))
            #expect(try member.stream.read(until: "id='unix'/>").hasSuffix(message("unix")))
            try member.stream.send(message("taken"))
            #expect(try BOSHBody(try connection.answer().body).payload == message("taken"))
        }
    }

    @Test("connections behind a PROXY header move with their client's address, also the last one that it may have")
    func proxyHeader() throws {
        let scene = try WorkersScene(
            environment: ["HOLDFAST_LISTEN_PROXY": "127.0.0.1:0", "HOLDFAST_ADDRESS_CONNECTIONS": "1"])
        let connection = try scene.daemon.connectBehindProxy()
        try connection.send("PROXY TCP4 192.0.2.9 192.0.2.1 4000 80\r\n")
        let (first, second) = try scene.twoOwners(over: connection)
        for member in [first, second, first] {
            try connection.send(RawClient.post(member.client.nextBody("", message("proxied"))))
            #expect(try member.stream.read(until: "id='proxied'/>").hasSuffix(message("proxied")))
            try member.stream.send(message("taken"))
            #expect(try BOSHBody(try connection.answer().body).payload == message("taken"))
        }
        let created = try scene.daemon.errors.split(separator: "\n").filter { $0.contains("session created") }
        #expect(created.count >= 2)
        #expect(created.allSatisfy { $0.contains("client=192.0.2.9 ") })
    }

    @Test("a session that no living worker has is not found, at once")
    func unknownWorker() throws {
        let scene = try WorkersScene()
        let connection = try scene.daemon.connect()
        let member = try scene.begin(over: connection)
        let parts = member.client.sid.split(separator: ".")
        for worker in ["0", "77", "4294967295"] {
            let sid = "\(parts[0]).\(worker).\(parts[2])"
            let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1001' sid='\(sid)'/>"
            try connection.send(RawClient.post(body))
            #expect(try BOSHBody(try connection.answer().body).condition == "item-not-found")
        }
    }
}
