import Glibc
import TestSupport
import Testing

/// The address of a client: that of the connection, or what a trusted proxy says. The server's PROXY header shows it.
@Suite struct ClientAddressTests {
    private let server: ScriptedUpstream
    private let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='example.org' ver='1.6'/>"

    init() throws {
        server = try ScriptedUpstream()
    }

    private func daemon(_ environment: [String: String]) throws -> Daemon {
        let usual = ["HOLDFAST_UPSTREAM_PROXY_PROTOCOL": "v1"]
        return try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: usual.merging(environment) { $1 })
    }

    /// The address and port that the server gets for the next stream; "UNKNOWN" when it gets none.
    private func told() throws -> String {
        let stream = try server.accept()
        let words = try stream.read(until: "\r\n").dropLast().split(separator: " ")
        _ = try stream.readHeader()
        if words == ["PROXY", "UNKNOWN"] { return "UNKNOWN" }
        guard words.count == 6, words[0] == "PROXY" else { throw TestFault("\(words)") }
        return "\(words[1]) \(words[2]) \(words[4])"
    }

    // MARK: Fields

    /// Fields of a request, and the client that they mean, as the server gets it; "" for the connection's other end.
    struct Fields: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let client: String

        init(_ fields: String..., client: String = "") {
            testDescription = fields.joined(separator: "\r\n")
            self.client = client
        }

        static let xForwardedFor = [
            Self("X-Forwarded-For: 203.0.113.9", client: "TCP4 203.0.113.9 0"),
            Self("x-forwarded-for:203.0.113.9", client: "TCP4 203.0.113.9 0"),
            // What the client itself wrote is on the left.
            Self("X-Forwarded-For: 192.0.2.66, 203.0.113.9", client: "TCP4 203.0.113.9 0"),
            Self("X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 203.0.113.9", client: "TCP4 203.0.113.9 0"),
            // Trusted proxies are skipped.
            Self("X-Forwarded-For: 192.0.2.66, 203.0.113.9, 10.1.2.3, 127.0.0.1", client: "TCP4 203.0.113.9 0"),
            Self("X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.1.2.3", client: "TCP4 192.0.2.1 0"),
            Self("X-Forwarded-For: 2001:db8::9", client: "TCP6 2001:db8::9 0"),
            Self("X-Forwarded-For: ::ffff:203.0.113.9", client: "TCP4 203.0.113.9 0"),
            // With junk in place of an address, the entry on its right is the last known one.
            Self("X-Forwarded-For: junk"),
            Self("X-Forwarded-For: "),
            Self("X-Forwarded-For: 203.0.113.9, unknown"),
            Self("X-Forwarded-For: 203.0.113.9, unknown, 10.1.2.3", client: "TCP4 10.1.2.3 0"),
            Self("Forwarded: for=203.0.113.9"),
            Self("X-Real-IP: 203.0.113.9"),
        ]

        static let forwarded = [
            Self("Forwarded: for=203.0.113.9", client: "TCP4 203.0.113.9 0"),
            Self("Forwarded: for=192.0.2.66, for=203.0.113.9;proto=https;by=10.0.0.1", client: "TCP4 203.0.113.9 0"),
            Self("Forwarded: for=192.0.2.66", "Forwarded: For=\"203.0.113.9:4711\"", client: "TCP4 203.0.113.9 0"),
            Self("Forwarded: for=203.0.113.9, for=10.1.2.3", client: "TCP4 203.0.113.9 0"),
            Self("Forwarded: for=\"[2001:db8::9]:4711\"", client: "TCP6 2001:db8::9 0"),
            Self("Forwarded: for=_hidden"),
            Self("Forwarded: for=unknown"),
            Self("X-Forwarded-For: 203.0.113.9"),
        ]
    }

    @Test(
        "H-28: the client that a trusted proxy names in X-Real-IP",
        arguments: [
            Fields("X-Real-IP: 203.0.113.9", client: "TCP4 203.0.113.9 0"),
            Fields("x-real-ip:2001:db8::9", client: "TCP6 2001:db8::9 0"),
            // Not one address.
            Fields("X-Real-IP: 192.0.2.66, 203.0.113.9"), Fields("X-Real-IP: 192.0.2.66", "X-Real-IP: 203.0.113.9"),
            Fields("X-Real-IP: junk"), Fields("X-Forwarded-For: 203.0.113.9"),
        ])
    func realAddress(fields: Fields) throws {
        try expect(fields, from: "x-real-ip")
    }

    @Test("H-28: one line in the log says that a proxy names no client, however many requests there are")
    func unnamed() throws {
        let junk = "what a trusted proxy says in the field of client-address-from is no address"
        let missing = "a trusted proxy does not name its client"
        let daemon = try daemon(["HOLDFAST_CLIENT_ADDRESS_FROM": "x-real-ip"])
        let connection = try daemon.connect()
        for field in ["X-Real-IP: 203.0.113.9", "X-Real-IP: junk", "X-Real-IP: 1.2.3.4, 5.6.7.8", "A: b", "C: d"] {
            try connection.send(RawClient.post("<body/>", field))
            #expect(try connection.answer().body.contains("terminate"))
        }
        try connection.send(RawClient.post(body, "X-Real-IP: 203.0.113.9"))
        #expect(try told() == "TCP4 203.0.113.9 0")
        let log = try daemon.errors
        #expect(log.ranges(of: junk).count == 1)
        #expect(log.ranges(of: missing).count == 1)
    }

    private func expect(_ fields: Fields, from header: String, trusted: String = "127.0.0.0/8,10.0.0.0/8") throws {
        let daemon = try daemon(["HOLDFAST_CLIENT_ADDRESS_FROM": header, "HOLDFAST_TRUSTED_PROXY": trusted])
        let connection = try daemon.connect()
        try connection.send(RawClient.post(body, fields.testDescription))
        let port = try connection.wire.localPort
        #expect(try told() == (fields.client.isEmpty ? "TCP4 127.0.0.1 \(port)" : fields.client))
    }

    @Test("H-28: the client that a trusted proxy names in X-Forwarded-For", arguments: Fields.xForwardedFor)
    func xForwardedFor(fields: Fields) throws {
        try expect(fields, from: "x-forwarded-for")
    }

    @Test("H-28: the client that a trusted proxy names in Forwarded", arguments: Fields.forwarded)
    func forwarded(fields: Fields) throws {
        try expect(fields, from: "forwarded")
    }

    @Test(
        "H-28: nobody else is believed", arguments: ["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"],
        ["x-forwarded-for", "forwarded"])
    func untrusted(field: String, header: String) throws {
        try expect(Fields(field), from: header, trusted: "10.0.0.0/8")
    }

    @Test("H-28: without a field that is named none is believed, although the proxy is trusted")
    func none() throws {
        try expect(Fields("X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"), from: "none")
    }

    @Test("H-28: the log names the client that the proxy names")
    func log() throws {
        let daemon = try daemon(["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
        let connection = try daemon.connect()
        try connection.send(RawClient.post(body, "X-Forwarded-For: 203.0.113.9"))
        _ = try told()
        #expect(try daemon.errors.contains("203.0.113.9"))
    }

    @Test("H-28: requests of several clients on one connection of a proxy")
    func sharedConnection() throws {
        let daemon = try daemon(["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
        let connection = try daemon.connect()
        for index in 1...5 {
            try connection.send(RawClient.post(body, "X-Forwarded-For: 203.0.113.\(index)"))
            let stream = try server.accept()
            #expect(try stream.read(until: "\r\n").hasPrefix("PROXY TCP4 203.0.113.\(index) "))
            try stream.open()
            #expect(try connection.answer().status == 200)
        }
        try connection.send(RawClient.post(body))
        #expect(try told() == "TCP4 127.0.0.1 \(try connection.wire.localPort)")
    }

    // MARK: A PROXY header in front of the requests

    /// A header of the PROXY protocol and the client that it names.
    struct Prelude: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let client: String

        init(_ line: String, client: String = "UNKNOWN") {
            testDescription = line
            bytes = Array("PROXY \(line)\r\n".utf8)
            self.client = client
        }

        init(_ name: String, _ rest: [UInt8], client: String = "UNKNOWN") {
            testDescription = name
            bytes = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A] + rest
            self.client = client
        }

        static let all = [
            Self("TCP4 203.0.113.9 192.0.2.1 4711 443", client: "TCP4 203.0.113.9 4711"),
            Self("TCP6 2001:db8::9 2001:db8::1 4711 443", client: "TCP6 2001:db8::9 4711"),
            Self("UNKNOWN"),
            Self("UNKNOWN ffff::1 ffff::2 1 2"),
            Self(
                "v2 TCP4", [0x21, 0x11, 0, 12, 203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 0xBB],
                client: "TCP4 203.0.113.9 4711"),
            Self(
                "v2 TCP4 and values",
                [0x21, 0x11, 0, 19, 203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 0xBB] + [1, 0, 4, 1, 2, 3, 4],
                client: "TCP4 203.0.113.9 4711"),
            Self(
                "v2 TCP6",
                [0x21, 0x21, 0, 36, 0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9]
                    + [UInt8](repeating: 0, count: 15) + [1, 0x12, 0x67, 1, 0xBB],
                client: "TCP6 2001:db8::9 4711"),
            Self("v2 LOCAL", [0x20, 0, 0, 0]),
            Self("v2 LOCAL and addresses", [0x20, 0x11, 0, 12] + [UInt8](repeating: 9, count: 12)),
            Self("v2 of a Unix socket", [0x21, 0x31, 0, 216] + [UInt8](repeating: 0x61, count: 216)),
        ]

        /// Headers that are not valid.
        static let bad = [
            Self("a request", raw: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
            Self("v2 of version 3", [0x31, 0x11, 0, 12] + [UInt8](repeating: 9, count: 12)),
            Self("v2 with a command that is not defined", [0x22, 0x11, 0, 12] + [UInt8](repeating: 9, count: 12)),
            Self("v2 that is too short for its addresses", [0x21, 0x11, 0, 11] + [UInt8](repeating: 9, count: 11)),
            Self("v2 that is too long", [0x21, 0x11, 0xFF, 0xFF]),
            Self("TCP4 203.0.113.9"),
            Self("TCP4 203.0.113.009 192.0.2.1 4711 443"),
            Self("TCP4 203.0.113.9 192.0.2.1 4711 65536"),
            Self("TCP5 203.0.113.9 192.0.2.1 4711 443"),
            Self("TCP4 2001:db8::9 2001:db8::1 4711 443"),
            Self("UNKNOWN " + String(repeating: "x", count: 100)),
        ]

        private init(_ name: String, raw: [UInt8]) {
            testDescription = name
            bytes = raw
            client = ""
        }
    }

    private func listening(_ more: [String: String] = [:]) throws -> Daemon {
        try daemon(["HOLDFAST_LISTEN_PROXY": "127.0.0.1:0"].merging(more) { $1 })
    }

    @Test("listen-proxy: the header names the client", arguments: Prelude.all)
    func prelude(prelude: Prelude) throws {
        let daemon = try listening()
        let request = Array(RawClient.post(body).utf8)
        // The header comes in one segment with the request, in a segment of its own, or byte by byte.
        for way in 0..<3 {
            let connection = try daemon.connectBehindProxy()
            switch way {
            case 0:
                try connection.wire.send(prelude.bytes + request)
            case 1:
                try connection.wire.send(prelude.bytes)
                try daemon.settle()
                try connection.wire.send(request)
            default:
                for byte in prelude.bytes + request { try connection.wire.send([byte]) }
            }
            #expect(try told() == prelude.client)
        }
        #expect(try daemon.statistics().number("http.requests_refused") == 0)
    }

    @Test(
        "H-28 listen-proxy: a field behind a header that names nobody is the client's own word",
        arguments: ["UNKNOWN", "TCP4 198.51.100.7 192.0.2.1 4711 443"])
    func ownWord(line: String) throws {
        let daemon = try listening(["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
        let connection = try daemon.connectBehindProxy()
        try connection.send("PROXY \(line)\r\n" + RawClient.post(body, "X-Forwarded-For: 203.0.113.9"))
        #expect(try told() == (line == "UNKNOWN" ? "UNKNOWN" : "TCP4 198.51.100.7 4711"))
    }

    @Test("listen-proxy: the client holds for all requests of the connection, pipelined ones too")
    func pipelined() throws {
        let daemon = try listening()
        let connection = try daemon.connectBehindProxy()
        let header = "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"
        try connection.send(header + RawClient.post(body) + RawClient.post(body))
        for _ in 0..<2 {
            let stream = try server.accept()
            #expect(try stream.read(until: "\r\n").hasPrefix("PROXY TCP4 203.0.113.9 127.0.0.1 4711 "))
            try stream.open()
        }
        for _ in 0..<2 { #expect(try connection.answer().status == 200) }
    }

    @Test("listen-proxy: a second header is no request")
    func twice() throws {
        let daemon = try listening()
        let connection = try daemon.connectBehindProxy()
        let header = "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"
        try connection.send(header + header)
        #expect(try connection.answer().status == 400)
        #expect(try server.isUntouched)
    }

    @Test("listen-proxy: whatever else comes closes the connection, without a word", arguments: Prelude.bad)
    func bad(prelude: Prelude) throws {
        let daemon = try listening()
        let connection = try daemon.connectBehindProxy()
        try connection.wire.sendUntilCut(prelude.bytes + Array(RawClient.post(body).utf8))
        let arrival = try connection.wire.receive()
        #expect(arrival == .end || arrival == .reset)
        #expect(try server.isUntouched)
        try daemon.wait(until: "http.requests_refused", is: 1)
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    @Test("listen-proxy: who is not trusted is not even read")
    func untrustedPeer() throws {
        let daemon = try listening(["HOLDFAST_TRUSTED_PROXY": "10.0.0.0/8"])
        let connection = try daemon.connectBehindProxy()
        let text = "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n" + RawClient.post(body)
        _ = try? connection.wire.sendUntilCut(Array(text.utf8))
        let arrival = try connection.wire.receive()
        #expect(arrival == .end || arrival == .reset)
        #expect(try server.isUntouched)
        try daemon.wait(until: "http.connections_untrusted", is: 1)
        // The other listener serves everybody.
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    @Test("listen-proxy: on the other listener such a header is no request")
    func notElsewhere() throws {
        let daemon = try listening()
        let connection = try daemon.connect()
        try connection.send("PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n" + RawClient.post(body))
        #expect(try connection.answer().status == 400)
        #expect(try server.isUntouched)
    }

    @Test("listen-proxy: a header that does not come to its end, however it trickles", arguments: [false, true])
    func slow(trickles: Bool) throws {
        let daemon = try listening(["HOLDFAST_HEAD_TIMEOUT": "4"])
        let start = ContinuousClock.now
        let connection = try daemon.connectBehindProxy()
        let header = Array("PROXY TCP6 0000:0000:0000:0000:0000:0000:0000:0001 0000:0000:0000:0000:0000:".utf8)
        try connection.wire.send(trickles ? Array(header[..<1]) : header)
        try daemon.expectPatience(with: connection, since: start)
        if trickles {
            for byte in header.dropFirst() {
                Patience.pause(milliseconds: 50)
                if try !connection.wire.isSilent { break }
                _ = try? connection.wire.sendSome([byte])
            }
        }
        let arrival = try connection.wire.receive()
        #expect(arrival == .end || arrival == .reset)
        connection.wire.close()
        // What is left is this connection to the admin listener, and the one that `settle` used.
        try daemon.wait(until: "http.connections_now", is: 2)
    }

    @Test("listen-proxy: nothing at all, for longer than a head may take")
    func silent() throws {
        let daemon = try listening(["HOLDFAST_HEAD_TIMEOUT": "4"])
        let start = ContinuousClock.now
        let connection = try daemon.connectBehindProxy()
        try daemon.expectPatience(with: connection, since: start)
        let arrival = try connection.wire.receive()
        #expect(arrival == .end || arrival == .reset)
    }

    @Test("listen-proxy: the client named by the header is believed about others only if it is a proxy")
    func chain() throws {
        let daemon = try listening([
            "HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for", "HOLDFAST_TRUSTED_PROXY": "127.0.0.0/8,10.0.0.0/8",
        ])
        for (source, expected) in [("203.0.113.9", "TCP4 203.0.113.9 4711"), ("10.0.0.7", "TCP4 192.0.2.66 0")] {
            let connection = try daemon.connectBehindProxy()
            let header = "PROXY TCP4 \(source) 192.0.2.1 4711 443\r\n"
            try connection.send(header + RawClient.post(body, "X-Forwarded-For: 192.0.2.66"))
            #expect(try told() == expected)
        }
    }
}
