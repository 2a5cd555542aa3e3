import CZlib
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

/// The same for streams that never end.
struct StreamFuzzTests {
    @Test("whatever goes in comes out, however it is cut, beside zlib at either end")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        for _ in 0..<12 {
            var deflater = try makeStreamDeflater()
            var inflater = try makeStreamInflater()
            let plainReader = try PlainInflater()
            let plainWriter = try PlainDeflater(
                level: Int32(generator.next() % 10), window: 9 + Int32(generator.next() % 7),
                memoryLevel: 1 + Int32(generator.next() % 9))
            var fromServer = try makeStreamInflater()
            for _ in 0..<20 {
                let bytes = generator.bytes()
                var compressed: [UInt8] = []
                let done = deflater.deflate(bytes.span, into: &compressed)
                #expect(done, "seed \(seed)")
                #expect(try plainReader.inflate(compressed) == bytes, "seed \(seed)")
                #expect(try cut(compressed, &inflater, &generator) == bytes, "seed \(seed)")
                let sent = try plainWriter.deflate(
                    bytes, flush: bytes.isEmpty ? Z_SYNC_FLUSH : generator.pick([Z_SYNC_FLUSH, Z_FULL_FLUSH]))
                #expect(try cut(sent, &fromServer, &generator) == bytes, "seed \(seed)")
            }
        }
    }

    @Test("damage is an error for good or bytes in their steps, never more")
    func damage() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        var refused = 0
        for _ in 0..<300 {
            let server = try PlainDeflater()
            var bytes = try server.deflate(generator.bytes()) + server.deflate(generator.bytes())
            for _ in 0...Int(generator.next() % 4) {
                let index = Int(generator.next() % UInt64(bytes.count))
                switch generator.next() % 3 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1 where bytes.count > 1: bytes.remove(at: index)
                default: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: index)
                }
            }
            refused += try survives(bytes, &generator, seed: seed) ? 0 : 1
        }
        #expect(refused > 100, "seed \(seed)")
    }

    @Test("noise is survived, behind a good header too")
    func noise() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        var refused = 0
        for round in 0..<400 {
            let bytes = (0..<200).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            refused += try survives(round % 2 == 0 ? bytes : [0x78, 0x9C] + bytes, &generator, seed: seed) ? 0 : 1
        }
        #expect(refused > 300, "seed \(seed)")
    }

    /// Feeds `bytes` in random pieces and steps; returns whether no error came.
    private func survives(_ bytes: [UInt8], _ generator: inout SplitMix, seed: UInt64) throws -> Bool {
        var inflater = try makeStreamInflater()
        var failure: DeflateError?
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(1 + Int(generator.next() % 300)))
            rest = rest.dropFirst(piece.count)
            var output: [UInt8] = []
            let room = 1 + Int(generator.next() % 5000)
            let error = inflate(all: piece, room: room, with: &inflater, into: &output)
            if let failure {
                #expect(error == failure && output.isEmpty, "seed \(seed)")
            } else if let error {
                #expect([.corrupt, .trailingData].contains(error), "seed \(seed)")
                failure = error
            }
        }
        return failure == nil
    }

    /// What `bytes` expand to in random pieces and steps.
    private func cut(
        _ bytes: [UInt8], _ inflater: inout StreamInflater, _ generator: inout SplitMix
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(1 + Int(generator.next() % 5000)))
            rest = rest.dropFirst(piece.count)
            let room = 1 + Int(generator.next() % 5000)
            output += try inflate(all: piece, room: room, with: &inflater).get()
        }
        return output
    }
}

/// SplitMix64: a run can be repeated from its seed.
struct SplitMix: RandomNumberGenerator {
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
