import COpenSSL
import TestSupport
import Testing

/// The statistics about the servers of each domain.
@Suite struct UpstreamHealthTests {
    private let site = "example.org"

    /// All reasons for which a stream may fail.
    private static let labels = [
        "unresolved", "unreachable", "spared", "refused-target", "tls", "no-starttls", "timeout", "malformed",
        "unexpected", "bytes-after-proceed", "redirected", "stream-error", "closed", "lost", "stalled",
        "unfinished-stanza", "compression",
    ]

    private func expect(_ daemon: Daemon, _ expected: [String: Int]) throws {
        let statistics = try daemon.statistics()
        for (path, value) in expected {
            #expect(try statistics.number(path, ofSite: site) == value, "\(path)")
        }
    }

    @Test("stats: before anything happens every number is there, and zero")
    func zero() throws {
        let daemon = try Daemon(upstream: 1)
        let paths =
            ["streams_now", "streams_opened", "connects", "handshakes_resumed"] + Self.labels.map { "failures.\($0)" }
            + ["connect_time", "handshake_time", "open_time"].map { "\($0).count" }
            + ["0.001", "0.005", "0.025", "0.1", "0.5", "2.0", "10.0"].map { _ in "connect_time.at_most.inf" }
        try expect(daemon, Dictionary(paths.map { ($0, 0) }) { first, _ in first })
        #expect(try !daemon.statistics().hasSite("*"))
    }

    @Test("stats: streams come and go")
    func counts() throws {
        let first = try OpenSession()
        try expect(first.daemon, ["connects": 1, "streams_now": 1, "streams_opened": 1])
        let second = try OpenSession(on: first)
        try expect(
            first.daemon,
            [
                "connects": 2, "streams_now": 2, "streams_opened": 2, "connect_time.count": 2, "open_time.count": 2,
                "handshake_time.count": 0, "connect_time.at_most.inf": 2,
            ])
        _ = try first.client.exchange("type='terminate'")
        _ = try first.stream.read(until: "</stream:stream>")
        first.stream.wire.close()
        try first.daemon.wait(until: "upstream.streams_now", is: 1)
        try expect(first.daemon, ["connects": 2, "streams_now": 1, "streams_opened": 2])
        // An end that a client asked for is no failure.
        try expect(first.daemon, Dictionary(uniqueKeysWithValues: Self.labels.map { ("failures.\($0)", 0) }))
        second.stream.wire.close()
        #expect(try second.client.exchange().isTerminal)
        try expect(first.daemon, ["streams_now": 0, "streams_opened": 2, "failures.lost": 1])
    }

    @Test("stats: TLS, and that a handshake went on with an earlier one's keys")
    func handshakes() throws {
        let authority = try TLSIdentity.authority()
        let file = try TemporaryFile(authority.pem)
        let server = try ScriptedUpstream()
        let daemon = try Daemon([
            "--upstream", "127.0.0.1:\(server.port)", "--upstream-tls", "direct", "--upstream-ca", file.path,
        ])
        let identity = try TLSIdentity(issuedBy: authority)
        var streams: [SecuredStream] = []
        for _ in 0..<2 {
            let request = try BOSHClient(daemon).create()
            let stream = try server.accept().secure(as: identity)
            try stream.send(ScriptedStream.header() + ScriptedStream.features)
            #expect(try !request.answer().isTerminal)
            streams.append(stream)
        }
        // Each server here has its own ticket keys, so no session can be resumed.
        try expect(
            daemon, ["connects": 2, "streams_now": 2, "handshake_time.count": 2, "handshakes_resumed": 0])
    }

    /// A way in which a stream fails, and the counter that grows.
    struct Failure: CustomTestStringConvertible, Sendable {
        let label: String
        var environment: [String: String] = [:]
        var flags: [String] = []
        /// Whether a connection is made.
        var connects = true
        let act: @Sendable (ScriptedUpstream) throws -> ScriptedStream?

        var testDescription: String { label }

        private static func says(_ text: String) -> @Sendable (ScriptedUpstream) throws -> ScriptedStream? {
            { server in
                let stream = try server.accept()
                _ = try stream.readHeader()
                try stream.send(ScriptedStream.header() + text)
                return stream
            }
        }

        static let all = [
            Self(label: "unreachable", connects: false) { server in
                server.stopListening()
                return nil
            },
            Self(label: "unresolved", flags: ["--upstream", "nowhere.invalid:1"], connects: false) { _ in nil },
            Self(label: "lost") { server in
                try server.accept().wire.close()
                return nil
            },
            Self(label: "closed", act: says("</stream:stream>")),
            Self(label: "malformed", act: says("<!DOCTYPE a>")),
            Self(label: "unexpected", act: says("<message/>")),
            Self(label: "stream-error", act: says(ScriptedStream.error("host-unknown"))),
            Self(label: "stream-error", act: says(ScriptedStream.error("see-other-host", "127.0.0.1:1"))),
            Self(label: "timeout", environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "4"], act: says("")),
            Self(
                label: "no-starttls", flags: ["--upstream-tls", "starttls"],
                act: says(ScriptedStream.features)),
            Self(label: "tls", flags: ["--upstream-tls", "direct"]) { server in
                let stream = try server.accept()
                try stream.send("<stream:stream>")
                return stream
            },
        ]
    }

    @Test("stats: each failure is counted once, and as what it is", arguments: Failure.all)
    func failures(failure: Failure) throws {
        let server = try ScriptedUpstream()
        let places = failure.flags.contains("--upstream") ? [] : ["--upstream", "127.0.0.1:\(server.port)"]
        if !failure.connects { _ = try failure.act(server) }
        let daemon = try Daemon(places + failure.flags, environment: failure.environment)
        let request = try BOSHClient(daemon).create()
        let stream = failure.connects ? try failure.act(server) : nil
        _ = try request.endOrTurnedAway()
        try daemon.wait(until: "upstream.streams_now", is: 0)
        try expect(
            daemon,
            Dictionary(
                uniqueKeysWithValues: Self.labels.map { ("failures.\($0)", $0 == failure.label ? 1 : 0) }))
        try expect(
            daemon, ["connects": failure.connects ? 1 : 0, "streams_now": 0, "streams_opened": 0, "open_time.count": 0])
        withExtendedLifetime(stream) {}
    }
}
