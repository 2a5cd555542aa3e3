import COpenSSL
import Testing

@testable import TLSCodec

@Suite struct SessionResumptionTests {
    let authority: TestCertificate
    let leaf: TestCertificate
    let context: TLSContext

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(
            commonName: "server", names: "DNS:example.org,DNS:example.com", issuer: authority)
        context = try .trusting(authority)
    }

    /// Runs a whole stream; returns whether it was resumed.
    private func run(_ server: TestServer.Context, domain: String = "example.org", isClosed: Bool = true) throws -> Bool
    {
        var talk = try Conversation(context, server, domain: domain)
        try talk.connect()
        try #require(talk.server.isEstablished)
        talk.toClient(talk.server.send(Array("payload".utf8)))
        #expect(talk.received == Array("payload".utf8))
        if isClosed {
            var output: [UInt8] = []
            talk.client.close(into: &output)
            talk.toServer(output)
        }
        return talk.client.isResumed
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [true, false])
    func `Later streams to a domain resume, closed properly or dropped`(version: Int32, isClosed: Bool) throws {
        let server = try TestServer.Context(leaf, versions: version...version)
        #expect(try run(server, isClosed: isClosed) == false)
        for _ in 0..<5 { #expect(try run(server, isClosed: isClosed)) }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 22, 255])
    func `Tickets and what stands behind them arrive whole in pieces of any size`(size: Int) throws {
        let server = try TestServer.Context(leaf)
        var talk = try Conversation(context, server)
        try talk.connect { bytes in
            stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
        }
        try #require(talk.server.isEstablished)
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000)
        let records = talk.server.send(text) + talk.server.send(text)
        for start in stride(from: 0, to: records.count, by: size) {
            talk.toClient(Array(records[start..<min(start + size, records.count)]))
        }
        #expect(talk.received == text + text)
        talk.toServer(try talk.sealed(text))
        #expect(talk.receivedByServer == text)
    }

    @Test func `Streams that are open at the same time may share a session`() throws {
        let server = try TestServer.Context(leaf)
        #expect(try run(server) == false)
        var talks: [Conversation] = []
        for _ in 0..<4 {
            var talk = try Conversation(context, server)
            try talk.connect()
            talks.append(talk)
        }
        #expect(talks.allSatisfy { $0.client.isResumed && $0.server.isEstablished })
    }

    @Test func `A session is offered to its own domain only`() throws {
        let server = try TestServer.Context(leaf)
        #expect(try run(server) == false)
        #expect(try run(server, domain: "example.com") == false)
        #expect(try run(server, domain: "EXAMPLE.com."))
        #expect(try run(server))
    }

    @Test func `A context of its own knows no sessions of another`() throws {
        let server = try TestServer.Context(leaf)
        #expect(try run(server) == false)
        var talk = try Conversation(.trusting(authority), server)
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(!talk.client.isResumed)
    }

    @Test func `A domain is one however it is written, and another however alike`() throws {
        let both = try TestCertificate(
            commonName: "server", names: "DNS:xn--bcher-kva.example,DNS:bucher.example,DNS:*.example.org",
            issuer: authority)
        let server = try TestServer.Context(both)
        #expect(try run(server, domain: "bücher.example") == false)
        #expect(try run(server, domain: "BÜCHER.example."))
        #expect(try run(server, domain: "xn--bcher-kva.example"))
        #expect(try run(server, domain: "bucher.example") == false)
        // One wildcard certificate covers both names, but each domain resumes only its own sessions.
        #expect(try run(server, domain: "a.example.org") == false)
        #expect(try run(server, domain: "b.example.org") == false)
    }

    @Test func `A context with stricter rules takes no session of a milder one`() throws {
        let server = try TestServer.Context(leaf)
        #expect(try run(server) == false)
        #expect(try run(server))
        var talk = try Conversation(
            .trusting(authority, rules: TLSRules(pins: [[UInt8](repeating: 0, count: 32)])), server)
        #expect(try talk.connect()?.error?.label == "pin")
    }

    @Test func `A server that lost its ticket keys gets a full handshake`() throws {
        #expect(try run(.init(leaf)) == false)
        #expect(try run(.init(leaf)) == false)
    }

    @Test func `A refused certificate leaves no session behind`() throws {
        let server = try TestServer.Context(leaf)
        for _ in 0..<2 {
            var talk = try Conversation(context, server, domain: "example.net")
            try talk.connect()
            #expect(talk.progress.last?.error?.label == "wrong-name")
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `However often it was resumed, a session lives no longer than the trust in the certificate`(version: Int32)
        throws
    {
        let server = try TestServer.Context(leaf, versions: version...version)
        let earliest = time(nil)
        #expect(try run(server) == false)
        let latest = time(nil)
        let first = try #require(context.session(for: "example.org", now: latest))
        #expect((earliest...latest).contains(first.verifiedAt))
        // The session is made to look older than it is; the session that results from resuming it is as old.
        SSL_SESSION_up_ref(first.handle)
        context.keep(.init(handle: first.handle, verifiedAt: latest - 3000), for: "example.org")
        for _ in 0..<3 { #expect(try run(server)) }
        #expect(try #require(context.session(for: "example.org", now: latest)).verifiedAt == latest - 3000)
        #expect(context.session(for: "example.org", now: latest + 600) != nil)
        #expect(context.session(for: "example.org", now: latest + 601) == nil)
        // The session was dropped for good, and the time starts again with the next full handshake.
        #expect(context.session(for: "example.org", now: latest) == nil)
        #expect(try run(server) == false)
        #expect(try #require(context.session(for: "example.org", now: time(nil))).verifiedAt >= latest)
    }

    @Test func `A clock that was set back ends what it cannot judge`() throws {
        #expect(try run(.init(leaf)) == false)
        #expect(context.session(for: "example.org", now: time(nil) - 60) == nil)
    }

    @Test func `A failed handshake drops the session that was offered`() throws {
        let server = try TestServer.Context(leaf)
        #expect(try run(server) == false)
        #expect(try run(server))
        var talk = try Conversation(context, server)
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        _ = talk.receive([21, 3, 3, 0, 2, 2, 40])
        #expect(talk.progress.last?.error?.label == "alert")
        #expect(try run(server) == false)
        #expect(try run(server))
    }

    @Test func `The sessions kept are bounded`() throws {
        let wildcard = try TestCertificate(commonName: "server", names: "DNS:*.example.org", issuer: authority)
        let server = try TestServer.Context(wildcard)
        let names = (0..<300).map { "host\($0).example.org" }
        for name in names { #expect(try run(server, domain: name) == false) }
        let resumed = try names.count { try run(server, domain: $0) }
        #expect(resumed <= 256)
        #expect(resumed > 0)
    }
}
