@testable import WebSocketWire

/// Reads frames the plain way, from all bytes at once: a second opinion for `FrameReader`.
struct ReferenceReader {
    let bytes: [UInt8]
    let limits: FrameLimits
    private var offset = 0
    /// The message that has begun; nil between messages.
    private var message: [UInt8]?
    private var emptyContinuations = 0

    /// The events of all bytes.
    static func events(of bytes: [UInt8], limits: FrameLimits) -> [Played] {
        var reader = ReferenceReader(bytes: bytes, limits: limits)
        var events: [Played] = []
        do throws(FrameFault) {
            while events.last?.isEnd != true, try reader.readFrame(&events) {}
        } catch {
            events.append(.fault(error))
        }
        return events
    }

    private init(bytes: [UInt8], limits: FrameLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Takes `count` bytes; nil when there are fewer.
    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard bytes.count - offset >= count else { return nil }
        offset += count
        return bytes[offset - count..<offset]
    }

    /// Reads a frame; false when its end has not come.
    private mutating func readFrame(_ events: inout [Played]) throws(FrameFault) -> Bool {
        guard let first = take(1)?.first else { return false }
        let (isFinal, opcode) = (first >= 0x80, first & 15)
        if first >> 4 & 7 != 0 { throw .reservedBits }
        switch opcode {
        case 0: if message == nil { throw .continuationWithoutStart }
        case 1, 2:
            if message != nil { throw .dataInsideMessage }
            if opcode == 2 { throw .binary }
            message = []
            emptyContinuations = 0
        case 8, 9, 10: if !isFinal { throw .fragmentedControl }
        default: throw .unknownOpcode
        }
        guard let length = try readLength(isControl: opcode >= 8) else { return false }
        if opcode < 8 {
            if length > max(limits.message - (message?.count ?? 0), 0) { throw .messageTooLarge }
            if opcode == 0, length == 0 {
                emptyContinuations += 1
                if emptyContinuations > limits.emptyContinuations { throw .tooManyEmptyContinuations }
            }
        }
        guard let key = take(4).map(Array.init) else { return false }
        let isWhole = bytes.count - offset >= length
        let payload = (take(min(length, bytes.count - offset)) ?? []).enumerated().map { $1 ^ key[$0 % 4] }
        if opcode >= 8 {
            guard isWhole else { return false }
            events.append(try control(opcode, payload))
            return true
        }
        let text = (message ?? []) + payload
        message = text
        if !Self.canBecomeText(text) { throw .notUTF8 }
        guard isWhole else { return false }
        if isFinal {
            if String(validating: text, as: UTF8.self) == nil { throw .notUTF8 }
            events.append(.text(text))
            message = nil
        }
        return true
    }

    private mutating func readLength(isControl: Bool) throws(FrameFault) -> Int? {
        guard let second = take(1)?.first else { return nil }
        if second < 0x80 { throw .unmasked }
        let short = Int(second & 127)
        if isControl, short > 125 { throw .controlTooLong }
        guard short > 125 else { return short }
        let size = short == 126 ? 2 : 8
        // A long length is judged before all of it has come.
        if size == 8, bytes.count > offset, bytes[offset] >= 0x80 { throw .lengthTooHigh }
        if size == 8, bytes.count - offset >= 6, bytes[offset..<offset + 6].allSatisfy({ $0 == 0 }) {
            throw .lengthNotShortest
        }
        guard let field = take(size) else { return nil }
        let length = field.reduce(0) { $0 << 8 | Int($1) }
        if length < 126 { throw .lengthNotShortest }
        return length
    }

    private func control(_ opcode: UInt8, _ payload: [UInt8]) throws(FrameFault) -> Played {
        if opcode == 9 { return .ping(payload) }
        if opcode == 10 { return .pong(payload) }
        if payload.isEmpty { return .close(nil, []) }
        if payload.count == 1 { throw .badClose }
        let code = UInt16(payload[0]) * 256 + UInt16(payload[1])
        let reason = Array(payload[2...])
        let isAllowed = [1000...1003, 1007...1014, 3000...4999].contains { $0.contains(code) }
        if !isAllowed || String(validating: reason, as: UTF8.self) == nil { throw .badClose }
        return .close(code, reason)
    }

    /// Whether Swift takes the text for UTF-8 once up to three bytes are added.
    private static func canBecomeText(_ text: [UInt8]) -> Bool {
        let endings: [[UInt8]] = [
            [], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], [0xBF], [0xBF, 0xBF], [0xBF, 0xBF, 0xBF],
        ]
        return endings.contains { String(validating: text + $0, as: UTF8.self) != nil }
    }
}
