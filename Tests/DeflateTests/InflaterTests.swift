import CZlib
import Testing

@testable import Deflate

/// The expander's results for data from other programs, valid and invalid.
struct InflaterTests {
    private static let text = Array("<body xmlns='http://jabber.org/protocol/httpbind'/>".utf8)

    /// `text` as zlib 1.2.13 compresses it at level 9, without a frame.
    private static let raw: [UInt8] = [
        0xB3, 0x49, 0xCA, 0x4F, 0xA9, 0x54, 0xA8, 0xC8, 0xCD, 0xC9, 0x2B, 0xB6, 0x55, 0xCF, 0x28, 0x29, 0x29, 0xB0,
        0xD2,
        0xD7, 0xCF, 0x4A, 0x4C, 0x4A, 0x4A, 0x2D, 0xD2, 0xCB, 0x2F, 0x4A, 0xD7, 0x2F, 0x28, 0xCA, 0x2F, 0xC9, 0x4F,
        0xCE,
        0xCF, 0xD1, 0x07, 0x49, 0x25, 0x65, 0xE6, 0xA5, 0xA8, 0xEB, 0xDB, 0x01, 0x00,
    ]
    private static let gzip: [UInt8] =
        [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 2, 3] + raw + [0x32, 0x4C, 0x69, 0x7E, 0x33, 0, 0, 0]
    private static let zlib: [UInt8] = [0x78, 0xDA] + raw + [0xE4, 0x7F, 0x12, 0x96]

    private static func sample(_ format: DeflateFormat) -> [UInt8] {
        switch format {
        case .gzip: gzip
        case .zlib: zlib
        case .raw: raw
        }
    }

    /// The result or the error of one piece.
    private func inflate(
        _ bytes: [UInt8], as format: DeflateFormat, limit: Int = 1_000_000
    ) throws -> Result<[UInt8], DeflateError> {
        var inflater = try makeInflater()
        return inflate(bytes, as: format, limit: limit, with: &inflater)
    }

    private func inflate(
        _ bytes: [UInt8], as format: DeflateFormat, limit: Int = 1_000_000, with inflater: inout Inflater
    ) -> Result<[UInt8], DeflateError> {
        var output: [UInt8] = [1, 2, 3]
        do throws(DeflateError) {
            try inflater.inflate(bytes.span, as: format, limit: limit, into: &output)
        } catch {
            #expect(output == [1, 2, 3])
            return .failure(error)
        }
        #expect(output.prefix(3) == [1, 2, 3])
        return .success(Array(output[3...]))
    }

