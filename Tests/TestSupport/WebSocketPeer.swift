/// A client on one WebSocket, right or wrong: it sends the frames that a test tells it.
package final class WebSocketPeer {
    /// One frame of the server.
    package enum Frame: Equatable, CustomStringConvertible {
        case text(String)
        case ping([UInt8])
        case pong([UInt8])
        /// Nil for an empty payload.
        case close(UInt16?)

        package var description: String {
            switch self {
            case .text(let text): text
            case .ping(let payload): "ping \(payload)"
            case .pong(let payload): "pong \(payload)"
            case .close(let code): "close \(code.map(String.init) ?? "without a code")"
            }
        }
    }

    package let wire: ByteStream
    /// The answer to the handshake.
    package let handshake: String
    private let client: RawClient

    /// The request of a client that keeps to the rules.
    ///
    /// - Parameters:
    ///   - fields: further fields, each without its line end.
    ///   - replacing: fields of the usual ones with other lines, by their names; empty for none.
    package static func request(
        path: String = "/xmpp-websocket", _ fields: [String] = [], replacing: [String: [String]] = [:]
    ) -> String {
        let usual = [
            ("Host", "Host: localhost"), ("Upgrade", "Upgrade: websocket"), ("Connection", "Connection: Upgrade"),
            ("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13"),
            ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: xmpp"),
        ]
        let lines = usual.flatMap { replacing[$0.0] ?? [$0.1] } + fields
        return "GET \(path) HTTP/1.1\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// Makes the handshake.
    ///
    /// - Parameters:
    ///   - behind: bytes that go out with the request.
    ///   - receiveBuffer: bytes of the receive buffer; small for a client that soon takes nothing more.
    /// - Throws: when it is refused.
    package init(
        _ daemon: Daemon, request: String = request(), behind: [UInt8] = [], receiveBuffer: Int32? = nil
    ) throws {
        client = RawClient(try ByteStream(port: daemon.port, receiveBuffer: receiveBuffer), of: daemon)
        wire = client.wire
        try wire.send(Array(request.utf8) + behind)
        handshake = try wire.read(until: "\r\n\r\n")
        guard handshake.hasPrefix("HTTP/1.1 101 ") else { throw TestFault("no WebSocket: \(handshake)") }
    }

    // MARK: Sending

    /// The bytes of a masked frame.
    package static func frame(
        _ payload: [UInt8], opcode: UInt8 = 1, isFinal: Bool = true, key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    ) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case 0..<126: bytes.append(0x80 | UInt8(payload.count))
        case 126..<65_536: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }

    package static func close(_ code: UInt16?) -> [UInt8] {
        frame(code.map { [UInt8($0 >> 8), UInt8($0 & 255)] } ?? [], opcode: 8)
    }

    package func send(_ text: String) throws { try wire.send(Self.frame(Array(text.utf8))) }

    package func send(_ bytes: [UInt8]) throws { try wire.send(bytes) }

    /// `<open/>`.
    package static let opening = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>"
    package static let goodbye = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />"

    // MARK: Receiving

    /// The next frame, which must be final and without a mask.
    package func next() throws -> Frame {
        let head = try wire.read(count: 2)
        guard head[0] & 0xF0 == 0x80, head[1] & 0x80 == 0 else { throw TestFault("a frame begins with \(head)") }
        let length: Int
        switch head[1] {
        case 126: length = try wire.read(count: 2).reduce(0) { $0 << 8 | Int($1) }
        case 127: length = try wire.read(count: 8).reduce(0) { $0 << 8 | Int($1) }
        default: length = Int(head[1])
        }
        let payload = length == 0 ? [] : try wire.read(count: length)
        switch head[0] & 0x0F {
        case 1: return .text(String(decoding: payload, as: UTF8.self))
        case 8: return .close(payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]))
        case 9: return .ping(payload)
        case 10: return .pong(payload)
        default: throw TestFault("a frame of the opcode \(head[0] & 0x0F)")
        }
    }

    /// The next message of text; pings in between are answered.
    package func text() throws -> String {
        while true {
            switch try next() {
            case .text(let text): return text
            case .ping(let payload): try wire.send(Self.frame(payload, opcode: 10))
            case let other: throw TestFault("\(other) instead of a message")
            }
        }
    }

    /// All frames up to the end of the connection.
    package func rest() throws -> [Frame] {
        var frames: [Frame] = []
        while true {
            let frame = try next()
            frames.append(frame)
            if case .close = frame { return frames }
        }
    }

    /// Opens the stream: reads `<open/>` and the features.
    ///
    /// - Returns: the server's end of the stream.
    @discardableResult
    package func open(on server: ScriptedUpstream, features: String = ScriptedStream.features) throws -> ScriptedStream
    {
        try send(Self.opening)
        let stream = try server.accept()
        try stream.open(features: features)
        guard try text().hasPrefix("<open "), try text().hasPrefix("<stream:features ") else {
            throw TestFault("the stream is not opened in order")
        }
        return stream
    }

    /// Logs in, as far as the server's answer to that is concerned.
    package func logIn(on stream: ScriptedStream) throws {
        try send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>")
        _ = try stream.read(until: "</auth>")
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        _ = try text()
        try send(Self.opening)
        try stream.open()
        _ = try (text(), text())
    }
}
