import TestSupport
import Testing

/// The PROXY header, which tells a server the client of a stream.
@Suite struct UpstreamProxyHeaderTests {
    private let server: ScriptedUpstream

    init() throws {
        server = try ScriptedUpstream()
    }

    private func daemon(_ version: String, flags: [String] = []) throws -> Daemon {
        try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"] + flags,
            environment: ["HOLDFAST_UPSTREAM_PROXY_PROTOCOL": version])
    }

    /// Asks for a session on a separate connection whose port is known.
    private func create(_ daemon: Daemon) throws -> (client: BOSHClient, connection: RawClient) {
        let client = BOSHClient(daemon)
        let connection = try daemon.connect()
        try connection.send(RawClient.post(client.nextBody("to='example.org' wait='60' hold='1' ver='1.6'")))
        return (client, connection)
    }

    /// The header of version 1 for a client's connection.
    private func line(_ connection: RawClient) throws -> [UInt8] {
        Array("PROXY TCP4 127.0.0.1 127.0.0.1 \(try connection.wire.localPort) \(server.port)\r\n".utf8)
    }

    /// The header of version 2 for a client's connection.
    private func binary(_ connection: RawClient) throws -> [UInt8] {
        let port = try connection.wire.localPort
        return [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 12]
            + [127, 0, 0, 1, 127, 0, 0, 1]
            + [port, server.port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    private func header(_ version: String, _ connection: RawClient) throws -> [UInt8] {
        version == "v1" ? try line(connection) : try binary(connection)
    }

    @Test("PROXY to the server: it comes before the stream, and once", arguments: ["v1", "v2"])
    func beforeStream(version: String) throws {
        let daemon = try daemon(version)
        let (client, connection) = try create(daemon)
        let stream = try server.accept()
        let expected = try header(version, connection)
        #expect(try stream.wire.read(count: expected.count) == expected)
        // Only the stream comes after it.
        #expect(try stream.wire.read(count: 21) == Array("<?xml version='1.0'?>".utf8))
        try stream.open()
        try client.adopt(try BOSHBody(try connection.answer().body))
        let restart = try client.restart()
        #expect(try stream.read(until: ">") == "<?xml version='1.0'?>")
        try stream.open(id: "s2")
        #expect(try restart.answer().payload == ScriptedStream.features)
    }

    @Test("PROXY to the server: it comes before TLS", arguments: ["v1", "v2"], ["direct", "starttls"])
    func beforeTLS(version: String, mode: String) throws {
        let authority = try TLSIdentity.authority()
        let file = try TemporaryFile(authority.pem)
        let daemon = try daemon(version, flags: ["--upstream-tls", mode, "--upstream-ca", file.path])
        let (client, connection) = try create(daemon)
        let stream = try server.accept()
        let expected = try header(version, connection)
        #expect(try stream.wire.read(count: expected.count) == expected)
        if mode == "starttls" { try stream.proceed() }
        let secured = try stream.secure(as: try TLSIdentity(issuedBy: authority))
        try secured.send(ScriptedStream.header() + ScriptedStream.features)
        try client.adopt(try BOSHBody(try connection.answer().body))
        try secured.send("<message id='m1'/>")
        #expect(try client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
    }

    @Test("PROXY to the server: each one that is tried is told", arguments: ["v1", "v2"])
    func everyTarget(version: String) throws {
        let second = try ScriptedUpstream()
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:\(second.port) priority=0", "--upstream", "127.0.0.1:\(server.port) priority=1"],
            environment: ["HOLDFAST_UPSTREAM_PROXY_PROTOCOL": version])
        let (client, connection) = try create(daemon)
        let failed = try second.accept()
        _ = try failed.readHeader()
        failed.wire.close()
        let stream = try server.accept()
        let expected = try header(version, connection)
        #expect(try stream.wire.read(count: expected.count) == expected)
        try stream.open()
        try client.adopt(try BOSHBody(try connection.answer().body))
    }

    @Test("PROXY to the server: a client on a Unix socket has no address", arguments: ["v1", "v2"])
    func unixSocket(version: String) throws {
        let file = try TemporaryFile([])
        let path = file.path + ".sock"
        let daemon = try daemon(version, flags: ["--listen", "unix:\(path)"])
        let client = BOSHClient(daemon)
        let connection = try daemon.connect(path: path)
        try connection.send(RawClient.post(client.nextBody("to='example.org' ver='1.6'")))
        let stream = try server.accept()
        let expected: [UInt8] =
            version == "v1"
            ? Array("PROXY UNKNOWN\r\n".utf8)
            : [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x20, 0, 0, 0]
        #expect(try stream.wire.read(count: expected.count) == expected)
        try stream.open()
        #expect(try BOSHBody(try connection.answer().body)["sid"] != nil)
    }

    @Test("PROXY to the server: off by default, and for domains whose table says so")
    func off() throws {
        let other = try ScriptedUpstream()
        let daemon = try Daemon(
            configuration: """
                upstream-proxy-protocol = "v1"
                upstream = ["127.0.0.1:\(server.port)"]
                [domains."plain.example"]
                upstream = ["127.0.0.1:\(other.port)"]
                upstream-proxy-protocol = "off"
                """)
        let told = try BOSHClient(daemon).create(to: "example.org")
        #expect(try server.accept().wire.read(count: 11) == Array("PROXY TCP4 ".utf8))
        let untold = try BOSHClient(daemon).create(to: "plain.example")
        #expect(try other.accept().wire.read(count: 21) == Array("<?xml version='1.0'?>".utf8))
        let usual = try Daemon(upstream: server.port)
        let third = try BOSHClient(usual).create()
        #expect(try server.accept().wire.read(count: 21) == Array("<?xml version='1.0'?>".utf8))
        withExtendedLifetime((told, untold, third)) {}
    }
}
