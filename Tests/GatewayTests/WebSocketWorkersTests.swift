import Glibc
import TestSupport
import Testing

/// WebSockets with several workers: each belongs to the worker that took it.
@Suite struct WebSocketWorkersTests {
    private func open(_ scene: WorkersScene) throws -> (WebSocketPeer, ScriptedStream) {
        let peer = try WebSocketPeer(scene.daemon)
        return (peer, try peer.open(on: scene.server))
    }

    private func chat(_ peer: WebSocketPeer, _ stream: ScriptedStream, _ id: String) throws {
        try peer.send("<message id='\(id)'/>")
        #expect(try stream.read(until: "/>").hasSuffix("<message id='\(id)'/>"))
        try stream.send("<message id='\(id)'/>")
        #expect(try peer.text().contains("id='\(id)'"))
    }

    @Test("handshakes are spread like sessions: from one connection after the other, every worker gets its share")
    func spreads() throws {
        let scene = try WorkersScene(workers: 3)
        let all = try (0..<12).map { _ in try open(scene) }
        for (peer, stream) in all { try chat(peer, stream, "a") }
        try scene.waitUntilAllShow("websockets.now", 12)
        try scene.waitUntil("each worker has four") {
            let statistics = try scene.daemon.statistics()
            return try scene.workerTags().allSatisfy { tag in
                try (2...6).contains(statistics.number("workers.\(tag).sessions"))
            }
        }
    }

    @Test("a worker that dies takes its own sockets only")
    func death() throws {
        let scene = try WorkersScene(workers: 2)
        let all = try (0..<8).map { _ in try open(scene) }
        let victim = try #require(scene.workerTags().first)
        #expect(Glibc.kill(pid_t(try scene.processID(of: victim)), SIGKILL) == 0)
        try scene.waitUntilGone(victim)
        var alive = 0
        for (peer, stream) in all {
            if (try? chat(peer, stream, "b")) != nil { alive += 1 }
        }
        #expect((1...7).contains(alive))
        let (peer, stream) = try open(scene)
        try chat(peer, stream, "c")
    }

    @Test("a reload leaves sockets where they are, with their settings, and their worker ends with the last one")
    func reload() throws {
        let scene = try RenewalScene("websocket-path = \"/ws\"\n")
        let peer = try WebSocketPeer(scene.daemon, request: WebSocketPeer.request(path: "/ws"))
        let stream = try peer.open(on: scene.workers.server)
        try scene.reload("websocket-path = \"/other\"\n")
        try chat(peer, stream, "one")
        #expect(try scene.daemon.connect().exchange(WebSocketPeer.request(path: "/ws")).status == 404)
        let new = try WebSocketPeer(scene.daemon, request: WebSocketPeer.request(path: "/other"))
        let other = try new.open(on: scene.workers.server)
        try chat(new, other, "two")
        try scene.waitForWorkers(3)
        try peer.send(WebSocketPeer.goodbye)
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        try peer.send(WebSocketPeer.close(1000))
        try scene.waitForWorkers(2)
        try chat(new, other, "three")
    }

    @Test("W-55: a generation that has lingered long enough is told to come back")
    func lingers() throws {
        let scene = try RenewalScene("linger = 0\ndrain = 0\n")
        let peer = try WebSocketPeer(scene.daemon)
        let stream = try peer.open(on: scene.workers.server)
        try scene.reload("linger = 0\ndrain = 0\nmax-wait = 20\n")
        #expect(try peer.text().contains("<system-shutdown "))
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1001)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        try scene.waitForWorkers(2)
    }
}

extension WorkersScene {
    /// The tags of the workers that serve.
    func workerTags() throws -> [String] {
        let statistics = try daemon.statistics()
        return (1...20).map(String.init).filter { (try? statistics.number("workers.\($0).pid")) != nil }
    }
}
