/// Cuts an HTTP/1.1 byte stream into responses, of the form that a connection manager sends: a status line, fields, and
/// a body with `Content-Length`.
struct ReplyParser {
    /// One response.
    struct Reply: Equatable {
        /// 100...599.
        let status: Int
        /// The content.
        let body: [UInt8]
        /// Whether the connection may carry another request.
        let isKeptAlive: Bool
    }

    /// The bytes are not a response that this parser knows.
    struct Malformed: Error {}

    private var bytes: [UInt8] = []

    /// Whether a response has begun but not ended.
    var isMidway: Bool { !bytes.isEmpty }

    /// Adds received bytes.
    mutating func append(_ new: Span<UInt8>) {
        bytes.reserveCapacity(bytes.count + new.count)
        for index in new.indices { bytes.append(new[index]) }
    }

    /// The next complete response.
    mutating func next() throws(Malformed) -> Reply? {
        guard let headEnd = Markup.firstIndex(of: Needle.emptyLine, in: bytes[...]) else { return nil }
        let head = String(decoding: bytes[..<headEnd], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        guard let parts = lines.first?.split(separator: " "), parts.count >= 2, parts[0].hasPrefix("HTTP/1."),
            let status = Int(parts[1])
        else { throw Malformed() }
        var length: Int?
        var isKeptAlive = parts[0] == "HTTP/1.1"
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Malformed() }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "content-length": length = Int(value)
            case "connection": isKeptAlive = value.lowercased() != "close"
            case "transfer-encoding": throw Malformed()
            default: break
            }
        }
        guard let length, (0...16_777_216).contains(length) else { throw Malformed() }
        let bodyStart = headEnd + Needle.emptyLine.count
        guard bytes.count >= bodyStart + length else { return nil }
        let body = Array(bytes[bodyStart..<(bodyStart + length)])
        if bytes.count == bodyStart + length {
            bytes = []
        } else {
            bytes.removeFirst(bodyStart + length)
        }
        return Reply(status: status, body: body, isKeptAlive: isKeptAlive)
    }
}

private enum Needle {
    static let emptyLine = Array("\r\n\r\n".utf8)
}
