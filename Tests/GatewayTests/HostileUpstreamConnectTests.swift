import TestSupport
import Testing

/// Servers that do harm before they have sent a byte.
@Suite struct HostileUpstreamConnectTests {
    @Test("S-17: a server that will not have a connection", arguments: HostileListener.all)
    func refuses(listener: HostileListener) throws {
        let scene = try HostileScene()
        if listener.actsFirst { try listener.act(scene.server) }
        let request = try BOSHClient(scene.daemon).create()
        if !listener.actsFirst {
            // The connection is established before anybody accepts it.
            try scene.daemon.settle()
            try listener.act(scene.server)
        }
        #expect(try request.isTurnedAway())
        try scene.expectOneEnded(listener.reason)
    }

    @Test("S-17: a server that refuses a hundred connections one after the other")
    func refusesAgainAndAgain() throws {
        let scene = try HostileScene()
        scene.server.stopListening()
        for _ in 0..<100 {
            #expect(try BOSHClient(scene.daemon).create().isTurnedAway())
        }
        try scene.expectOthersUnharmed()
    }
}

/// What a server does with a connection attempt.
struct HostileListener: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    /// Whether the server acts before the attempt.
    var actsFirst = false
    let act: @Sendable (ScriptedUpstream) throws -> Void

    static let all = [
        Self(testDescription: "refuses it", reason: "upstream-unreachable", actsFirst: true) { $0.stopListening() },
        Self(testDescription: "stops listening before it has accepted it", reason: "upstream-lost") {
            $0.stopListening()
        },
        Self(testDescription: "accepts and closes", reason: "upstream-lost") {
            let stream = try $0.accept()
            _ = try stream.readHeader()
            stream.wire.close()
        },
        Self(testDescription: "accepts and closes, the header unread", reason: "upstream-lost") {
            try $0.accept().wire.close()
        },
        Self(testDescription: "accepts and resets", reason: "upstream-lost") { try $0.accept().wire.reset() },
        Self(testDescription: "accepts, closes its side and reads on", reason: "upstream-lost") {
            let stream = try $0.accept()
            try stream.wire.shutdownWrite()
            try stream.wire.drain()
        },
        Self(testDescription: "ends with white space", reason: "upstream-lost") {
            let stream = try $0.accept()
            _ = try stream.readHeader()
            try stream.send(" \n\t\r ")
            stream.wire.close()
        },
    ]
}
