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
            #expect(inflate(all: bytes, with: &inflater) == .success(stanza))
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
        #expect(inflate(all: bytes, with: &inflater) == .success(Self.text))
    }

    @Test("split at every byte")
    func splits() throws {
        let bytes = try Array(sent().prefix(8).joined())
        let text = Self.stanzas.prefix(8).flatMap { $0 }
        for point in bytes.indices {
            var inflater = try makeStreamInflater()
            let first = try inflate(all: Array(bytes[..<point]), with: &inflater).get()
            let second = try inflate(all: Array(bytes[point...]), with: &inflater).get()
            #expect(first + second == text, "split at \(point)")
        }
    }

    @Test("byte by byte")
    func bytewise() throws {
        var inflater = try makeStreamInflater()
        var result: [UInt8] = []
        for byte in try sent().joined() { result += try inflate(all: [byte], with: &inflater).get() }
        #expect(result == Self.text)
    }

    @Test("any window and memory that a server may choose", arguments: 9...15, [1, 8, 9])
    func windows(window: Int, memoryLevel: Int) throws {
        let server = try PlainDeflater(window: Int32(window), memoryLevel: Int32(memoryLevel))
        var inflater = try makeStreamInflater()
        var generator = SplitMix(state: UInt64(window))
        let blocks = (0..<20).map { _ in generator.bytes() }
        // The repeats are so far apart that they need the whole window.
        for block in blocks + blocks {
            #expect(try inflate(all: server.deflate(block), with: &inflater) == .success(block))
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
            #expect(inflate(all: bytes, with: &inflater) == .success(stanza))
        }
    }

    @Test("the end of the zlib stream is an end; bytes behind it are an error for good")
    func end() throws {
        let server = try PlainDeflater()
        let bytes = try server.deflate(Self.stanzas[0], flush: Z_FINISH)
        var inflater = try makeStreamInflater()
        #expect(inflate(all: bytes, with: &inflater) == .success(Self.stanzas[0]))
        let isAtEnd = inflater.isAtEnd
        #expect(isAtEnd)
        #expect(inflate(all: [], with: &inflater) == .success([]))
        #expect(inflate(all: [0], with: &inflater) == .failure(.trailingData))
        #expect(inflate(all: [], with: &inflater) == .failure(.trailingData))

        var other = try makeStreamInflater()
        #expect(inflate(all: bytes + bytes, with: &other) == .failure(.trailingData))
        for point in bytes.indices {
            var split = try makeStreamInflater()
            _ = try inflate(all: Array(bytes[..<point]), with: &split).get()
            let isAtEnd = split.isAtEnd
            #expect(!isAtEnd)
            #expect(inflate(all: Array(bytes[point...]) + [0x78], with: &split) == .failure(.trailingData))
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
            #expect(inflate(all: bytes, with: &inflater) == .failure(.corrupt), "\(bytes)")
            #expect(inflate(all: good, with: &inflater) == .failure(.corrupt))
        }
    }

    @Test("a preset dictionary is not what XEP-0138 speaks of")
    func dictionary() throws {
        var inflater = try makeStreamInflater()
        #expect(inflate(all: [0x78, 0xF9, 0x16, 0xC0, 0x04, 0x37, 0x4B], with: &inflater) == .failure(.corrupt))
    }

    @Test("a check that does not hold")
    func check() throws {
        var bytes = try PlainDeflater().deflate(Self.text, flush: Z_FINISH)
        bytes[bytes.count - 1] ^= 1
        var inflater = try makeStreamInflater()
        #expect(inflate(all: bytes, with: &inflater) == .failure(.corrupt))
    }

    @Test("a bomb in a bomb stays what it is")
    func nested() throws {
        let inner = try PlainDeflater(level: 9).deflate([UInt8](repeating: 0, count: 1_000_000))
        let outer = try PlainDeflater(level: 9).deflate(inner)
        var inflater = try makeStreamInflater()
        #expect(inflate(all: outer, with: &inflater) == .success(inner))
    }

}

/// All that `bytes` expands to, in steps of `room` until nothing more comes, or the error. Each step is checked: it
/// gives at most `room` bytes, keeps what was there, moves `offset` only forwards, and is full while more is to come.
func inflate(
    all bytes: [UInt8], room: Int = 65_536, with inflater: inout StreamInflater
) -> Result<[UInt8], DeflateError> {
    var output: [UInt8] = []
    let failure = inflate(all: bytes, room: room, with: &inflater, into: &output)
    return failure.map { .failure($0) } ?? .success(output)
}

/// The same, but keeps the output before an error, and returns the error.
func inflate(
    all bytes: [UInt8], room: Int, with inflater: inout StreamInflater, into output: inout [UInt8]
) -> DeflateError? {
    var offset = 0
    var hasMore = true
    while hasMore {
        let start = offset
        var step: [UInt8] = [1, 2, 3]
        var failure: DeflateError?
        do throws(DeflateError) {
            hasMore = try inflater.inflate(bytes.span, offset: &offset, room: room, into: &step)
        } catch {
            failure = error
        }
        #expect(step.starts(with: [1, 2, 3]))
        #expect(step.count - 3 <= room)
        #expect((start...bytes.count).contains(offset))
        output += step[3...]
        if let failure { return failure }
        if hasMore { #expect(step.count - 3 == room) } else { #expect(offset == bytes.count) }
    }
    return nil
}

func makeStreamInflater() throws -> StreamInflater {
    guard let inflater = StreamInflater() else { throw DeflateError.outOfMemory }
    return inflater
}
