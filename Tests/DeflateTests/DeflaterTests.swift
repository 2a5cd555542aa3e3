import CZlib
import Testing

@testable import Deflate

/// The compressor's output, read back by zlib's own one-call functions if they know the format.
struct DeflaterTests {
    private static let stanzas = (0..<40).flatMap { index in
        Array(
            "<message xmlns='jabber:client' to='a@example.org' id='m\(index * 7919)'><body>\(index)</body></message>"
                .utf8)
    }

    @Test("what is compressed comes back, and is shorter", arguments: DeflateFormat.allCases)
    func roundTrip(format: DeflateFormat) throws {
        var deflater = try makeDeflater(format)
        var inflater = try makeInflater()
        for length in [0, 1, 2, 100, 257, 1000, Self.stanzas.count] {
            let bytes = Array(Self.stanzas[..<length])
            var compressed: [UInt8] = []
            let done = deflater.deflate(bytes.span, limit: length + 64, into: &compressed)
            #expect(done)
            if length >= 1000 { #expect(compressed.count < length / 3) }
            var back: [UInt8] = []
            try inflater.inflate(compressed.span, as: format, limit: length, into: &back)
            #expect(back == bytes)
        }
    }

    @Test("zlib's uncompress reads the zlib format")
    func againstZlib() throws {
        var deflater = try makeDeflater(.zlib)
        var compressed: [UInt8] = []
        let done = deflater.deflate(Self.stanzas.span, limit: Self.stanzas.count, into: &compressed)
        #expect(done)
        var back = [UInt8](repeating: 0, count: Self.stanzas.count + 1)
        var length = uLongf(back.count)
        #expect(uncompress(&back, &length, compressed, uLong(compressed.count)) == Z_OK)
        #expect(Array(back.prefix(Int(length))) == Self.stanzas)
    }

    @Test("each format begins and ends as its RFC says")
    func frames() throws {
        let text = Array("hello, hello, hello".utf8)
        var gzip: [UInt8] = []
        var deflater = try makeDeflater(.gzip)
        #expect(deflater.deflate(text.span, limit: 100, into: &gzip))
        #expect(gzip.prefix(3) == [0x1F, 0x8B, 8])
        #expect(gzip.suffix(4) == [UInt8(text.count), 0, 0, 0])
        var zlib: [UInt8] = []
        var other = try makeDeflater(.zlib)
        #expect(other.deflate(text.span, limit: 100, into: &zlib))
        #expect(zlib[0] & 0x0F == 8)
        #expect((Int(zlib[0]) << 8 | Int(zlib[1])) % 31 == 0)
        // The frame contains no time and no name, so the bytes are the same each time.
        var again: [UInt8] = []
        #expect(deflater.deflate(text.span, limit: 100, into: &again))
        #expect(again == gzip)
        #expect(gzip[4..<8].allSatisfy { $0 == 0 })
    }

    @Test("a result over the limit leaves nothing behind, and the context is as good as new")
    func limit() throws {
        var deflater = try makeDeflater(.gzip)
        var whole: [UInt8] = []
        #expect(deflater.deflate(Self.stanzas.span, limit: 100_000, into: &whole))
        for limit in [-1, 0, 1, 17, 18, whole.count / 2, whole.count - 1] {
            var output: [UInt8] = [42]
            let done = deflater.deflate(Self.stanzas.span, limit: limit, into: &output)
            #expect(!done, "limit \(limit)")
            #expect(output == [42], "limit \(limit)")
        }
        var output: [UInt8] = [42]
        #expect(deflater.deflate(Self.stanzas.span, limit: whole.count, into: &output))
        #expect(output == [42] + whole)
    }

    @Test("what cannot be compressed is not worth it")
    func incompressible() throws {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var deflater = try makeDeflater(.gzip)
        var output: [UInt8] = []
        #expect(!deflater.deflate(noise.span, limit: noise.count - 1, into: &output))
        #expect(output.isEmpty)
    }
}

func makeDeflater(_ format: DeflateFormat) throws -> Deflater {
    guard let deflater = Deflater(format) else { throw DeflateError.outOfMemory }
    return deflater
}

func makeInflater() throws -> Inflater {
    guard let inflater = Inflater() else { throw DeflateError.outOfMemory }
    return inflater
}
