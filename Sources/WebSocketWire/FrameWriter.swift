import Primitives

/// Writes frames to a client: each is whole, final and without a mask (RFC 6455 §5.1, §5.2, `W-23`, `W-34`).
package enum FrameWriter {
    /// Appends a message of text, which must be UTF-8, as one frame.
    package static func appendText(_ text: Span<UInt8>, to output: inout [UInt8]) {
        appendTextHeader(length: text.count, to: &output)
        output.append(copying: text)
    }

    /// Appends the header of a message of text. The caller then appends exactly `length` bytes, 0 or more.
    package static func appendTextHeader(length: Int, to output: inout [UInt8]) {
        appendHeader(.text, length: length, to: &output)
    }

    /// Appends a ping (§5.5.2, `W-36`). Of `payload` only the first 125 bytes are written.
    package static func appendPing(_ payload: Span<UInt8>, to output: inout [UInt8]) {
        appendControl(.ping, payload, to: &output)
    }

    /// Appends a pong with the payload of the ping that it answers (§5.5.3, `W-27`), at most 125 bytes.
    package static func appendPong(_ payload: Span<UInt8>, to output: inout [UInt8]) {
        appendControl(.pong, payload, to: &output)
    }

    /// Appends a Close frame (§5.5.1, `W-29`, `W-54`): with a code that a peer may receive and a reason, or, when there is
    /// no code, with neither.
    ///
    /// - Parameter reason: a text of ASCII. It is cut after 123 bytes, and a byte that is not ASCII becomes `?`, so that
    ///   a cut never makes wrong UTF-8.
    package static func appendClose(_ code: CloseCode?, reason: String = "", to output: inout [UInt8]) {
        guard let code else { return appendControl(.close, [UInt8]().span, to: &output) }
        assert(code.mayBeReceived, "a code that no endpoint may send")
        var payload: [UInt8] = []
        payload.append(bigEndian: code.rawValue)
        payload += reason.utf8.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }
        appendControl(.close, payload.span, to: &output)
    }

    /// Appends a control frame with at most the first 125 bytes of `payload`.
    private static func appendControl(_ opcode: Opcode, _ payload: Span<UInt8>, to output: inout [UInt8]) {
        let payload = payload.extracting(first: Opcode.longestControlPayload)
        appendHeader(opcode, length: payload.count, to: &output)
        output.append(copying: payload)
    }

    /// Appends FIN, the opcode, and the length in its shortest form (§5.2).
    private static func appendHeader(_ opcode: Opcode, length: Int, to output: inout [UInt8]) {
        output.append(0x80 | opcode.rawValue)
        switch length {
        case ..<126: output.append(UInt8(truncatingIfNeeded: length))
        case ..<65_536:
            output.append(126)
            output.append(bigEndian: UInt16(truncatingIfNeeded: length))
        default:
            output.append(127)
            output.append(bigEndian: UInt64(length))
        }
    }
}
