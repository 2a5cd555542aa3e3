import CZlib
import Testing

@testable import Deflate

/// The steps of expanding a compressed stream: how much each step gives, and what it leaves for the next.
struct StreamInflaterStepTests {
    private static let stanzas = Array(StreamDeflaterTests.stanzas.prefix(8))
    private static let text = stanzas.flatMap { $0 }

    /// The stanzas as a server sends them.
    private func sent(flush: Int32 = Z_SYNC_FLUSH) throws -> [UInt8] {
        let server = try PlainDeflater()
        return try Self.stanzas.flatMap { try server.deflate($0) } + server.deflate([], flush: flush)
    }

    @Test("steps of any size give the same bytes", arguments: [1, 7, 64, 4_096, 65_536, 1 << 22])
    func sizes(room: Int) throws {
        var inflater = try makeStreamInflater()
        #expect(inflate(all: try sent(), room: room, with: &inflater) == .success(Self.text))
        var generator = SplitMix(state: UInt64(room))
        let noise = (0..<40).flatMap { _ in generator.bytes() }
        var other = try makeStreamInflater()
        #expect(inflate(all: try PlainDeflater().deflate(noise), room: room, with: &other) == .success(noise))
    }

    @Test("split at every byte, one byte a step")
    func splits() throws {
        let bytes = try sent()
        for point in 0...bytes.count {
            var inflater = try makeStreamInflater()
            let first = try inflate(all: Array(bytes[..<point]), room: 1, with: &inflater).get()
            let second = try inflate(all: Array(bytes[point...]), room: 1, with: &inflater).get()
            #expect(first + second == Self.text, "split at \(point)")
        }
    }

    @Test("a step that is exactly full says that there may be more, and the next one that there is not")
    func exact() throws {
        let stanza = Self.stanzas[0]
        let bytes = try PlainDeflater().deflate(stanza)
        for room in [stanza.count, stanza.count + 1] {
            var inflater = try makeStreamInflater()
            var offset = 0
            var output: [UInt8] = []
            var hasMore = try inflater.inflate(bytes.span, offset: &offset, room: room, into: &output)
            #expect(hasMore == (room == stanza.count))
            #expect(output == stanza)
            hasMore = try inflater.inflate(bytes.span, offset: &offset, room: room, into: &output)
            #expect(!hasMore)
            #expect(output == stanza)
            #expect(offset == bytes.count)
        }
    }

    @Test("what a step leaves of its input may come again from another place, with more behind it")
    func restElsewhere() throws {
        let bytes = try sent()
        var inflater = try makeStreamInflater()
        var output: [UInt8] = []
        // Each call sees at most 40 bytes, in a copy, and takes 10 bytes of its output.
        var start = 0
        var leftSome = false
        var hasMore = true
        while hasMore || start < bytes.count {
            let piece = [0xAA, 0xBB] + bytes[start..<min(start + 40, bytes.count)]
            var offset = 2
            hasMore = try inflater.inflate(piece.span, offset: &offset, room: 10, into: &output)
            leftSome = leftSome || offset < piece.count
            start += offset - 2
        }
        #expect(leftSome)
        #expect(output == Self.text)
    }