    /// `count` zero bytes, compressed as far as possible.
    private func bomb(_ count: Int) -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: count)
        var length = compressBound(uLong(count))
        var bytes = [UInt8](repeating: 0, count: Int(length))
        #expect(compress2(&bytes, &length, zeros, uLong(count), 9) == Z_OK)
        return Array(bytes.prefix(Int(length)))
    }

    @Test("known data", arguments: DeflateFormat.allCases)
    func known(format: DeflateFormat) throws {
        #expect(try inflate(Self.sample(format), as: format) == .success(Self.text))
    }

    @Test("a gzip header with every optional field (RFC 1952 §2.3)")
    func gzipFields() throws {
        let bytes: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x1F, 1, 2, 3, 4, 0, 3, 4, 0, 0x61, 0x62, 0, 0, 0x6E, 0x61, 0x6D, 0x65, 0, 0x63, 0x6F,
            0x6D,
            0x6D, 0x65, 0x6E, 0x74, 0, 0xE1, 0x37, 0xCB, 0xC8, 0x04, 0, 0xAC, 0x2A, 0x93, 0xD8, 2, 0, 0, 0,
        ]
        #expect(try inflate(bytes, as: .gzip) == .success(Array("hi".utf8)))
        for length in bytes.indices {
            #expect(try inflate(Array(bytes[..<length]), as: .gzip) == .failure(.truncated), "\(length) bytes")
        }
    }

    @Test("nothing, and stored blocks")
    func small() throws {
        #expect(try inflate([0x03, 0x00], as: .raw) == .success([]))
        #expect(
            try inflate([0x78, 0x01, 0x01, 0x02, 0x00, 0xFD, 0xFF, 0x61, 0x62, 0x01, 0x26, 0x00, 0xC4], as: .zlib)
                == .success(Array("ab".utf8)))
        for format in DeflateFormat.allCases { #expect(try inflate([], as: format) == .failure(.truncated)) }
    }

    @Test("data cut at any length", arguments: DeflateFormat.allCases)
    func truncated(format: DeflateFormat) throws {
        let bytes = Self.sample(format)
        var inflater = try makeInflater()
        for length in bytes.indices {
            let result = inflate(Array(bytes[..<length]), as: format, with: &inflater)
            #expect(result == .failure(.truncated), "\(length) bytes")
        }
        #expect(inflate(bytes, as: format, with: &inflater) == .success(Self.text))
    }

    @Test(
        "any one bit changed is noticed where there is a check, or changes nothing",
        arguments: [DeflateFormat.gzip, .zlib])
    func corrupt(format: DeflateFormat) throws {
        let bytes = Self.sample(format)
        var inflater = try makeInflater()
        // Changed flags, time, level or system in a gzip header change nothing, or only what is missing.
        for index in bytes.indices where format == .zlib || !(3..<10).contains(index) {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                // The padding bits of the last byte before the checksum have no meaning.
                if case .success(let result) = inflate(changed, as: format, with: &inflater), result != Self.text {
                    Issue.record("bit \(bit) of byte \(index) was not noticed")
                }
            }
        }
        #expect(inflate(bytes, as: format, with: &inflater) == .success(Self.text))
    }

    @Test("one format is not taken for another")
    func otherFormat() throws {
        #expect(try inflate(Self.zlib, as: .gzip) == .failure(.corrupt))
        #expect(try inflate(Self.gzip, as: .zlib) == .failure(.corrupt))
        #expect(try inflate(Self.raw, as: .zlib) == .failure(.corrupt))
        #expect(try inflate(Self.text, as: .gzip) == .failure(.corrupt))
    }

    @Test("a preset dictionary is not what HTTP speaks of")
    func dictionary() throws {
        let bytes: [UInt8] = [
            0x78, 0xF9, 0x16, 0xC0, 0x04, 0x37, 0x4B, 0x81, 0xB3, 0x14, 0x10, 0x4C, 0x00, 0x5D, 0x33, 0x08, 0x8D,
        ]
        #expect(try inflate(bytes, as: .zlib) == .failure(.corrupt))
    }

    @Test("RFC 1952 §2.2: gzip members may follow each other")
    func members() throws {
        #expect(
            try inflate(Self.gzip + Self.gzip + Self.gzip, as: .gzip) == .success(Self.text + Self.text + Self.text))
        let second = Self.gzip.count
        let two = Self.gzip + Self.gzip
        for length in second + 1..<two.count {
            #expect(try inflate(Array(two[..<length]), as: .gzip) == .failure(.truncated), "\(length) bytes")
        }
        #expect(try inflate(Self.gzip + [0x1F, 0x8B, 0x07] + Self.raw, as: .gzip) == .failure(.corrupt))
        // The limit applies to both together.
        #expect(try inflate(two, as: .gzip, limit: Self.text.count * 2 - 1) == .failure(.tooLarge))
        #expect(try inflate(two, as: .gzip, limit: Self.text.count * 2) == .success(Self.text + Self.text))
    }

    @Test("bytes behind the end")
    func trailing() throws {
        for extra: [UInt8] in [[0], [0, 0, 0], [0x1F, 0x8C], [0x78], Self.zlib] {
            #expect(try inflate(Self.gzip + extra, as: .gzip) == .failure(.trailingData), "\(extra)")
        }
        #expect(try inflate(Self.zlib + Self.zlib, as: .zlib) == .failure(.trailingData))
        #expect(try inflate(Self.zlib + [0], as: .zlib) == .failure(.trailingData))
        #expect(try inflate(Self.raw + [0x1F, 0x8B], as: .raw) == .failure(.trailingData))
    }

    @Test("the limit is exact", arguments: DeflateFormat.allCases)
    func limit(format: DeflateFormat) throws {
        let bytes = Self.sample(format)
        for limit in [-1, 0, 1, Self.text.count - 1] {
            #expect(try inflate(bytes, as: format, limit: limit) == .failure(.tooLarge), "limit \(limit)")
        }
        for limit in [Self.text.count, Self.text.count + 1, Int.max] {
            #expect(try inflate(bytes, as: format, limit: limit) == .success(Self.text), "limit \(limit)")
        }
        #expect(try inflate([0x03, 0x00], as: .raw, limit: 0) == .success([]))
    }

    @Test("a bomb takes no more than it is given")
    func bombs() throws {
        let bytes = bomb(4_000_000)
        #expect(bytes.count < 8_000)
        var inflater = try makeInflater()
        var output: [UInt8] = []
        #expect(throws: DeflateError.tooLarge) {
            try inflater.inflate(bytes.span, as: .zlib, limit: 1_000_000, into: &output)
        }
        #expect(output.isEmpty)
        #expect(output.capacity <= 4_000_000)
        // The context is still usable, and gives the whole text when the limit allows it.
        let whole = try inflate(bytes, as: .zlib, limit: 4_000_000, with: &inflater).get()
        #expect(whole.count == 4_000_000)
    }

    @Test("RFC 9110 §8.4.1.2: deflate is zlib, or raw from those who mean that")
    func sniffing() {
        #expect(DeflateFormat(deflateCoding: Self.zlib.span) == .zlib)
        #expect(DeflateFormat(deflateCoding: Self.raw.span) == .raw)
        for bytes: [UInt8] in [[], [0x78], [0x78, 0x01], [0x78, 0x5E], [0x78, 0x9C], [0x58, 0x09]] {
            #expect(DeflateFormat(deflateCoding: bytes.span) == .zlib, "\(bytes)")
        }
        for bytes: [UInt8] in [[0x78, 0x00], [0x88, 0x1C], [0x77, 0x01], [0x03, 0x00], Self.gzip, Self.text] {
            #expect(DeflateFormat(deflateCoding: bytes.span) == .raw, "\(bytes)")
        }
    }
}
