import TLSCodec

/// A client under test and a server, connected only by arrays.
struct Conversation {
    let client: TLSClient
    let server: TestServer
    /// Every progress that the client reported, without repeated `handshaking` and `open`.
    private(set) var progress: [TLSProgress] = []
    /// What the client decrypted so far.
    private(set) var received: [UInt8] = []
    /// What the server decrypted so far.
    private(set) var receivedByServer: [UInt8] = []

    init(_ context: TLSContext, _ server: TestServer.Context, domain: String = "example.org", alpn: String? = nil)
        throws
    {
        client = try TLSClient(context: context, domain: domain, alpn: alpn)
        self.server = try TestServer(server)
    }

    /// Runs the handshake to its end, successful or not. The server's bytes reach the client in the pieces that `cut`
    /// makes.
    @discardableResult
    mutating func connect(cut: ([UInt8]) -> [ArraySlice<UInt8>] = { [$0[...]] }) throws -> TLSProgress? {
        var hello: [UInt8] = []
        try client.start(into: &hello)
        toServer(hello, cut: cut)
        return progress.last
    }

    /// Gives bytes to the server and its answer to the client, and so on until both are silent.
    mutating func toServer(_ bytes: [UInt8], cut: ([UInt8]) -> [ArraySlice<UInt8>] = { [$0[...]] }) {
        var towardsServer = bytes
        while !towardsServer.isEmpty {
            let (plaintext, answer) = server.receive(towardsServer)
            receivedByServer += plaintext
            towardsServer = []
            for piece in cut(answer) where !piece.isEmpty { towardsServer += receive(Array(piece)) }
        }
    }

    /// Gives the server's bytes to the client, and the client's answers to the server.
    mutating func toClient(_ bytes: [UInt8]) {
        toServer(receive(bytes))
    }

    /// Gives bytes only to the client; returns its reply.
    mutating func receive(_ bytes: [UInt8]) -> [UInt8] {
        var reply: [UInt8] = []
        let result = client.receive(bytes.span, plaintext: &received, reply: &reply)
        if progress.last != result || (result != .handshaking && result != .open) { progress.append(result) }
        return reply
    }

    /// The client's encryption of `plaintext`.
    func sealed(_ plaintext: [UInt8]) throws -> [UInt8] {
        var output: [UInt8] = []
        try client.send(plaintext.span, into: &output)
        return output
    }
}

extension TLSContext {
    /// A context that trusts `authorities` only.
    static func trusting(_ authorities: TestCertificate..., rules: TLSRules = TLSRules()) throws -> TLSContext {
        var rules = rules
        rules.trust = .file(PEMFile(path: "/etc/ca.pem", bytes: try TestCertificate.pem(authorities)))
        return try TLSContext(rules: rules)
    }
}

extension TLSProgress {
    /// The failure, if this is one.
    var error: TLSError? {
        if case .failed(let error) = self { error } else { nil }
    }
}
