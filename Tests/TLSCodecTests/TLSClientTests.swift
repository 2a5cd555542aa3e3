import COpenSSL
import TLSCodec
import Testing

/// the stream itself. `CertificateTests` tests which certificates are accepted.
@Suite struct TLSClientTests {
    let authority: TestCertificate
    let leaf: TestCertificate
    let context: TLSContext

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
        context = try .trusting(authority)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `A handshake is reported once and bytes pass both ways`(version: Int32) throws {
        var talk = try Conversation(context, .init(leaf, versions: version...version))
        try talk.connect()
        #expect(talk.progress.filter { $0 == .established }.count == 1)
        #expect(talk.progress.last == .established || talk.progress.last == .open)
        #expect(talk.server.isEstablished)
        #expect(talk.client.summary.hasPrefix(version == TLS1_2_VERSION ? "TLSv1.2 " : "TLSv1.3 "))

        try talk.toServer(talk.sealed(Array("<stream:stream>".utf8)))
        #expect(talk.receivedByServer == Array("<stream:stream>".utf8))
        talk.toClient(talk.server.send(Array("<stream:features/>".utf8)))
        #expect(talk.received == Array("<stream:features/>".utf8))
        #expect(talk.progress.last == .open)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `Bytes may come one by one`(version: Int32) throws {
        var talk = try Conversation(context, .init(leaf, versions: version...version))
        try talk.connect { bytes in bytes.indices.map { bytes[$0...$0] } }
        #expect(talk.progress.filter { $0 == .established }.count == 1)
        for byte in talk.server.send(Array("hello".utf8)) { talk.toClient([byte]) }
        #expect(talk.received == Array("hello".utf8))
    }

    @Test func `The handshake may be split at every point`() throws {
        let server = try TestServer.Context(leaf)
        var point = 1
        var longest = 2
        while point < longest {
            // Each run has a new context, because a resumed handshake is shorter.
            var talk = try Conversation(.trusting(authority), server)
            try talk.connect { bytes in
                longest = max(longest, bytes.count)
                let border = min(point, bytes.count)
                return [bytes[..<border], bytes[border...]]
            }
            #expect(talk.progress.filter { $0 == .established }.count == 1, "split at \(point)")
            point += 1
        }
        #expect(longest > 500)
    }

