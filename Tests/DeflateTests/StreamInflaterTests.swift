import CZlib
import Testing

@testable import Deflate

/// One stream of a server through the expander, whole, in pieces and damaged.
struct StreamInflaterTests {
    private static let stanzas = StreamDeflaterTests.stanzas
    private static let text = stanzas.flatMap { $0 }

    /// `stanzas` as a server sends them, one flush each.
    private func sent(flush: Int32 = Z_SYNC_FLUSH) throws -> [[UInt8]] {
        let server = try PlainDeflater()
        return try Self.stanzas.map { try server.deflate($0, flush: flush) }
    }

    @Test("every stanza is there as soon as its bytes are")
    func piecewise() throws {
        var inflater = try makeStreamInflater()
        for (stanza, bytes) in zip(Self.stanzas, try sent()) {
            #expect(inflate(bytes, with: &inflater) == .success(stanza))
            let isAtEnd = inflater.isAtEnd
            #expect(!isAtEnd)
        }
    }

    @Test("any way to flush", arguments: [Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH])
    func flushes(flush: Int32) throws {
        let server = try PlainDeflater()
        var bytes = try Self.stanzas.flatMap { try server.deflate($0, flush: flush) }
        bytes += try server.deflate([], flush: Z_SYNC_FLUSH)
        var inflater = try makeStreamInflater()
        #expect(inflate(bytes, with: &inflater) == .success(Self.text))
    }

    @Test("split at every byte")
    func splits() throws {
        let bytes = try Array(sent().prefix(8).joined())
        let text = Self.stanzas.prefix(8).flatMap { $0 }
        for point in bytes.indices {
            var inflater = try makeStreamInflater()
            let first = try inflate(Array(bytes[..<point]), with: &inflater).get()
            let second = try inflate(Array(bytes[point...]), with: &inflater).get()
            #expect(first + second == text, "split at \(point)")
        }
    }

    @Test("byte by byte")
    func bytewise() throws {
        var inflater = try makeStreamInflater()
        var result: [UInt8] = []
        for byte in try sent().joined() { result += try inflate([byte], with: &inflater).get() }
        #expect(result == Self.text)
    }

    @Test("any window and memory that a server may choose", arguments: 9...15, [1, 8, 9])
    func windows(window: Int, memoryLevel: Int) throws {
        let server = try PlainDeflater(window: Int32(window), memoryLevel: Int32(memoryLevel))
        var inflater = try makeStreamInflater()
        var generator = SplitMix(state: UInt64(window))
        let blocks = (0..<20).map { _ in generator.bytes() }
        // Far enough back to need the whole window.
        for block in blocks + blocks {
            #expect(try inflate(server.deflate(block), with: &inflater) == .success(block))
        }
    }

    @Test("our own compressor's stream")
    func ourOwn() throws {
        var deflater = try makeStreamDeflater()
        var inflater = try makeStreamInflater()
        for stanza in Self.stanzas {
            var bytes: [UInt8] = []
            let done = deflater.deflate(stanza.span, into: &bytes)
            #expect(done)
            #expect(inflate(bytes, with: &inflater) == .success(stanza))
        }
    }

    @Test("the end of the zlib stream is an end; bytes behind it are an error for good")
    func end() throws {
        let server = try PlainDeflater()
        let bytes = try server.deflate(Self.stanzas[0], flush: Z_FINISH)
        var inflater = try makeStreamInflater()
        #expect(inflate(bytes, with: &inflater) == .success(Self.stanzas[0]))
        let isAtEnd = inflater.isAtEnd
        #expect(isAtEnd)
        #expect(inflate([], with: &inflater) == .success([]))
        #expect(inflate([0], with: &inflater) == .failure(.trailingData))
        #expect(inflate([], with: &inflater) == .failure(.trailingData))

        var other = try makeStreamInflater()
        #expect(inflate(bytes + bytes, with: &other) == .failure(.trailingData))
        for point in bytes.indices {
            var split = try makeStreamInflater()
            _ = try inflate(Array(bytes[..<point]), with: &split).get()
            let isAtEnd = split.isAtEnd
            #expect(!isAtEnd)
            #expect(inflate(Array(bytes[point...]) + [0x78], with: &split) == .failure(.trailingData))
        }
    }

