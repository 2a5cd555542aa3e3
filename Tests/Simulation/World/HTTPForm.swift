import Deflate

/// The form in which a client writes its requests.
struct HTTPForm {
    var path = "/http-bind"
    /// Whether it uses HTTP/1.0, which closes after each answer unless asked not to.
    var isOld = false
    var closes = false
    var isChunked = false
    var isGzipped = false
    var acceptsGzip = false
    /// Further lines of the head, with their ends.
    var fields = ""

    static let pollingPath = "/http-poll"

    init() {}

    init(_ plan: Plan) {
        if plan["httppoll"] > 0 { path = Self.pollingPath }
        isOld = plan["http"] == 1 || plan["http"] == 3
        closes = plan["http"] == 1 || plan["http"] == 2
        // Only HTTP/1.1 has chunks.
        isChunked = plan["chunked"] > 0 && !isOld
        isGzipped = plan["gzip"] & 1 > 0
        acceptsGzip = plan["gzip"] & 2 > 0
        if plan["http"] == 3 { fields += "Connection: keep-alive\r\n" }
        if plan["http"] == 2 { fields += "Connection: close\r\n" }
    }

    /// The bytes of a request.
    func request(_ plain: [UInt8], _ chance: inout Chance) -> [UInt8] {
        var head = "POST \(path) HTTP/1.\(isOld ? 0 : 1)\r\nHost: x\r\nContent-Type: text/xml\r\n" + fields
        var body = plain
        // A body that expands to more than five times its size is refused, unless it is small.
        if isGzipped, let packed = Self.gzip(plain), plain.count <= max(3_000, packed.count * 5) {
            body = packed
            head += "Content-Encoding: gzip\r\n"
        }
        if acceptsGzip { head += "Accept-Encoding: gzip\r\n" }
        guard isChunked else { return Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body }
        var bytes = Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8)
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(chance.within(1...max(body.count / 3, 1)))
            rest = rest.dropFirst(chunk.count)
            bytes += "\(String(chunk.count, radix: 16))\r\n".utf8
            bytes += chunk
            bytes += "\r\n".utf8
        }
        return bytes + "0\r\n\r\n".utf8
    }

    /// The first bytes of a connection from a TCP proxy (HAProxy, "The PROXY protocol", §2).
    static func proxyHeader(version: Int, client: UInt32, port: UInt16) -> [UInt8] {
        let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: client >> $0) }
        guard version > 1 else {
            let address = octets.map { String($0) }.joined(separator: ".")
            return Array("PROXY TCP4 \(address) 10.0.0.1 \(port) 80\r\n".utf8)
        }
        let start: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12]
        return start + octets + [10, 0, 0, 1, UInt8(port >> 8), UInt8(port & 0xFF), 0, 80]
    }

    /// The compressed bytes; nil when they would be more than before.
    static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        guard var deflater = Deflater(.gzip) else { return nil }
        var packed: [UInt8] = []
        return deflater.deflate(bytes.span, limit: bytes.count - 1, into: &packed) ? packed : nil
    }

    /// The expanded bytes; nil for data that is not gzip.
    static func gunzip(_ bytes: [UInt8]) -> [UInt8]? {
        guard var inflater = Inflater() else { return nil }
        var plain: [UInt8] = []
        do throws(DeflateError) {
            try inflater.inflate(bytes.span, as: .gzip, limit: 1 << 24, into: &plain)
        } catch {
            return nil
        }
        return plain
    }
}
