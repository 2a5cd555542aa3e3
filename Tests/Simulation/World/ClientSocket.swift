/// A WebSocket from its client's side: what comes before the handshake on its connection, the handshake, then frames
/// (RFC 6455). What it sends may be cut anywhere.
final class ClientSocket {
    enum Frame {
        case text([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        /// Nil for an empty payload.
        case close(UInt16?)
    }

    /// What comes on the connection before the handshake.
    enum Preface: Int {
        case nothing
        /// A request that is answered at once.
        case page
        /// The creation of a session over BOSH, with the handshake right behind it.
        case creation
        /// The same, and when it is answered a poll that is held, with the handshake right behind it.
        case poll
    }

    let wire: Wire
    private let kernel: Kernel
    private var chance: Chance
    private let cut: Int
    private var bytes: [UInt8] = []
    /// Bytes that are sent behind those that are held up.
    private var held: [UInt8] = []
    private var isHoldingUp = false
    /// How many answers come before the one to the handshake.
    private var answersBefore = 0
    private var behindCreation: [UInt8]?
    private(set) var isOpen = false
    private var hasEnded = false
    var opened: () -> Void = {}
    var received: (Frame) -> Void = { _ in }
    /// The handshake was refused with this status.
    var refused: (Int) -> Void = { _ in }
    /// Something came that no server may send.
    var isWrong: (String) -> Void = { _ in }
    /// No more will come.
    var ended: (_ isReset: Bool) -> Void = { _ in }

    /// - Parameter cut: how many of a thousand pieces are cut in two.
    init(_ wire: Wire, kernel: Kernel, cut: Int, seed: UInt64) {
        self.wire = wire
        self.kernel = kernel
        self.cut = cut
        chance = Chance(seed: seed)
        wire.received = { [weak self] in self?.take($0) }
        wire.ended = { [weak self] isReset in
            guard let self, !hasEnded else { return }
            hasEnded = true
            ended(isReset)
        }
        kernel.whenOver { [weak self] in self?.forget() }
    }

    private func forget() {
        opened = {}
        received = { _ in }
        refused = { _ in }
        isWrong = { _ in }
        ended = { _ in }
    }

    // MARK: The handshake

    private static let handshake = Array(
        """
        GET /xmpp-websocket HTTP/1.1\r
        Host: x\r
        Upgrade: websocket\r
        Connection: keep-alive, Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: xmpp\r
        \r

        """.utf8)

    /// Asks for the WebSocket.
    ///
    /// - Parameter behind: what is sent right behind, without waiting for the answer.
    func open(_ preface: Preface, behind: [UInt8]) {
        let handshake = Self.handshake + behind
        switch preface {
        case .nothing: send(handshake)
        case .page:
            answersBefore = 1
            send(Array("OPTIONS /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\n\r\n".utf8) + handshake)
        case .creation, .poll:
            answersBefore = 1
            let creation = Self.post(
                "<body xmlns='http://jabber.org/protocol/httpbind' rid='7' to='example.org' wait='5' hold='1' "
                    + "ver='1.6' xml:lang='en'/>")
            if preface == .poll {
                behindCreation = handshake
                send(creation)
            } else {
                send(creation + handshake)
            }
        }
    }

    private static func post(_ body: String) -> [UInt8] {
        Array("POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    /// Reads an answer of HTTP. Returns whether there was one.
    private func takeAnswer() -> Bool {
        var end = 0
        while end + 4 <= bytes.count, !bytes.has("\r\n\r\n", at: end) { end += 1 }
        guard end + 4 <= bytes.count else { return false }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        let status = Int(head.dropFirst(9).prefix(3)) ?? 0
        if status == 101 {
            bytes.removeFirst(end + 4)
            if answersBefore > 0 { isWrong("it was opened before the requests on its connection were answered") }
            if !head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                || !head.contains("Sec-WebSocket-Protocol: xmpp\r\n") || head.contains("Content-Length")
            {
                isWrong("its handshake was answered with \(head)")
            }
            isOpen = true
            opened()
            return true
        }
        let length =
            head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            .flatMap { Int($0.dropFirst(16)) } ?? 0
        guard bytes.count >= end + 4 + length else { return false }
        let body = Array(bytes[(end + 4)..<(end + 4 + length)])
        bytes.removeFirst(end + 4 + length)
        guard answersBefore > 0, status < 300 || behindCreation != nil else {
            // Whatever is refused on this connection, the handshake was not answered.
            refused(status)
            return false
        }
        answersBefore -= 1
        if let handshake = behindCreation {
            behindCreation = nil
            guard status == 200, let sid = body.attribute("sid"), body.attribute("type") == nil else {
                send(handshake)
                return true
            }
            answersBefore += 1
            send(Self.post("<body xmlns='http://jabber.org/protocol/httpbind' rid='8' sid='\(sid)'/>") + handshake)
        }
        return true
    }

    // MARK: Frames of the server

    private func take(_ more: [UInt8]) {
        bytes += more
        while !hasEnded, !wire.isOver {
            if isOpen {
                guard let frame = takeFrame() else { return }
                received(frame)
            } else if !takeAnswer() {
                return
            }
        }
    }

    private func takeFrame() -> Frame? {
        guard bytes.count >= 2 else { return nil }
        guard bytes[0] & 0xF0 == 0x80, bytes[1] & 0x80 == 0 else {
            isWrong("a frame begins with \(bytes.prefix(2))")
            return nil
        }
        let extended = bytes[1] == 126 ? 2 : bytes[1] == 127 ? 8 : 0
        guard bytes.count >= 2 + extended else { return nil }
        let length = extended == 0 ? Int(bytes[1]) : bytes[2..<(2 + extended)].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 2 + extended + length else { return nil }
        let opcode = bytes[0] & 0x0F
        let payload = Array(bytes[(2 + extended)..<(2 + extended + length)])
        bytes.removeFirst(2 + extended + length)
        switch opcode {
        case 1: return .text(payload)
        case 8: return .close(payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]))
        case 9: return .ping(payload)
        case 10: return .pong(payload)
        default:
            isWrong("a frame has the opcode \(opcode)")
            return nil
        }
    }

    // MARK: Frames of the client

    /// The bytes of a masked frame.
    static func frame(
        _ payload: some Collection<UInt8>, opcode: UInt8 = 1, isFinal: Bool = true, _ chance: inout Chance
    ) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case 0..<126: bytes.append(0x80 | UInt8(payload.count))
        case 126..<65_536: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        let key = (0..<4).map { _ in UInt8(chance.below(256)) }
        bytes += key
        var index = 0
        for byte in payload {
            bytes.append(byte ^ key[index & 3])
            index += 1
        }
        return bytes
    }

    /// Sends bytes, which may be cut in two with a pause between them.
    func send(_ bytes: [UInt8]) {
        guard !isHoldingUp else {
            held += bytes
            return
        }
        guard chance.below(1_000) < cut else {
            wire.send(bytes)
            return
        }
        let place = chance.within(0...bytes.count)
        wire.send(bytes.prefix(place))
        held = Array(bytes.dropFirst(place))
        isHoldingUp = true
        kernel.after(chance.time(.microseconds(1)...(.milliseconds(300)))) { [weak self] in self?.goOn() }
    }

    private func goOn() {
        guard isHoldingUp else { return }
        isHoldingUp = false
        let bytes = held
        held = []
        wire.send(bytes)
    }

    /// Sends what is left, then the end of the stream.
    func finish() {
        goOn()
        wire.finish()
    }

    /// Sends what is left, then closes.
    func closeWhenSent() {
        goOn()
        wire.closeWhenSent()
    }
}