    @Test("what is no zlib stream is refused at its first bytes, and ever after")
    func corrupt() throws {
        let good = try PlainDeflater().deflate(Self.stanzas[0])
        for bytes: [UInt8] in [
            Array("<stream:stream xmlns='jabber:client'>".utf8), [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], [0x78, 0x9D],
            [0x88, 0x1C], [0x79, 0x9C], [0, 0, 0, 0], [0x78, 0x9C, 0x07], [0x78, 0x9C, 0x01, 1, 0, 0, 0],
        ] {
            var inflater = try makeStreamInflater()
            #expect(inflate(bytes, with: &inflater) == .failure(.corrupt), "\(bytes)")
            #expect(inflate(good, with: &inflater) == .failure(.corrupt))
        }
    }

    @Test("a preset dictionary is not what XEP-0138 speaks of")
    func dictionary() throws {
        var inflater = try makeStreamInflater()
        #expect(inflate([0x78, 0xF9, 0x16, 0xC0, 0x04, 0x37, 0x4B], with: &inflater) == .failure(.corrupt))
    }

    @Test("a check that does not hold")
    func check() throws {
        var bytes = try PlainDeflater().deflate(Self.text, flush: Z_FINISH)
        bytes[bytes.count - 1] ^= 1
        var inflater = try makeStreamInflater()
        #expect(inflate(bytes, with: &inflater) == .failure(.corrupt))
    }

    @Test("the limit is exact, on one call, and final")
    func limit() throws {
        let pieces = try sent()
        let stanza = Self.stanzas[0]
        for limit in [-1, 0, 1, stanza.count - 1] {
            var inflater = try makeStreamInflater()
            #expect(inflate(pieces[0], limit: limit, with: &inflater) == .failure(.tooLarge), "limit \(limit)")
            #expect(inflate(pieces[1], with: &inflater) == .failure(.tooLarge))
        }
        for limit in [stanza.count, stanza.count + 1, Int.max] {
            var inflater = try makeStreamInflater()
            #expect(inflate(pieces[0], limit: limit, with: &inflater) == .success(stanza), "limit \(limit)")
        }
        // A limit as large as each stanza is enough for all of them.
        var inflater = try makeStreamInflater()
        for (stanza, bytes) in zip(Self.stanzas, pieces) {
            #expect(inflate(bytes, limit: stanza.count, with: &inflater) == .success(stanza))
        }
    }

    @Test("bytes that expand to nothing yet need no limit")
    func header() throws {
        let bytes = try sent()[0]
        var inflater = try makeStreamInflater()
        #expect(inflate(Array(bytes.prefix(2)), limit: 0, with: &inflater) == .success([]))
        #expect(inflate(Array(bytes.dropFirst(2)), with: &inflater) == .success(Self.stanzas[0]))
    }

    @Test("a bomb takes no more memory than it is given")
    func bombs() throws {
        let server = try PlainDeflater(level: 9)
        let bomb = try server.deflate([UInt8](repeating: 0x20, count: 8_000_000))
        #expect(bomb.count < 10_000)
        var inflater = try makeStreamInflater()
        var output: [UInt8] = [1]
        #expect(throws: DeflateError.tooLarge) {
            try inflater.inflate(bomb.span, limit: 1_000_000, into: &output)
        }
        #expect(output == [1])
        #expect(output.capacity <= 4_000_000)
        // In small pieces each may give its thousandfold, which the caller's own bound on an element ends.
        var patient = try makeStreamInflater()
        var total = 0
        for start in stride(from: 0, to: bomb.count, by: 100) {
            let piece = Array(bomb[start..<min(start + 100, bomb.count)])
            total += try inflate(piece, limit: 110_000, with: &patient).get().count
        }
        #expect(total == 8_000_000)
    }

    @Test("a bomb in a bomb stays what it is")
    func nested() throws {
        let inner = try PlainDeflater(level: 9).deflate([UInt8](repeating: 0, count: 1_000_000))
        let outer = try PlainDeflater(level: 9).deflate(inner)
        var inflater = try makeStreamInflater()
        #expect(inflate(outer, limit: inner.count, with: &inflater) == .success(inner))
    }

    /// What one call gave, or the error, after which nothing of it may be there.
    private func inflate(
        _ bytes: [UInt8], limit: Int = 10_000_000, with inflater: inout StreamInflater
    ) -> Result<[UInt8], DeflateError> {
        var output: [UInt8] = [1, 2, 3]
        do throws(DeflateError) {
            try inflater.inflate(bytes.span, limit: limit, into: &output)
        } catch {
            #expect(output == [1, 2, 3])
            return .failure(error)
        }
        #expect(output.prefix(3) == [1, 2, 3])
        return .success(Array(output[3...]))
    }
}

func makeStreamInflater() throws -> StreamInflater {
    guard let inflater = StreamInflater() else { throw DeflateError.outOfMemory }
    return inflater
}
