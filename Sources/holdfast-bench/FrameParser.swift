/// Cuts the bytes of a WebSocket from a server into the answer to the handshake and frames, of the form that a
/// connection manager sends: final, without a mask.
struct FrameParser {
    private var bytes: [UInt8] = []
    private var isOpen = false

    /// Whether a frame has begun but not ended.
    var isMidway: Bool { !bytes.isEmpty }

    /// Adds received bytes.
    mutating func append(_ new: Span<UInt8>) {
        bytes.reserveCapacity(bytes.count + new.count)
        for index in new.indices { bytes.append(new[index]) }
    }

    /// The next complete frame, or the answer to the handshake.
    mutating func next() throws(ReplyParser.Malformed) -> LinkReply? {
        guard isOpen else { return try handshake() }
        guard bytes.count >= 2 else { return nil }
        guard bytes[0] & 0xF0 == 0x80, bytes[1] & 0x80 == 0 else { throw ReplyParser.Malformed() }
        let lengthBytes = bytes[1] == 126 ? 2 : bytes[1] == 127 ? 8 : 0
        guard bytes.count >= 2 + lengthBytes else { return nil }
        let length =
            lengthBytes == 0 ? Int(bytes[1]) : bytes[2..<(2 + lengthBytes)].reduce(0) { $0 << 8 | Int($1) }
        guard (0...16_777_216).contains(length) else { throw ReplyParser.Malformed() }
        let end = 2 + lengthBytes + length
        guard bytes.count >= end else { return nil }
        let kind: LinkReply.Kind
        switch bytes[0] & 0x0F {
        case 1: kind = .message
        case 8: kind = .close
        case 9: kind = .ping
        default: throw ReplyParser.Malformed()
        }
        let body = Array(bytes[(2 + lengthBytes)..<end])
        if end == bytes.count { bytes = [] } else { bytes.removeFirst(end) }
        return LinkReply(kind: kind, body: body, isKeptAlive: kind != .close)
    }

    private mutating func handshake() throws(ReplyParser.Malformed) -> LinkReply? {
        guard let end = Markup.firstIndex(of: Array("\r\n\r\n".utf8), in: bytes[...]) else { return nil }
        let parts = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard parts.count > 1, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else { throw ReplyParser.Malformed() }
        isOpen = status == 101
        bytes.removeFirst(end + 4)
        return LinkReply(kind: .response(status: status), body: [], isKeptAlive: isOpen)
    }
}
