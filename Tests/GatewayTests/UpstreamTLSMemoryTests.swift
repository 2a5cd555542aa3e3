import COpenSSL
import TestSupport
import Testing

/// What a stream that TLS protects takes while nothing is in flight.
@Suite struct UpstreamTLSMemoryTests {
    @Test("a session ticket leaves no buffer behind")
    func ticket() throws {
        let authority = try TLSIdentity.authority()
        let identity = try TLSIdentity(issuedBy: authority)
        let scene = try HostileScene("direct", trusting: authority)
        var sessions: [(BOSHClient, ScriptedStream, SecuredStream)] = []
        func open(_ count: Int) throws {
            for _ in 0..<count {
                let client = BOSHClient(scene.daemon)
                let request = try client.create()
                let stream = try scene.server.accept()
                // The tickets come with the end of the handshake, behind the client's header.
                let secured = try stream.secure(as: identity)
                try secured.send(ScriptedStream.header() + ScriptedStream.features)
                try client.adopt(try request.answer())
                sessions.append((client, stream, secured))
            }
        }
        try open(20)
        let before = try scene.daemon.residentKilobytes()
        try open(100)
        let each = (try scene.daemon.residentKilobytes() - before) / 100
        // 20 KiB; 28 where some of OpenSSL's buffers stay.
        #expect((8..<25).contains(each), "\(each) KiB")
    }
}
