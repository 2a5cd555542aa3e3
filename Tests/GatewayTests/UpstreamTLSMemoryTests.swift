import COpenSSL
import TestSupport
import Testing

/// The memory of a stream that TLS protects while no data is in flight.
@Suite struct UpstreamTLSMemoryTests {
    @Test("a session ticket leaves no buffer behind, and a certificate is held once")
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
                // The tickets come with the end of the handshake, after the client's header.
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
        // No stream resumes a TLS session, because each has its own server. A stream takes 4 KiB more if it holds the
        // certificate, and 8 if OpenSSL's buffers stay.
        #expect((8..<19).contains(each), "\(each) KiB")
    }
}
