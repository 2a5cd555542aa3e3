/// A frame as a client sends it. Every rule of RFC 6455 §5.2 can be broken.
struct ClientFrame: Sendable {
    /// How the length is written.
    enum LengthForm: Sendable {
        case shortest
        case medium
        case long
    }

    var opcode: UInt8
    var payload: [UInt8]
    var isFinal = true
    /// RSV1 is 4, RSV2 is 2, RSV3 is 1.
    var reserved: UInt8 = 0
    /// The key; nil for a frame without a mask.
    var key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    var lengthForm = LengthForm.shortest

    static func text(_ payload: [UInt8], isFinal: Bool = true) -> ClientFrame {
        ClientFrame(opcode: 1, payload: payload, isFinal: isFinal)
    }

    static func text(_ payload: String, isFinal: Bool = true) -> ClientFrame {
        text(Array(payload.utf8), isFinal: isFinal)
    }

    static func continuation(_ payload: [UInt8], isFinal: Bool = false) -> ClientFrame {
        ClientFrame(opcode: 0, payload: payload, isFinal: isFinal)
    }

    static func continuation(_ payload: String, isFinal: Bool = false) -> ClientFrame {
        continuation(Array(payload.utf8), isFinal: isFinal)
    }

    static func binary(_ payload: [UInt8], isFinal: Bool = true) -> ClientFrame {
        ClientFrame(opcode: 2, payload: payload, isFinal: isFinal)
    }

    static func ping(_ payload: [UInt8] = []) -> ClientFrame { ClientFrame(opcode: 9, payload: payload) }

    static func ping(_ payload: String) -> ClientFrame { ping(Array(payload.utf8)) }

    static func pong(_ payload: String = "") -> ClientFrame { ClientFrame(opcode: 10, payload: Array(payload.utf8)) }

    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> ClientFrame {
        close(payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    static func close(payload: [UInt8]) -> ClientFrame { ClientFrame(opcode: 8, payload: payload) }

    /// A message of text in fragments of at most `size` bytes.
    static func fragments(of payload: [UInt8], size: Int) -> [ClientFrame] {
        stride(from: 0, to: max(payload.count, 1), by: size).map { start in
            let end = min(start + size, payload.count)
            return ClientFrame(
                opcode: start == 0 ? 1 : 0, payload: Array(payload[start..<end]), isFinal: end == payload.count)
        }
    }

    /// The frame with other reserved bits.
    func with(reserved: UInt8) -> ClientFrame {
        var frame = self
        frame.reserved = reserved
        return frame
    }

    /// The frame without FIN.
    var cut: ClientFrame {
        var frame = self
        frame.isFinal = false
        return frame
    }

    /// The bytes before the payload.
    var header: [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let mask: UInt8 = key == nil ? 0 : 0x80
        let length = payload.count
        switch lengthForm {
        case .shortest where length < 126: bytes.append(mask | UInt8(length))
        case .shortest where length < 65_536, .medium:
            bytes += [mask | 126, UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)]
        case .shortest, .long:
            bytes.append(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(length >> shift & 0xFF)) }
        }
        return bytes + (key ?? [])
    }

    /// The whole frame.
    var bytes: [UInt8] {
        guard let key else { return header + payload }
        var masked = payload
        for index in masked.indices { masked[index] ^= key[index & 3] }
        return header + masked
    }
}
