/// Reads the PROXY header at the beginning of a connection, in either version.
///
/// Use it only where every connection must begin with a header, and close a connection without a valid one: nothing
/// tells a proxy's header from a header that a client wrote. Each byte is judged when it arrives, so the result does
/// not depend on how the bytes were split.
///
/// Source: "The PROXY protocol, versions 1 & 2", HAProxy, §2.1 and §2.2.
package struct ProxyHeaderReader: Sendable {
    package enum Progress: Sendable, Equatable {
        /// All bytes belonged to the header, and it is not complete.
        case needMore
        /// The header is complete. `source` is the client's end, mapped IPv4 as IPv4. Nil when the header names none (a
        /// health check, a Unix socket, a datagram): the peer is the client then.
        case complete(source: Endpoint?)
        /// The bytes are no PROXY header, or a longer one than allowed. The connection is to be closed.
        case invalid
    }

    /// The longest line of version 1, its CR LF included.
    static let longestLine = 107
    /// The most that may follow the first 16 bytes of version 2. The specification allows 65,535; senders stay far
    /// below.
    static let longestRest = 4_096
    private static let fixedPart = 16

    /// What has arrived, without the part of a version 2 header that is ignored.
    private var header: [UInt8] = []
    /// How many bytes have arrived.
    private var count = 0
    private var progress = Progress.needMore
    private var values = ProxyValues()

    package init() {}

    /// Takes bytes from `offset` on and moves `offset` past the last one that belongs to the header. Once the header is
    /// complete or invalid, further calls take nothing and return the same.
    package mutating func receive(_ bytes: Span<UInt8>, offset: inout Int) -> Progress {
        while progress == .needMore, bytes.indices.contains(offset) {
            take(bytes[offset])
            offset += 1
        }
        if progress != .needMore { header = [] }
        return progress
    }

    /// Whether the client's own connection is encrypted, once the header is complete. Only version 2 can say it.
    package var scheme: ClientScheme { values.scheme }

    private mutating func take(_ byte: UInt8) {
        count += 1
        if header.count < Self.fixedPart + 36 || isLine { header.append(byte) }
        if isLine {
            takeLineByte(byte)
        } else {
            takeBinaryByte(byte)
        }
    }

    private var isLine: Bool { header.first == Self.proxy.first }

    // MARK: Version 1

    private static let proxy = Array("PROXY ".utf8)

    private mutating func takeLineByte(_ byte: UInt8) {
        if count <= Self.proxy.count {
            if byte != Self.proxy[count - 1] { progress = .invalid }
            return
        }
        let follows = header[count - 2] == Ascii.carriageReturn
        if follows != (byte == Ascii.lineFeed) || (count == Self.longestLine && !follows) {
            progress = .invalid
        } else if follows {
            progress = Self.outcome(of: header)
        }
    }

    /// A whole line with its CR LF, known to begin with `PROXY `.
    private static func outcome(of line: [UInt8]) -> Progress {
        var fields: [Range<Int>] = []
        var start = proxy.count
        for index in start..<line.count - 1 where line[index] == Ascii.space || index == line.count - 2 {
            fields.append(start..<index)
            start = index + 1
        }
        let family = fields.first.map { String(decoding: line[$0], as: UTF8.self) }
        // Everything after `UNKNOWN` is to be ignored.
        if family == "UNKNOWN" { return .complete(source: nil) }
        guard fields.count == 5,
            let source = IPAddress(line.span.extracting(fields[1])),
            let destination = IPAddress(line.span.extracting(fields[2])),
            let port = Decimal.port(line.span.extracting(fields[3])),
            Decimal.port(line.span.extracting(fields[4])) != nil
        else { return .invalid }
        switch (family, source, destination) {
        case ("TCP4", .v4, .v4), ("TCP6", .v6, .v6):
            return .complete(source: Endpoint(address: source.unmapped, port: port))
        default:
            return .invalid
        }
    }

    // MARK: Version 2

    private mutating func takeBinaryByte(_ byte: UInt8) {
        switch count {
        case ...ProxyHeader.signature.count:
            if byte != ProxyHeader.signature[count - 1] { progress = .invalid }
        case 13:
            if byte != ProxyHeader.local, byte != ProxyHeader.proxy { progress = .invalid }
        case 14:
            // Undefined families and protocols are invalid; with LOCAL this byte has no meaning.
            if header[12] == ProxyHeader.proxy, byte >> 4 > 3 || byte & 15 > 2 { progress = .invalid }
        case 15:
            break
        case Self.fixedPart:
            if rest > Self.longestRest || rest < addresses { progress = .invalid }
            fallthrough
        default:
            // Only behind addresses of a known length it is known where the values begin.
            if addresses > 0, count > Self.fixedPart + addresses { values.take(byte) }
            if progress == .needMore, count == Self.fixedPart + rest { progress = .complete(source: source) }
        }
    }

    /// The number of bytes after the fixed part: the addresses, then values, of which one is read.
    private var rest: Int { Int(header[14]) << 8 | Int(header[15]) }

    /// The number of bytes that the addresses take.
    private var addresses: Int {
        switch (header[12], header[13]) {
        case (ProxyHeader.proxy, ProxyHeader.tcp4): 12
        case (ProxyHeader.proxy, ProxyHeader.tcp6): 36
        default: 0
        }
    }

    /// The client's end, once the addresses have arrived.
    private var source: Endpoint? {
        switch addresses {
        case 12:
            Endpoint(address: .v4(number(at: 16)), port: number(at: 24))
        case 36:
            Endpoint(address: IPAddress.v6(number(at: 16)).unmapped, port: number(at: 48))
        default:
            nil
        }
    }

    /// A number in network order.
    private func number<Number: FixedWidthInteger>(at start: Int) -> Number {
        header[start..<start + Number.bitWidth / 8].reduce(0) { $0 << 8 | Number($1) }
    }
}
