import Primitives

/// Removes the chunked coding from a body as it arrives (RFC 9112 §7.1), strictly: sizes are 1-16 plain hexadecimal
/// digits, lines end with CRLF, extensions and trailers are bounded, checked for control bytes and dropped.
///
/// A state machine over single bytes: it keeps no bytes, so any split of the input gives the same result.
struct ChunkedDecoder: Sendable {
    enum Outcome: Equatable {
        case needsMore
        /// The body and its trailer section are complete.
        case complete
        case refused(HTTPFault)
    }

    private enum State: Sendable {
        case size
        case chunkExtension
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case lastLineFeed
        case complete
    }

    private var state = State.size
    /// The bytes of the current size line.
    private var lineLength = 0
    /// The size while it is read, then the missing bytes of data. At most 16 digits are taken, so it cannot overflow.
    private var remaining: UInt64 = 0
    /// The bytes of all extensions so far.
    private var extensionBytes = 0
    /// The bytes of the trailer section so far.
    private var trailerBytes = 0

    private static let maximumDigits = 16

    /// Decodes `input` from `offset` on, appends data to `body`, and moves `offset` past what was consumed.
    mutating func decode(
        _ input: Span<UInt8>, offset: inout Int, into body: inout [UInt8], limit: Int
    ) -> Outcome {
        while offset < input.count {
            if state == .data {
                takeData(input, &offset, &body)
                continue
            }
            let byte = input[offset]
            offset += 1
            if let fault = advance(byte, room: limit - body.count) { return .refused(fault) }
            if state == .complete { return .complete }
        }
        return .needsMore
    }

    private mutating func takeData(_ input: Span<UInt8>, _ offset: inout Int, _ body: inout [UInt8]) {
        let available = input.count - offset
        let length = remaining > UInt64(available) ? available : Int(remaining)
        body.append(copying: input.extracting(offset..<offset + length))
        offset += length
        remaining -= UInt64(length)
        if remaining == 0 { state = .dataReturn }
    }

    /// Takes one byte outside the data. `room` is the number of bytes that the body may still grow by.
    private mutating func advance(_ byte: UInt8, room: Int) -> HTTPFault? {
        switch state {
        case .size, .chunkExtension, .sizeLineFeed:
            return advanceSizeLine(byte, room: room)
        case .dataReturn:
            guard byte == ByteClass.cr else { return .badChunk }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == ByteClass.lf else { return .badChunk }
            state = .size
            lineLength = 0
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            return advanceTrailer(byte)
        case .data, .complete:
            break
        }
        return nil
    }

    private mutating func advanceSizeLine(_ byte: UInt8, room: Int) -> HTTPFault? {
        if state == .sizeLineFeed {
            guard byte == ByteClass.lf else { return .badChunk }
            state = remaining == 0 ? .trailerStart : .data
            return nil
        }
        if state == .size, let digit = byte.hexadecimalValue {
            lineLength += 1
            guard lineLength <= Self.maximumDigits else { return .badChunk }
            remaining = remaining << 4 | UInt64(digit)
            return nil
        }
        // The size is complete: before anything else on the line counts, it must have a digit and fit.
        guard lineLength > 0 else { return .badChunk }
        if remaining > UInt64(max(room, 0)) { return .bodyTooLarge }
        if byte == ByteClass.cr {
            state = .sizeLineFeed
            return nil
        }
        guard state == .chunkExtension || byte == UInt8(ascii: ";"), ByteClass.isFieldContent(byte) else {
            return .badChunk
        }
        state = .chunkExtension
        lineLength += 1
        extensionBytes += 1
        let isBounded = lineLength <= HTTPLimits.chunkLine && extensionBytes <= HTTPLimits.chunkExtensions
        return isBounded ? nil : .badChunk
    }

    /// Trailer fields are checked for their form and dropped, so that none changes how a message is framed or routed.
    private mutating func advanceTrailer(_ byte: UInt8) -> HTTPFault? {
        trailerBytes += 1
        guard trailerBytes <= HTTPLimits.trailer else { return .trailerTooLarge }
        switch state {
        case .trailerStart where byte == ByteClass.cr:
            state = .lastLineFeed
        case .trailerStart where byte.isTokenByte:
            state = .trailerName
        case .trailerName where byte == ByteClass.colon:
            state = .trailerValue
        case .trailerName where byte.isTokenByte:
            break
        case .trailerValue where byte == ByteClass.cr:
            state = .trailerLineFeed
        case .trailerValue where ByteClass.isFieldContent(byte):
            break
        case .trailerLineFeed where byte == ByteClass.lf:
            state = .trailerStart
        case .lastLineFeed where byte == ByteClass.lf:
            state = .complete
        default:
            return .badTrailer
        }
        return nil
    }
}
