import CLinux
import COpenSSL
@testable import TLSCodec
import Testing

/// The memory of a stream while no data is in flight, for each way of opening it.
@Suite struct IdleStreamTests {
    /// A way to open streams, and how many bytes each stream may hold.
    private struct Kind: Sendable {
        let name: String
        let version: Int32
        let bound: Int
        var isResumed = false
        var tickets = true
        /// What the server sends to the open stream besides data.
        var extra: @Sendable (TestServer) -> [UInt8] = { _ in [] }
    }

    private static let kinds = [
        Kind(name: "TLS 1.3, first", version: TLS1_3_VERSION, bound: 15_500),
        Kind(name: "TLS 1.3, first, no tickets", version: TLS1_3_VERSION, bound: 15_500, tickets: false),
        Kind(name: "TLS 1.3, resumed", version: TLS1_3_VERSION, bound: 16_500, isResumed: true),
        Kind(name: "TLS 1.2, first", version: TLS1_2_VERSION, bound: 15_500),
        Kind(name: "TLS 1.2, first, no tickets", version: TLS1_2_VERSION, bound: 15_500, tickets: false),
        Kind(name: "TLS 1.2, resumed", version: TLS1_2_VERSION, bound: 13_500, isResumed: true),
        Kind(name: "TLS 1.3, a later ticket", version: TLS1_3_VERSION, bound: 15_500) { $0.sendTicket() },
        Kind(name: "TLS 1.3, new keys", version: TLS1_3_VERSION, bound: 15_500) { $0.updateKeys(mutually: false) },
        Kind(name: "TLS 1.3, new keys for both", version: TLS1_3_VERSION, bound: 15_500) { $0.updateKeys() },
        Kind(name: "TLS 1.2, asked to renegotiate", version: TLS1_2_VERSION, bound: 15_500) { $0.renegotiate() },
    ]

    /// Runs in a separate process, because the allocator does not tell who took the memory of a process.
    @Test func `An idle stream holds neither buffers nor the server's certificates, first or resumed`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let certificates = try Certificates()
            for kind in IdleStreamTests.kinds {
                let bytes = try IdleStreamTests.bytes(of: kind, certificates)
                print("\(kind.name): \(bytes) bytes")
                #expect((8_000..<kind.bound).contains(bytes), "\(kind.name)")
            }
        }
        print(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self), terminator: "")
    }

    /// An authority and a server's chain: two certificates with RSA keys, as is common.
    private struct Certificates {
        let authority: TestCertificate
        let intermediate: TestCertificate
        let leaf: TestCertificate

        init() throws {
            authority = try TestCertificate(commonName: "Test CA", isCA: true, kind: .rsa)
            intermediate = try TestCertificate(
                commonName: "Test intermediate CA", issuer: authority, isCA: true, kind: .rsa)
            leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: intermediate, kind: .rsa)
        }
    }

    /// The growth of the allocated memory, per stream of 100.
    private static func bytes(of kind: Kind, _ certificates: Certificates) throws -> Int {
        let server = try TestServer.Context(
            certificates.leaf, chain: [certificates.intermediate], versions: kind.version...kind.version,
            tickets: kind.tickets)
        let context = try TLSContext.trusting(certificates.authority)
        var streams: [TLSClient] = []
        streams.reserveCapacity(200)
        func open(_ count: Int) throws {
            for _ in 0..<count {
                // A stream that does not resume is like one that comes before the first ticket.
                if !kind.isResumed { context.forgetSession(for: "example.org") }
                streams.append(try stream(context, server, kind))
            }
        }
        try open(20)
        let before = allocated
        try open(100)
        let after = allocated
        try #require(streams.suffix(100).allSatisfy { $0.isResumed == kind.isResumed })
        return (after - before) / 100
    }

    /// The client's end of a new stream after all its traffic; the server's end is gone.
    private static func stream(_ context: TLSContext, _ server: TestServer.Context, _ kind: Kind) throws -> TLSClient {
        var talk = try Conversation(context, server)
        try talk.connect()
        try #require(talk.server.isEstablished)
        talk.toServer(try talk.sealed(Array("header".utf8)))
        talk.toClient(talk.server.send(Array("features".utf8)))
        _ = talk.receive(kind.extra(talk.server))
        try #require(talk.received == Array("features".utf8) && talk.progress.last == .open)
        return talk.client
    }

    /// The bytes in use, as the allocator counts them.
    private static var allocated: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }
}