    @Test func `A record may be split at every point`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        for point in 0...60 {
            let record = talk.server.send(Array("0123456789".utf8))
            let border = min(point, record.count)
            talk.toClient(Array(record[..<border]))
            talk.toClient(Array(record[border...]))
        }
        #expect(talk.received == Array(repeating: Array("0123456789".utf8), count: 61).flatMap { $0 })
    }

    @Test func `Plaintext that comes with the end of the handshake is given with established`() throws {
        // With TLS 1.3 the server may write before it has the client's Finished; here both come in one piece.
        var talk = try Conversation(context, .init(leaf, versions: TLS1_2_VERSION...TLS1_2_VERSION))
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        let finished = talk.receive(talk.server.receive(hello).reply)
        let last = talk.server.receive(finished).reply + talk.server.send(Array("early".utf8))
        #expect(talk.receive(last).isEmpty)
        #expect(talk.progress.last == .established)
        #expect(talk.received == Array("early".utf8))
    }

    @Test func `A large transfer passes both ways unchanged`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        let payload = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let sealed = talk.server.send(payload)
        for start in stride(from: 0, to: sealed.count, by: 4093) {
            talk.toClient(Array(sealed[start..<min(start + 4093, sealed.count)]))
        }
        #expect(talk.received == payload)
        try talk.toServer(talk.sealed(payload))
        #expect(talk.receivedByServer == payload)
    }

    @Test func `What is appended leaves the earlier bytes of the caller alone`() throws {
        let client = try TLSClient(context: context, domain: "example.org")
        let server = try TestServer(.init(leaf))
        var output = Array("kept".utf8)
        try client.start(into: &output)
        #expect(output.starts(with: Array("kept".utf8)))
        var plaintext = Array("before".utf8)
        var reply = Array("queued".utf8)
        let answer = server.receive(Array(output.dropFirst(4))).reply
        #expect(client.receive(answer.span, plaintext: &plaintext, reply: &reply) == .established)
        #expect(reply.starts(with: Array("queued".utf8)))
        let greeting = server.receive(Array(reply.dropFirst(6))).reply + server.send(Array("!".utf8))
        #expect(client.receive(greeting.span, plaintext: &plaintext, reply: &reply) == .open)
        #expect(plaintext == Array("before!".utf8))
    }

    @Test func `Nothing sent yields no record`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        #expect(try talk.sealed([]).isEmpty)
        #expect(talk.receive([]).isEmpty)
        #expect(talk.progress.last == .open)
    }

    @Test func `SNI and ALPN name the domain and the protocol`() throws {
        let server = try TestServer.Context(leaf, alpn: "xmpp-client")
        var talk = try Conversation(context, server, domain: "EXAMPLE.org", alpn: "xmpp-client")
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.server.serverName == "example.org")
        #expect(server.offeredALPN == [11] + Array("xmpp-client".utf8))
    }

    @Test func `Without ALPN none is offered`() throws {
        let server = try TestServer.Context(leaf, alpn: "xmpp-client")
        var talk = try Conversation(context, server)
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(server.offeredALPN.isEmpty)
    }

    @Test func `A server that refuses the protocol is an alert`() throws {
        var talk = try Conversation(context, .init(leaf, alpn: "imap"), alpn: "xmpp-client")
        try talk.connect()
        #expect(talk.progress.last?.error?.label == "alert")
        #expect(talk.progress.last?.error?.description.contains("no application protocol") == true)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `A server that knows no ALPN is as good`(version: Int32) throws {
        var talk = try Conversation(context, .init(leaf, versions: version...version), alpn: "xmpp-client")
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.progress.contains(.established))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `A server that chooses another protocol is refused`(version: Int32) throws {
        let server = try TestServer.Context(
            leaf, versions: version...version, alpn: "imap", insistsOnALPN: true)
        var talk = try Conversation(context, server, alpn: "xmpp-client")
        try talk.connect()
        #expect(talk.progress.count == 1)
        let error = try #require(talk.progress.last?.error)
        #expect(error.label == "handshake")
        #expect(talk.server.hasFailed)
        #expect(throws: error) { _ = try talk.sealed([1]) }
    }

    @Test(arguments: [TLS1_1_VERSION, TLS1_2_VERSION])
    func `A server with only an older version is refused`(version: Int32) throws {
        let minimum: TLSVersion = version == TLS1_1_VERSION ? .tls12 : .tls13
        var talk = try Conversation(
            .trusting(authority, rules: TLSRules(minimumVersion: minimum)), .init(leaf, versions: version...version))
        try talk.connect()
        #expect(talk.progress == [.failed(.protocolVersion)])
    }

    @Test func `A server that answers in TLS 1-1 all the same is refused`() throws {
        var talk = try Conversation(context, .init(leaf))
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        // ServerHello: version 3.2, 32 bytes of random, no session id, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        let body: [UInt8] = [3, 2] + [UInt8](repeating: 7, count: 32) + [0, 0, 0x2F, 0]
        let message: [UInt8] = [2, 0, 0, UInt8(body.count)] + body
        let alert = talk.receive([22, 3, 2, 0, UInt8(message.count)] + message)
        #expect(talk.progress == [.failed(.protocolVersion)])
        #expect(alert.first == 21)
    }

    @Test func `The peer's close_notify ends the stream and later bytes are dropped`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        let last = talk.server.send(Array("bye".utf8)) + talk.server.close()
        _ = talk.receive(last + Array("junk".utf8))
        #expect(talk.progress.last == .closedByPeer)
        #expect(talk.received == Array("bye".utf8))
        _ = talk.receive(Array("more junk".utf8))
        #expect(talk.progress.last == .closedByPeer)
        #expect(talk.client.endOfInput() == .closedByPeer)
    }

    @Test func `close sends close_notify once, and the other direction stays open`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        var output: [UInt8] = []
        talk.client.close(into: &output)
        #expect(!output.isEmpty)
        let length = output.count
        talk.client.close(into: &output)
        #expect(output.count == length)
        talk.toServer(output)
        #expect(talk.server.isClosedByClient)
        talk.toClient(talk.server.send(Array("late".utf8)))
        #expect(talk.received == Array("late".utf8))
        #expect(throws: TLSError.ourFault(detail: "bytes were sent after the stream was closed")) {
            _ = try talk.sealed([1])
        }
    }

    @Test func `A stream closed by the peer can still send and close`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        _ = talk.receive(talk.server.close())
        var output = try talk.sealed(Array("last words".utf8))
        talk.client.close(into: &output)
        #expect(talk.server.receive(output).plaintext == Array("last words".utf8))
        #expect(talk.server.isClosedByClient)
    }

    @Test func `An end without close_notify is a truncation`() throws {
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        let record = talk.server.send(Array("cut".utf8))
        _ = talk.receive(Array(record.dropLast()))
        #expect(talk.client.endOfInput() == .failed(.truncated))
        #expect(talk.received.isEmpty)
        _ = talk.receive([record[record.count - 1]])
        #expect(talk.progress.last == .failed(.truncated))
    }

    @Test func `An end during the handshake has a reason of its own`() throws {
        let talk = try Conversation(context, .init(leaf))
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        #expect(talk.client.endOfInput() == .failed(.closedDuringHandshake))
        let again = talk.client.endOfInput()
        #expect(again == .failed(.closedDuringHandshake))
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
        "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}", "\u{16}\u{3}\u{3}\u{7F}\u{7F}\u{7F}\u{7F}",
    ])
    func `Junk instead of a handshake is a failure that stays`(junk: String) throws {
        var talk = try Conversation(context, .init(leaf))
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        _ = talk.receive(Array(junk.utf8))
        let error = try #require(talk.progress.last?.error)
        #expect(error.label == "record" || error.label == "handshake", "\(error)")
        _ = talk.receive(Array(junk.utf8))
        #expect(talk.progress.last == .failed(error))
        #expect(throws: error) { _ = try talk.sealed([1]) }
    }

    @Test func `Random bytes never establish a stream`() throws {
        var generator = SplitMix(state: 42)
        for round in 0..<300 {
            let client = try TLSClient(context: context, domain: "example.org")
            var output: [UInt8] = []
            try client.start(into: &output)
            var plaintext: [UInt8] = []
            var junk = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if round.isMultiple(of: 2) { junk.replaceSubrange(0..<0, with: [22, 3, 3, 0, UInt8(junk.count)]) }
            let progress = client.receive(junk.span, plaintext: &plaintext, reply: &output)
            #expect(progress == .handshaking || progress.error != nil)
            #expect(plaintext.isEmpty)
        }
    }

    @Test func `A changed byte anywhere in a record ends the stream`() throws {
        let server = try TestServer.Context(leaf)
        for position in 0..<30 {
            var talk = try Conversation(context, server)
            try talk.connect()
            var record = talk.server.send(Array("0123456789".utf8))
            record[position % record.count] ^= 0x40
            _ = talk.receive(record + talk.server.send([UInt8](repeating: 1, count: 20000)))
            #expect(talk.progress.last?.error != nil, "byte \(position)")
            #expect(talk.received.isEmpty)
        }
    }

    @Test func `A fatal alert of the server is named`() throws {
        var talk = try Conversation(context, .init(leaf))
        var hello: [UInt8] = []
        try talk.client.start(into: &hello)
        _ = talk.receive([21, 3, 3, 0, 2, 2, 40])
        #expect(talk.progress.last?.error?.label == "alert")
        #expect(talk.progress.last?.error?.description.contains("handshake failure") == true)
    }

    @Test func `Key updates are answered and the stream goes on`() throws {
        var talk = try Conversation(context, .init(leaf, versions: TLS1_3_VERSION...TLS1_3_VERSION))
        try talk.connect()
        talk.toClient(talk.server.updateKeys() + talk.server.send(Array("new key".utf8)))
        #expect(talk.received == Array("new key".utf8))
        try talk.toServer(talk.sealed(Array("mine too".utf8)))
        #expect(talk.receivedByServer == Array("mine too".utf8))
    }

    @Test func `Renegotiation is refused with an alert`() throws {
        var talk = try Conversation(context, .init(leaf, versions: TLS1_2_VERSION...TLS1_2_VERSION))
        try talk.connect()
        let reply = talk.receive(talk.server.renegotiate())
        #expect(reply.first == 21, "an alert record")
        #expect(talk.progress.last == .open)
    }

    @Test(arguments: FloodedMessage.allCases)
    func `Messages of TLS without data between them end the stream`(message: FloodedMessage) throws {
        let version = message == .renegotiation ? TLS1_2_VERSION : TLS1_3_VERSION
        var talk = try Conversation(context, .init(leaf, versions: version...version))
        try talk.connect()
        var flood: [UInt8] = []
        for _ in 0..<1_000 { flood += talk.send(message) }
        let reply = talk.receive(flood)
        #expect(talk.progress.last == .failed(.messageFlood))
        // OpenSSL answered only the messages that it was given.
        #expect(reply.count < 33 * 64)
    }

    @Test(arguments: FloodedMessage.allCases)
    func `A byte of data between them pays for none`(message: FloodedMessage) throws {
        let version = message == .renegotiation ? TLS1_2_VERSION : TLS1_3_VERSION
        var talk = try Conversation(context, .init(leaf, versions: version...version))
        try talk.connect()
        for _ in 0..<100 where talk.progress.last?.error == nil {
            _ = talk.receive(talk.send(message) + talk.server.send([0x20]))
        }
        #expect(talk.progress.last == .failed(.messageFlood))
        #expect(!talk.received.isEmpty && talk.received.count <= 32)
    }

    @Test func `A server may renew its keys with each record for as long as it likes`() throws {
        var talk = try Conversation(context, .init(leaf, versions: TLS1_3_VERSION...TLS1_3_VERSION))
        try talk.connect()
        let data = [UInt8](repeating: 0x61, count: 1_024)
        for _ in 0..<200 { talk.toClient(talk.server.updateKeys() + talk.server.send(data)) }
        #expect(talk.received.count == 200 * data.count)
        #expect(talk.progress.last != .failed(.messageFlood))
        try talk.toServer(talk.sealed(Array("mine too".utf8)))
        #expect(talk.receivedByServer == Array("mine too".utf8))
    }

    @Test func `After too many messages nothing is read, and what came before is there`() throws {
        var talk = try Conversation(context, .init(leaf, versions: TLS1_3_VERSION...TLS1_3_VERSION))
        try talk.connect()
        var bytes = talk.server.send(Array("before".utf8))
        for _ in 0..<100 { bytes += talk.server.updateKeys() }
        _ = talk.receive(bytes + talk.server.send(Array("behind".utf8)))
        #expect(talk.received == Array("before".utf8))
        #expect(talk.client.endOfInput() == .failed(.messageFlood))
        #expect(talk.receive(talk.server.send([1])).isEmpty)
        #expect(throws: TLSError.messageFlood) { try talk.sealed([1]) }
    }

    @Test func `Calls out of order are our fault, not a trap`() throws {
        let client = try TLSClient(context: context, domain: "example.org")
        var output: [UInt8] = []
        #expect(throws: TLSError.ourFault(detail: "bytes were sent before the handshake was over")) {
            try client.send([1].span, into: &output)
        }
        client.close(into: &output)
        #expect(output.isEmpty)
        try client.start(into: &output)
        #expect(throws: TLSError.ourFault(detail: "a stream was started twice")) { try client.start(into: &output) }

        let unstarted = try TLSClient(context: context, domain: "example.org")
        var plaintext: [UInt8] = []
        #expect(unstarted.receive([22].span, plaintext: &plaintext, reply: &output).error?.label == "our-fault")
    }

    @Test(arguments: ["", "a..b", "a b", "\u{7}", String(repeating: "a", count: 300)])
    func `What is no domain is refused at once`(domain: String) throws {
        #expect(throws: TLSError.self) { try TLSClient(context: context, domain: domain) }
    }

    @Test(arguments: ["", String(repeating: "x", count: 256)])
    func `What is no ALPN protocol is refused at once`(alpn: String) throws {
        #expect(throws: TLSError.self) { try TLSClient(context: context, domain: "example.org", alpn: alpn) }
    }
}

/// A generator with a fixed seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Messages besides data that a server can send without end.
enum FloodedMessage: CaseIterable {
    case keyUpdate, renegotiation, ticket
}

extension Conversation {
    /// The server's records with one such message.
    fileprivate func send(_ message: FloodedMessage) -> [UInt8] {
        switch message {
        case .keyUpdate: server.updateKeys()
        case .renegotiation: server.renegotiate()
        case .ticket: server.sendTicket()
        }
    }
}
