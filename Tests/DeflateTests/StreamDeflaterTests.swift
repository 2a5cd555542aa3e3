import CZlib
import Testing

@testable import Deflate

/// One stream of stanzas through the compressor, read back by zlib itself.
struct StreamDeflaterTests {
    static let stanzas: [[UInt8]] = (0..<60).map { index in
        Array(
            "<message xmlns='jabber:client' to='a@example.org' id='m\(index * 7919)'><body>\(index)</body></message>"
                .utf8)
    }

    @Test("each piece can be read before the next is written, and later ones get shorter")
    func piecewise() throws {
        var deflater = try makeStreamDeflater()
        let reader = try PlainInflater()
        var lengths: [Int] = []
        for stanza in Self.stanzas {
            var compressed: [UInt8] = []
            let done = deflater.deflate(stanza.span, into: &compressed)
            #expect(done)
            lengths.append(compressed.count)
            #expect(try reader.inflate(compressed) == stanza)
        }
        // The first stanza is new; of the others everything but two numbers is known.
        #expect(lengths[0] > 80)
        #expect(lengths.dropFirst().allSatisfy { $0 < 40 })
    }

    @Test("the stream begins as RFC 1950 says, once, and every piece ends with a flush")
    func frame() throws {
        var deflater = try makeStreamDeflater()
        let stanza = Self.stanzas[0]
        var first: [UInt8] = []
        #expect(deflater.deflate(stanza.span, into: &first))
        #expect(first[0] & 0x0F == 8)
        #expect(first[0] >> 4 == 3, "a window of 2 KB")
        #expect((Int(first[0]) << 8 | Int(first[1])) % 31 == 0)
        #expect(first.suffix(4) == [0, 0, 0xFF, 0xFF])
        var second: [UInt8] = []
        #expect(deflater.deflate(stanza.span, into: &second))
        #expect(second.prefix(2) != first.prefix(2))
        #expect(second.suffix(4) == [0, 0, 0xFF, 0xFF])
    }

    @Test("nothing in, nothing out, and earlier bytes of the caller stay")
    func small() throws {
        var deflater = try makeStreamDeflater()
        var output: [UInt8] = [1, 2, 3]
        let nothing: [UInt8] = []
        let space: [UInt8] = [0x20]
        #expect(deflater.deflate(nothing.span, into: &output))
        #expect(output == [1, 2, 3])
        #expect(deflater.deflate(space.span, into: &output))
        #expect(output.prefix(3) == [1, 2, 3])
        let afterOne = output
        #expect(deflater.deflate(nothing.span, into: &output))
        #expect(output == afterOne)
        #expect(try PlainInflater().inflate(Array(output.dropFirst(3))) == space)
    }

    @Test("pieces far larger than window and buffers pass unchanged", arguments: [2, 16, 256])
    func large(symbols: UInt64) throws {
        var generator = SplitMix(state: symbols)
        var deflater = try makeStreamDeflater()
        let reader = try PlainInflater()
        for count in [200_000, 1, 65_535, 65_536, 65_537, 2_048] {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() % symbols) }
            var compressed: [UInt8] = []
            let done = deflater.deflate(bytes.span, into: &compressed)
            #expect(done)
            // With so little memory, random data grows by two percent.
            #expect(compressed.count <= bytes.count + bytes.count / 40 + 64)
            #expect(try reader.inflate(compressed) == bytes)
        }
    }
}

func makeStreamDeflater() throws -> StreamDeflater {
    guard let deflater = StreamDeflater() else { throw DeflateError.outOfMemory }
    return deflater
}

/// zlib with its defaults, for the other end of a stream.
final class PlainInflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws {
        stream.initialize(to: z_stream())
        guard holdfast_inflateInit2(stream, 15) == Z_OK else { throw DeflateError.outOfMemory }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// All that `bytes` expands to.
    func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
        var result: [UInt8] = []
        var bytes = bytes
        try bytes.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = uInt(input.count)
            var room = [UInt8](repeating: 0, count: 16_384)
            repeat {
                try room.withUnsafeMutableBufferPointer { buffer in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = uInt(buffer.count)
                    let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                    guard status == Z_OK || status == Z_BUF_ERROR else { throw DeflateError.corrupt }
                }
                result += room.dropLast(Int(stream.pointee.avail_out))
            } while stream.pointee.avail_out == 0
        }
        return result
    }
}

/// zlib as a server uses it: with its defaults, except for what the caller asks for.
final class PlainDeflater {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init(level: Int32 = 6, window: Int32 = 15, memoryLevel: Int32 = 8) throws {
        stream.initialize(to: z_stream())
        guard holdfast_deflateInit2(stream, level, window, memoryLevel) == Z_OK else { throw DeflateError.outOfMemory }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// `bytes` compressed, flushed with Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH or Z_FINISH.
    func deflate(_ bytes: [UInt8], flush: Int32 = Z_SYNC_FLUSH) throws -> [UInt8] {
        var bytes = bytes
        var result: [UInt8] = []
        try bytes.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = uInt(input.count)
            var room = [UInt8](repeating: 0, count: 16_384)
            repeat {
                try room.withUnsafeMutableBufferPointer { buffer in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = uInt(buffer.count)
                    let status = CZlib.deflate(stream, flush)
                    guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                        throw DeflateError.corrupt
                    }
                }
                result += room.dropLast(Int(stream.pointee.avail_out))
            } while stream.pointee.avail_out == 0
        }
        return result
    }
}
