import Foundation
import Glibc
import TestSupport
import Testing

/// What an operator can find out about single sessions, and do to them.
@Suite struct SessionListTests {
    /// The answer of `/sessions`.
    private struct List: Decodable {
        struct Row: Decodable {
            let sid8: String
            let worker: UInt32
            let over: String
            let domain: String?
            let client: String?
            let server: String?
            let state: String
            let reason: String?
            let loggedIn: Bool?
            let requests: Int
            let heldRequests: Int?
            let waitingBytes: Int?
            let stanzasToServer: Int
            let stanzasToClient: Int
        }

        let count: Int
        let shown: Int
        let limit: Int
        let missingWorkers: [UInt32]
        let sessions: [Row]
    }

    private func list(_ admin: RawClient, _ query: String = "") throws -> List {
        let answer = try admin.get("/sessions\(query)")
        #expect(answer.status == 200, "\(answer.body)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(List.self, from: Data(answer.body.utf8))
    }

    private func delete(_ admin: RawClient, _ name: String) throws -> HTTPAnswer {
        try admin.exchange("DELETE /sessions/\(name) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// The part of a `sid` that the log shows.
    private func name(of sid: String) -> String { String(sid.split(separator: ".")[2].prefix(8)) }

    @Test("any worker tells of the sessions of all, over one connection, and of nothing secret", arguments: [1, 3])
    func lists(workers: Int) throws {
        let scene = try WorkersScene(workers: workers)
        let connection = try scene.daemon.connect()
        let members = try (0..<6).map { _ in try scene.begin(over: connection) }
        let admin = try scene.daemon.connectToAdmin()
        let found = try list(admin)
        #expect(found.count == 6 && found.shown == 6 && found.missingWorkers.isEmpty)
        #expect(Set(found.sessions.map(\.sid8)) == Set(members.map { name(of: $0.client.sid) }))
        #expect(Set(found.sessions.map { "\($0.worker)" }) == Set(members.map(\.worker)))
        for row in found.sessions {
            #expect(row.over == "bosh" && row.domain == "example.org" && row.state == "open" && row.reason == nil)
            #expect(row.client == "127.0.0.1" && row.server == "127.0.0.1:\(scene.server.port)")
            #expect(row.loggedIn == false && row.heldRequests == 0)
        }
        let text = try admin.get("/sessions").body
        #expect(members.allSatisfy { !text.contains($0.client.sid) })
        // What is shown is bounded, and what there is is not.
        let few = try list(admin, "?limit=2")
        #expect(few.count == 6 && few.shown == 2 && few.sessions.count == 2)
        #expect(try list(admin, "?domain=example.net").count == 0)
        #expect(try list(admin, "/\(name(of: members[0].client.sid))").count == 1)
    }

    @Test("what a session has done is counted, and stays when it has ended, with the reason")
    func ends() throws {
        let scene = try WorkersScene(workers: 2)
        let connection = try scene.daemon.connect()
        let member = try scene.begin(over: connection)
        try connection.send(RawClient.post(member.client.nextBody("", "<message id='1'/><presence id='2'/>")))
        _ = try member.stream.read(until: "id='2'/>")
        try member.stream.send("<message id='3'/><message id='4'/><message id='5'/>")
        _ = try connection.answer()
        let admin = try scene.daemon.connectToAdmin()
        let live = try #require(try list(admin).sessions.first)
        #expect(live.requests == 1 && live.stanzasToServer == 2 && live.stanzasToClient == 3)
        #expect(try connection.exchange(member, "type='terminate'").isTerminal)
        #expect(try list(admin).count == 0)
        let ended = try list(admin, "?state=ended")
        let row = try #require(ended.sessions.first)
        #expect(ended.count == 1 && row.state == "ended" && row.reason == "terminated" && row.sid8 == live.sid8)
        #expect(row.requests == 2 && row.stanzasToServer == 2 && row.stanzasToClient == 3)
        #expect(try list(admin, "?state=all&reason=inactive").count == 0)
        #expect(try list(admin, "/\(live.sid8)").count == 1)
        // The log says the same.
        let line = try #require(
            try scene.daemon.errors.split(separator: "\n").first { $0.contains("session ended") })
        for part in [
            "client=127.0.0.1 ", "domain=example.org ", "over=bosh ", "reason=terminated ", "requests=2 ", "seconds=",
            "server=127.0.0.1:\(scene.server.port) ", "sid8=\(live.sid8) ", "stanzas_to_client=3 ",
            "stanzas_to_server=2",
        ] { #expect(line.contains(part), "\(line)") }
    }

    @Test("an operator ends a session of any door, wherever it is, and nobody else's")
    func endsSession() throws {
        let scene = try WorkersScene(workers: 2)
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        let admin = try scene.daemon.connectToAdmin()
        for member in [first, second] {
            let poll = try scene.daemon.connect()
            try poll.send(RawClient.post(member.client.nextBody()))
            try scene.daemon.settle()
            let answer = try delete(admin, name(of: member.client.sid))
            #expect(answer.status == 200 && answer.body == "{\"ended\":1}\n")
            #expect(try BOSHBody(try poll.answer().body).condition == "policy-violation")
            _ = try member.stream.read(until: "</stream:stream>")
            #expect(try delete(admin, name(of: member.client.sid)).status == 404)
        }
        let socket = try WebSocketPeer(scene.daemon)
        try socket.send(WebSocketPeer.frame(Array(WebSocketPeer.opening.utf8)))
        let stream = try scene.server.accept()
        try stream.open()
        let row = try #require(try list(admin, "?over=websocket").sessions.first)
        #expect(try delete(admin, row.sid8.uppercased()).status == 200)
        _ = try stream.read(until: "</stream:stream>")
        try scene.daemon.wait(until: "sessions.ended.ended-by-operator", is: 3)
        #expect(try list(admin, "?reason=ended-by-operator&state=ended").count == 3)
    }

    @Test("what cannot be asked is refused in words")
    func refuses() throws {
        let admin = try WorkersScene(workers: 2).daemon.connectToAdmin()
        let fault = try admin.get("/sessions?over=telnet")
        #expect(fault.status == 400 && fault.body == "over: 'telnet' is not among bosh, websocket, polling\n")
        #expect(try delete(admin, "").status == 400)
        #expect(try delete(admin, "12345678").body == "no session has this name\n")
        #expect(try delete(admin, "nonsense").status == 404)
        let posted = try admin.exchange("POST /sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        #expect(posted.status == 405 && posted.field("Allow") == "GET, HEAD, DELETE")
        #expect(try admin.get("/sessionsx").status == 404)
    }

    @Test("a worker that stands still is missing in the answer, which says so, and one that has died is not")
    func missing() throws {
        let scene = try WorkersScene(workers: 2)
        let (first, second) = try scene.twoOwners(over: try scene.daemon.connect())
        let process = pid_t(try scene.processID(of: first.worker))
        try StandStill.begin(process)
        defer { kill(process, SIGCONT) }
        // The other one accepts this connection.
        let admin = try scene.daemon.connectToAdmin()
        let found = try list(admin)
        #expect(found.missingWorkers.map(String.init) == [first.worker] && found.count == 1)
        #expect(found.sessions.map(\.sid8) == [name(of: second.client.sid)])
        #expect(try delete(admin, name(of: first.client.sid)).status == 503)
        #expect(kill(process, SIGKILL) == 0)
        try scene.daemon.wait(until: "supervisor.deaths", is: 1)
        let after = try list(admin)
        #expect(after.missingWorkers.isEmpty && after.count == 1)
    }
}
