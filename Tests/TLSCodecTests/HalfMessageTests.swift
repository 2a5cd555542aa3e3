import COpenSSL
import TLSCodec
import Testing

/// Data that is sent after half of a message of TLS itself has come.
@Suite struct HalfMessageTests {
    private let authority: TestCertificate
    private let leaf: TestCertificate
    private let own: TestCertificate

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
        own = try TestCertificate(commonName: "gateway", issuer: authority, extendedKeyUsage: "clientAuth")
    }

    /// A stream whose server sends small records, and tickets that contain the client's certificate and are larger than
    /// one record.
    private func talk() throws -> Conversation {
        let certificate = PEMFile(path: "/etc/c.pem", bytes: try TestCertificate.pem([own]))
        let key = PEMFile(path: "/etc/k.pem", bytes: try own.keyPEM())
        let context = try TLSContext.trusting(authority, rules: TLSRules(certificate: certificate, key: key))
        let server = try TestServer.Context(
            leaf, versions: TLS1_3_VERSION...TLS1_3_VERSION, clientCertificate: .required, fragment: 512)
        var talk = try Conversation(context, server)
        try talk.connect()
        try #require(talk.server.isEstablished)
        return talk
    }

    /// The positions at which the records of `bytes` end.
    private func recordEnds(_ bytes: [UInt8]) -> [Int] {
        var ends: [Int] = []
        var offset = 0
        while offset + 5 <= bytes.count {
            offset += 5 + Int(bytes[offset + 3]) << 8 + Int(bytes[offset + 4])
            ends.append(offset)
        }
        return ends
    }

    @Test func `What is sent behind half a ticket goes out, in order, when the rest has come`() throws {
        var talk = try talk()
        let ticket = talk.server.sendTicket()
        let ends = recordEnds(ticket)
        try #require(ends.count > 1)
        #expect(talk.receive(Array(ticket[..<ends[0]])).isEmpty)
        // The data cannot be written yet, which is no error.
        #expect(try talk.sealed(Array("first ".utf8)).isEmpty)
        #expect(try talk.sealed(Array("second ".utf8)).isEmpty)
        talk.toClient(Array(ticket[ends[0]...]))
        #expect(String(decoding: talk.receivedByServer, as: UTF8.self) == "first second ")
        talk.toServer(try talk.sealed(Array("third".utf8)))
        #expect(String(decoding: talk.receivedByServer, as: UTF8.self) == "first second third")
        talk.toClient(talk.server.send(Array("answer".utf8)))
        #expect(String(decoding: talk.received, as: UTF8.self) == "answer")
    }

    @Test func `Wherever a ticket is cut, nothing is lost`() throws {
        let length = try talk().server.sendTicket().count
        for cut in stride(from: 1, to: length, by: 37) {
            var talk = try talk()
            let ticket = talk.server.sendTicket()
            #expect(talk.receive(Array(ticket.prefix(cut))).isEmpty)
            talk.toServer(try talk.sealed(Array("cut at \(cut)".utf8)))
            talk.toClient(Array(ticket.dropFirst(cut)))
            #expect(String(decoding: talk.receivedByServer, as: UTF8.self) == "cut at \(cut)")
        }
    }

    @Test func `A server that never ends its message is not sent to without bound`() throws {
        var talk = try talk()
        let ticket = talk.server.sendTicket()
        _ = talk.receive(Array(ticket[..<(try #require(recordEnds(ticket).first))]))
        let piece = [UInt8](repeating: 0x78, count: 1_048_576)
        for _ in 0..<8 { #expect(try talk.sealed(piece).isEmpty) }
        let error = #expect(throws: TLSError.self) { try talk.sealed([1]) }
        #expect(error?.label == "our-fault")
    }
}
