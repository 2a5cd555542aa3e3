import TestSupport
import Testing

/// What clients over WebSocket may hold together.
@Suite struct WebSocketMemoryTests {
    @Test("memory-limit: clients that read nothing stop their servers before the limit, and get everything in the end")
    func boundsUnread() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port,
            environment: ["HOLDFAST_MEMORY_LIMIT": "16 MiB", "HOLDFAST_SESSION_BUFFER": "8 MiB"])
        let filling = String(repeating: "x", count: 60_000)
        var members: [(peer: WebSocketPeer, stream: ScriptedStream, sent: Int, unsent: [UInt8])] = []
        for _ in 0..<6 {
            let peer = try WebSocketPeer(daemon, receiveBuffer: 8_192)
            members.append((peer, try peer.open(on: server), 0, []))
        }
        // As much as the servers can send, until nothing goes any more although the daemon has handled everything.
        var idleRounds = 0
        while idleRounds < 10 {
            var progress = 0
            for index in members.indices {
                if members[index].unsent.isEmpty, members[index].sent < 600 {
                    members[index].unsent = Array("<message id='\(members[index].sent)'>\(filling)</message>".utf8)
                    members[index].sent += 1
                }
                let taken = try members[index].stream.wire.sendSome(members[index].unsent)
                members[index].unsent.removeFirst(taken)
                progress += taken
            }
            idleRounds = progress == 0 ? idleRounds + 1 : 0
            if progress == 0 { try daemon.settle() }
        }
        try daemon.settle()
        let statistics = try daemon.statistics()
        let held = try statistics.number("memory.held")
        #expect(held > 8 * 1_048_576 && held < 16 * 1_048_576, "held \(held), sent \(members.map(\.sent))")
        #expect(try statistics.number("websockets.now") == 6)
        for member in members {
            let whole = member.unsent.isEmpty ? member.sent : member.sent - 1
            for number in 0..<whole {
                #expect(try member.peer.text().hasPrefix("<message xmlns='jabber:client' id='\(number)'>"))
            }
        }
    }

    @Test("memory-limit: the rest of a message is refused while there is no memory for it, with a clean end")
    func refusesMessages() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port, "--max-body", "8388608", environment: ["HOLDFAST_MEMORY_LIMIT": "16 MiB"])
        var members: [(WebSocketPeer, ScriptedStream)] = []
        for _ in 0..<4 {
            let peer = try WebSocketPeer(daemon)
            let stream = try peer.open(on: server)
            try peer.logIn(on: stream)
            members.append((peer, stream))
        }
        let half = WebSocketPeer.frame([UInt8](repeating: 0x20, count: 7_000_000), isFinal: false)
        // The last ones wait until the first ones are whole, so that it is clear who comes too late.
        for (peer, _) in members {
            _ = try peer.wire.sendUntilCut(half)
            try daemon.settle()
        }
        let statistics = try daemon.statistics()
        let refused = try statistics.number("sessions.ended.out-of-memory")
        #expect((1...3).contains(refused))
        #expect(try statistics.number("websockets.now") == 4 - refused)
        #expect(try statistics.number("limits.memory-limit") >= 1)
        #expect(try statistics.number("memory.held") < 16 * 1_048_576)
        var told = 0
        for (peer, stream) in members {
            if try peer.wire.isSilent { continue }
            #expect(try peer.text().contains("<resource-constraint "))
            #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1008)])
            #expect(try stream.wire.readToEnd() == "</stream:stream>")
            told += 1
        }
        #expect(told == refused)
    }
}
