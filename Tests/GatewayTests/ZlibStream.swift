import CZlib
import TestSupport

/// The server's end of a stream that zlib compresses (XEP-0138), with zlib's own defaults as servers use them.
final class ZlibStream: ServerStream {
    let wire: ByteStream
    private let deflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var plain: [UInt8] = []

    init(_ wire: ByteStream) throws {
        self.wire = wire
        deflater.initialize(to: z_stream())
        inflater.initialize(to: z_stream())
        guard holdfast_deflateInit2(deflater, 6, 15, 8) == Z_OK, holdfast_inflateInit2(inflater, 15) == Z_OK else {
            throw TestFault("zlib")
        }
    }

    deinit {
        deflateEnd(deflater)
        inflateEnd(inflater)
        deflater.deallocate()
        inflater.deallocate()
    }

    /// The bytes compressed, in such a way that all of them can be expanded; with `Z_FINISH` the compressed data ends
    /// there.
    func compressed(_ bytes: [UInt8], flush: Int32 = Z_SYNC_FLUSH) -> [UInt8] {
        var bytes = bytes
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        bytes.withUnsafeMutableBufferPointer { input in
            deflater.pointee.next_in = input.baseAddress
            deflater.pointee.avail_in = uInt(input.count)
            repeat {
                piece.withUnsafeMutableBufferPointer { output in
                    deflater.pointee.next_out = output.baseAddress
                    deflater.pointee.avail_out = uInt(output.count)
                    deflate(deflater, flush)
                }
                result += piece[..<(piece.count - Int(deflater.pointee.avail_out))]
            } while deflater.pointee.avail_out == 0
        }
        return result
    }

    func compressed(_ text: String) -> [UInt8] {
        compressed(Array(text.utf8))
    }

    func send(_ text: String) throws {
        try wire.send(compressed(text))
    }

    func read(until pattern: String) throws -> String {
        while true {
            let text = plain.text
            if let range = text.firstRange(of: pattern) {
                let found = String(text[..<range.upperBound])
                plain.removeFirst(found.utf8.count)
                return found
            }
            try expand()
        }
    }

    /// Reads until the client ends the stream or the connection is over; returns everything that came.
    func readToEnd() throws -> String {
        while case .bytes(let bytes) = try wire.receive() { try expand(bytes) }
        return plain.text
    }

    private func expand() throws {
        guard case .bytes(let bytes) = try wire.receive() else { throw TestFault("closed; there is '\(plain.text)'") }
        try expand(bytes)
    }

    private func expand(_ bytes: [UInt8]) throws {
        var bytes = bytes
        var piece = [UInt8](repeating: 0, count: 65_536)
        try bytes.withUnsafeMutableBufferPointer { input in
            inflater.pointee.next_in = input.baseAddress
            inflater.pointee.avail_in = uInt(input.count)
            repeat {
                let status = piece.withUnsafeMutableBufferPointer { output in
                    inflater.pointee.next_out = output.baseAddress
                    inflater.pointee.avail_out = uInt(output.count)
                    return inflate(inflater, Z_SYNC_FLUSH)
                }
                guard status == Z_OK || status == Z_BUF_ERROR else { throw TestFault("no zlib: \(status)") }
                plain += piece[..<(piece.count - Int(inflater.pointee.avail_out))]
            } while inflater.pointee.avail_out == 0
        }
    }
}

extension ScriptedStream {
    static let compress = "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"
    static let compressed = "<compressed xmlns='http://jabber.org/protocol/compress'/>"
    /// What a server offers after the login, besides compression.
    static let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    static let compression =
        "<compression xmlns='http://jabber.org/features/compress'><method>lzw</method><method>zlib</method></compression>"
    static let compressionFeatures = "<stream:features>\(compression)\(bind)</stream:features>"
    /// The same features as the client gets them.
    static let bindFeatures = "<stream:features>\(bind)</stream:features>"
}
