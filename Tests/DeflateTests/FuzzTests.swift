import Testing

@testable import Deflate

/// Random data, whole and damaged. A failure names the seed.
struct FuzzTests {
    @Test("whatever goes in comes out, through contexts that are used again and again")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        var inflater = try makeInflater()
        var gzip = try makeDeflater(.gzip)
        var zlib = try makeDeflater(.zlib)
        var raw = try makeDeflater(.raw)
        for _ in 0..<400 {
            let bytes = generator.bytes()
            let format = generator.pick(DeflateFormat.allCases)
            var compressed: [UInt8] = []
            let done =
                switch format {
                case .gzip: gzip.deflate(bytes.span, limit: bytes.count + 1000, into: &compressed)
                case .zlib: zlib.deflate(bytes.span, limit: bytes.count + 1000, into: &compressed)
                case .raw: raw.deflate(bytes.span, limit: bytes.count + 1000, into: &compressed)
                }
            var back: [UInt8] = []
            try inflater.inflate(compressed.span, as: format, limit: bytes.count, into: &back)
            #expect(done && back == bytes, "seed \(seed)")
            if format != .gzip { #expect(format == .raw || DeflateFormat(deflateCoding: compressed.span) == .zlib) }
        }
    }

    @Test("damage is an error or a result within the limit, never more")
    func damage() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        var inflater = try makeInflater()
        var deflater = try makeDeflater(.gzip)
        var refused = 0
        for _ in 0..<600 {
            let bytes = generator.bytes()
            var compressed: [UInt8] = []
            guard deflater.deflate(bytes.span, limit: bytes.count + 1000, into: &compressed) else { continue }
            for _ in 0...Int(generator.next() % 4) {
                let index = Int(generator.next() % UInt64(compressed.count))
                switch generator.next() % 3 {
                case 0: compressed[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1 where compressed.count > 1: compressed.remove(at: index)
                default: compressed.insert(UInt8(truncatingIfNeeded: generator.next()), at: index)
                }
            }
            let limit = Int(generator.next() % 5000)
            var output: [UInt8] = []
            do throws(DeflateError) {
                try inflater.inflate(
                    compressed.span, as: generator.pick(DeflateFormat.allCases), limit: limit, into: &output)
                #expect(output.count <= limit, "seed \(seed)")
            } catch {
                refused += 1
                #expect(output.isEmpty, "seed \(seed)")
            }
        }
        #expect(refused > 300, "seed \(seed)")
    }
}

/// SplitMix64: a run can be repeated from its seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(next() % UInt64(values.count))]
    }

    /// Up to 40,000 bytes: noise, few symbols, or repetition.
    mutating func bytes() -> [UInt8] {
        let count = Int(next() % (next() % 32 == 0 ? 40_000 : 600))
        let symbols = pick([2, 16, 256] as [UInt64])
        var bytes: [UInt8] = []
        while bytes.count < count {
            if symbols != 256, next() % 4 == 0, bytes.count > 8 {
                bytes += bytes.suffix(8 + Int(next() % 200))
            } else {
                bytes.append(UInt8(truncatingIfNeeded: next() % symbols))
            }
        }
        return bytes
    }
}