    @Test("what waits inside comes without input, and before what comes later")
    func pendingInside() throws {
        let server = try PlainDeflater()
        let run = [UInt8](repeating: 0x61, count: 250)
        let bytes = try server.deflate(run)
        let later = try server.deflate(Self.stanzas[0])
        // The input ends before the byte that gives the length of the run.
        let early = try #require(
            try (1..<bytes.count).map { Array(bytes.prefix($0)) }.first {
                var inflater = try makeStreamInflater()
                return try inflate(all: $0, with: &inflater).get().count > 200
            })
        var inflater = try makeStreamInflater()
        var output: [UInt8] = []
        var offset = 0
        while offset < early.count {
            let hasMore = try inflater.inflate(early.span, offset: &offset, room: 1, into: &output)
            #expect(hasMore)
        }
        #expect(output.count < 20)
        let nothing: [UInt8] = []
        for count in 1...10 {
            let before = output.count
            var none = 0
            let hasMore = try inflater.inflate(nothing.span, offset: &none, room: count, into: &output)
            #expect(hasMore && none == 0 && output.count == before + count)
        }
        let rest = bytes[early.count...] + later
        #expect(inflate(all: Array(rest), room: 7, with: &inflater) == .success(run[output.count...] + Self.stanzas[0]))
        #expect(inflate(all: [], room: 7, with: &inflater) == .success([]))
    }

    @Test("bytes that expand to nothing yet are used at once")
    func header() throws {
        let bytes = try sent()
        var inflater = try makeStreamInflater()
        #expect(inflate(all: Array(bytes.prefix(2)), room: 1, with: &inflater) == .success([]))
        #expect(inflate(all: Array(bytes.dropFirst(2)), room: 1, with: &inflater) == .success(Self.text))
    }

    @Test("a bomb goes off in steps, and takes no more memory than one of them")
    func bombs() throws {
        let size = 8_000_000
        let room = 65_536
        let bomb = try PlainDeflater(level: 9).deflate([UInt8](repeating: 0x20, count: size))
        #expect(bomb.count < 10_000)
        var inflater = try makeStreamInflater()
        var offset = 0
        var output: [UInt8] = []
        var capacity = 0
        var total = 0
        var steps = 0
        var hasMore = true
        while hasMore {
            output.removeAll(keepingCapacity: true)
            hasMore = try inflater.inflate(bomb.span, offset: &offset, room: room, into: &output)
            if steps == 0 { capacity = output.capacity }
            #expect(output.capacity == capacity)
            #expect(output.allSatisfy { $0 == 0x20 })
            total += output.count
            steps += 1
        }
        #expect(capacity <= 2 * room)
        #expect(total == size)
        #expect(offset == bomb.count)
        #expect((size / room + 1...size / room + 2).contains(steps))
    }

    @Test("a bomb that nobody wants to the end costs one step")
    func abandonedBomb() throws {
        let bomb = try PlainDeflater(level: 9).deflate([UInt8](repeating: 0x20, count: 8_000_000))
        var inflater = try makeStreamInflater()
        var offset = 0
        var output: [UInt8] = [1]
        let hasMore = try inflater.inflate(bomb.span, offset: &offset, room: 1_000, into: &output)
        #expect(hasMore)
        #expect(output == [1] + [UInt8](repeating: 0x20, count: 1_000))
        // zlib takes no input that it cannot use.
        #expect(offset < 100)
    }

    @Test("what came before a fault stays, and after it nothing comes", arguments: [1, 7, 65_536])
    func faults(room: Int) throws {
        let good = try sent()
        let whole = try sent(flush: Z_FINISH)
        var unchecked = whole
        unchecked[unchecked.count - 1] ^= 1
        let damaged: [(bytes: [UInt8], fault: DeflateError)] = [
            (good + [0x07, 0xFF, 0xFF, 0xFF], .corrupt), (unchecked, .corrupt), (whole + [0x78], .trailingData),
            (whole + whole, .trailingData),
        ]
        for (bytes, fault) in damaged {
            var inflater = try makeStreamInflater()
            var output: [UInt8] = []
            #expect(inflate(all: bytes, room: room, with: &inflater, into: &output) == fault)
            #expect(output == Self.text)
            #expect(inflate(all: good, room: room, with: &inflater, into: &output) == fault)
            #expect(output == Self.text)
        }
    }

    @Test("however the data before a fault is cut, it stays")
    func faultsAtEverySplit() throws {
        let bytes = try sent() + [0x07, 0xFF, 0xFF, 0xFF]
        for point in 0..<bytes.count - 4 {
            var inflater = try makeStreamInflater()
            var output = try inflate(all: Array(bytes[..<point]), room: 5, with: &inflater).get()
            #expect(inflate(all: Array(bytes[point...]), room: 5, with: &inflater, into: &output) == .corrupt)
            #expect(output == Self.text, "split at \(point)")
        }
    }

    @Test("the end is known when its last byte is out, not before", arguments: [1, 7])
    func end(room: Int) throws {
        let bytes = try sent(flush: Z_FINISH)
        var inflater = try makeStreamInflater()
        var output: [UInt8] = []
        var offset = 0
        while output.count + room < Self.text.count {
            let hasMore = try inflater.inflate(bytes.span, offset: &offset, room: room, into: &output)
            let isAtEnd = inflater.isAtEnd
            #expect(hasMore && !isAtEnd)
        }
        while try inflater.inflate(bytes.span, offset: &offset, room: room, into: &output) {}
        let isAtEnd = inflater.isAtEnd
        #expect(isAtEnd && output == Self.text && offset == bytes.count)
    }
}
