import Glibc
import TestSupport
import Testing

/// Several workers as one service: their numbers, their limits, and the death of one of them.
@Suite struct WorkersTests {
    private func message(_ id: String) -> String { "<message xmlns='jabber:client' id='\(id)'/>" }

    /// Ends the process of a worker at once, and waits until another one serves.
    private func kill(_ worker: String, of scene: WorkersScene) throws {
        let processID = try scene.processID(of: worker)
        #expect(Glibc.kill(pid_t(processID), SIGKILL) == 0)
        try scene.waitUntilGone(worker)
    }

    @Test("a worker that dies takes its own sessions only, and these are not found at once")
    func death() throws {
        let scene = try WorkersScene(workers: 2)
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try kill(first.worker, of: scene)
        for _ in 0..<2 {
            let other = try scene.daemon.connect()
            #expect(try other.exchange(first).condition == "item-not-found")
            try other.send(RawClient.post(second.client.nextBody("", message("alive"))))
            #expect(try second.stream.read(until: "id='alive'/>").hasSuffix(message("alive")))
            try second.stream.send(message("answer"))
            #expect(try BOSHBody(try other.answer().body).payload == message("answer"))
        }
        // The worker that has come instead takes sessions under a number of its own.
        let workers = try (0..<6).map { _ in try scene.begin(over: try scene.daemon.connect()).worker }
        #expect(!workers.contains(first.worker))
        #expect(Set(workers).count == 2)
    }

    @Test("a stream of a dead worker's session ends for the server")
    func streamOfTheDead() throws {
        let scene = try WorkersScene(workers: 2)
        let (first, _) = try scene.twoOwners(over: try scene.daemon.connect())
        try kill(first.worker, of: scene)
        try first.stream.wire.drain()
    }

    @Test("the numbers of all workers are added up, and those of the dead are kept")
    func numbers() throws {
        let scene = try WorkersScene(workers: 3)
        let connection = try scene.daemon.connect()
        let members = try (0..<6).map { _ in try scene.begin(over: connection) }
        try scene.waitUntil("all numbers are shown") {
            let statistics = try scene.daemon.statistics()
            let shares = try Set(members.map(\.worker)).allSatisfy { worker in
                try statistics.number("workers.\(worker).sessions") == members.count { $0.worker == worker }
            }
            return try shares && statistics.number("sessions.now") == 6 && statistics.number("sessions.ever") == 6
                && statistics.number("upstream.streams_now") == 6
                && statistics.number("streams_opened", ofSite: "example.org") == 6
        }
        try scene.waitUntilAllShow("sessions.ever", 6)
        let lost = members.count { $0.worker == members[0].worker }
        try kill(members[0].worker, of: scene)
        try scene.daemon.wait(until: "sessions.now", is: 6 - lost)
        try scene.daemon.wait(until: "sessions.ever", is: 6)
    }

    @Test("a number that only a deadline changed is shown by the other worker too")
    func numbersOfDeadlines() throws {
        let scene = try WorkersScene(workers: 2)
        // On a busy machine both polls are held at the same time only if they are held for a while.
        let (first, second) = try scene.twoOwners(over: try scene.daemon.connect(), "wait='8' hold='1'")
        // Each poll has a connection of its own, because the answers to both would come in order on a common one.
        let polls = try [first, second].map { member in
            let connection = try scene.daemon.connect()
            try connection.send(RawClient.post(member.client.nextBody()))
            return connection
        }
        // One connection asks one worker, so nothing but the deadline wakes the other one up.
        let admin = try scene.daemon.connectToAdmin()
        try admin.wait(until: "sessions.held_requests", is: 2)
        for poll in polls { #expect(try BOSHBody(try poll.answer().body).attributes["type"] == nil) }
        try admin.wait(until: "sessions.held_requests", is: 0)
    }

    @Test("address-sessions: it holds over all workers")
    func limitByAddress() throws {
        let scene = try WorkersScene(
            workers: 3,
            environment: ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for", "HOLDFAST_ADDRESS_SESSIONS": "7"])
        let connection = try scene.daemon.connect()
        func create(_ address: String) throws -> Int {
            let client = BOSHClient(scene.daemon)
            let creation =
                "to='example.org' wait='60' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
            try connection.send(RawClient.post(client.nextBody(creation), "X-Forwarded-For: \(address)"))
            guard try scene.hasConnection(within: connection) else { return try connection.answer().status }
            try scene.server.accept().open()
            return try connection.answer().status
        }
        var statuses: [Int] = []
        for _ in 0..<9 { statuses.append(try create("192.0.2.7")) }
        #expect(statuses == [200, 200, 200, 200, 200, 200, 200, 503, 503])
        #expect(try create("192.0.2.8") == 200)
    }
}

extension WorkersScene {
    /// Waits until a condition holds; it may fail for want of a number that is not shown yet.
    func waitUntil(_ what: String, _ holds: () throws -> Bool) throws {
        try Patience.wait(what) { (try? holds()) == true }
    }

    /// Waits until a number is this in many answers in a row, so that every worker has given one.
    func waitUntilAllShow(_ path: String, _ value: Int) throws {
        var inRow = 0
        try waitUntil("all workers show \(path) as \(value)") {
            inRow = try daemon.statistics().number(path) == value ? inRow + 1 : 0
            return inRow >= 10 * workers
        }
    }

    /// The process number of a worker. Another worker knows it a moment after the start.
    func processID(of worker: String) throws -> Int {
        try Patience.value("somebody knows worker \(worker)") {
            try? daemon.statistics().number("workers.\(worker).pid")
        }
    }

    /// Waits until a worker is not there any more, and as many as before serve.
    func waitUntilGone(_ worker: String) throws {
        try Patience.wait("worker \(worker) is gone") {
            // A worker is known once it serves.
            let known = (try? daemon.statistics())?.names(under: "workers") ?? []
            return !known.contains(worker) && known.count >= workers
        }
    }

    /// Waits until the server has a connection, or a client on this connection an answer. Returns whether it is the
    /// server.
    func hasConnection(within connection: RawClient) throws -> Bool {
        var isAtServer = false
        try Patience.wait("there is a connection or an answer", pause: 1) {
            isAtServer = try !server.isUntouched
            return try isAtServer || !connection.wire.isSilent
        }
        return isAtServer
    }
}
