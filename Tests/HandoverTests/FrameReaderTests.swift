import Effort
import Testing

@testable import Handover

struct FrameReaderTests {
    /// Three frames: without a payload, with one, and of an unknown kind with a descriptor.
    private static let frames = [
        Frame(kind: 2, number: 0x0102_0304), Frame(kind: 0x81, number: .max, payload: Array("hello".utf8)),
        Frame(kind: 0xFE, payload: [0]),
    ]

    private static func bytes(of frame: Frame) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt32(Frame.headSize + frame.payload.count))
        bytes += [Frame.version, frame.kind]
        bytes.append(bigEndian: frame.number)
        return bytes + frame.payload
    }

    private static let stream = frames.flatMap { bytes(of: $0) }

    @Test("the layout of a frame")
    func layout() {
        #expect(
            Samples.writer.frame(.refused, number: 0x0102_0304) == [0, 0, 0, 6, 1, 1, 1, 2, 3, 4])
        #expect(
            Samples.writer.frame(.mailbox(tag: 5) as SupervisorMessage) == [
                0, 0, 0, 10, 1, 0x83, 0, 0, 0, 0, 0, 0, 0, 5,
            ])
    }

    @Test("frames come out the same however their bytes arrive")
    func anySplit() {
        let stream = Self.stream
        for split in 0...stream.count {
            let result = Samples.read([Array(stream[..<split]), Array(stream[split...])])
            #expect(result.frames == Self.frames)
            #expect(result.fault == nil && result.isDone)
        }
        #expect(Samples.read(stream.map { [$0] }).frames == Self.frames)
        for piece in 2...9 {
            let pieces = stride(from: 0, to: stream.count, by: piece).map {
                Array(stream[$0..<min($0 + piece, stream.count)])
            }
            #expect(Samples.read(pieces).frames == Self.frames)
        }
    }

    @Test("a stream that ends inside a frame is told from one that ends behind it")
    func ends() {
        var ends: Set<Int> = [0]
        for frame in Self.frames { ends.insert((ends.max() ?? 0) + Self.bytes(of: frame).count) }
        for count in 0...Self.stream.count {
            let result = Samples.read([Array(Self.stream[..<count])])
            #expect(result.isDone == ends.contains(count))
            #expect(result.frames.count == ends.count { $0 <= count } - 1)
        }
    }

    @Test("kinds with the highest bit carry a descriptor, whether known or not")
    func descriptors() {
        #expect(Self.frames.map(\.carriesDescriptor) == [false, true, true])
    }

    @Test("a frame at the bound is read, one above it is a fault before its payload has come")
    func bound() {
        let frame = Frame(kind: 1, payload: [UInt8](repeating: 7, count: 90))
        let bytes = Self.bytes(of: frame)
        #expect(Samples.read([bytes], bound: 100).frames == [frame])
        #expect(Samples.read([bytes], bound: 99).fault == .tooLong(96))
        #expect(Samples.read([Array(bytes[..<4])], bound: 99).fault == .tooLong(96))
        #expect(Samples.read([[255, 255, 255, 255]]).fault == .tooLong(Int(UInt32.max)))
    }

    @Test("a frame shorter than its head, or of another version, is a fault")
    func faults() {
        #expect(Samples.read([[0, 0, 0, 5, 1, 1, 0, 0, 0, 0]]).fault == .tooShort(5))
        #expect(Samples.read([[0, 0, 0, 0]]).fault == .tooShort(0))
        #expect(Samples.read([[0, 0, 0, 6, 2]]).fault == .unknownVersion(2))
        #expect(Samples.read([[0, 0, 0, 6, 0, 1, 0, 0, 0, 0]]).fault == .unknownVersion(0))
    }

    @Test("frames before a fault come out, nothing behind it does")
    func afterAFault() throws {
        var reader = FrameReader(bound: 1_000)
        let stream = Self.bytes(of: Self.frames[0]) + [0, 0, 0, 1] + Self.stream
        reader.receive(stream.span)
        #expect(try reader.next() == Self.frames[0])
        for _ in 0..<3 {
            #expect(throws: FrameFault.tooShort(1)) { try reader.next() }
            reader.receive(Self.stream.span)
        }
        #expect(reader.isBetweenFrames)
    }

    @Test("a bound below the smallest frame is raised to it")
    func smallestBound() {
        let frame = Frame(kind: 1)
        #expect(Samples.read([Self.bytes(of: frame)], bound: -5).frames == [frame])
    }

    @Test("a writer writes up to its bound, and nothing above it")
    func writerBound() {
        let bytes = Samples.writer.frame(.connection(Samples.envelope), number: 1) ?? []
        #expect(!bytes.isEmpty)
        #expect(FrameWriter(bound: bytes.count).frame(.connection(Samples.envelope), number: 1) == bytes)
        #expect(FrameWriter(bound: bytes.count - 1).frame(.connection(Samples.envelope), number: 1) == nil)
        #expect(Samples.read([bytes], bound: bytes.count).frames.count == 1)
    }

    @Test("a connection's input may be written where it is sent from, and the frame is the same")
    func inputInPlace() {
        var envelope = Samples.envelope
        for scheme in Envelope.Scheme.allCases {
            envelope.scheme = scheme
            let whole = Samples.writer.frame(.connection(envelope), number: 7) ?? []
            var bare = envelope
            bare.input = []
            // Room that was used before does not show.
            var bytes = [UInt8](repeating: 9, count: 1_000)
            for bound in [whole.count, whole.count - 1] {
                bytes.removeAll(keepingCapacity: true)
                let fits = FrameWriter(bound: bound).append(bare, number: 7, to: &bytes) { bytes in
                    for byte in envelope.input { bytes.append(byte) }
                }
                #expect(fits == (bound == whole.count))
                if fits { #expect(bytes == whole) }
            }
        }
    }

    @Test("connections that are sent together say so, all but the last, whatever of them fits")
    func sentTogether() throws {
        let envelope = Samples.envelope
        let single = Samples.writer.frame(.connection(envelope), number: 1) ?? []
        let writer = FrameWriter(bound: single.count)
        var bytes: [UInt8] = []
        var previous: Int?
        for number in UInt32(1)...4 {
            let before = bytes
            let start = bytes.count
            let fits = writer.append(envelope, number: number, to: &bytes, behind: previous) { bytes in
                bytes += envelope.input + [UInt8](repeating: 0, count: number == 3 ? 1 : 0)
            }
            #expect(fits == (number != 3))
            // One that is too long changes nothing.
            if fits { previous = start } else { #expect(bytes == before) }
        }
        for split in 0...bytes.count {
            let frames = Samples.read([Array(bytes[..<split]), Array(bytes[split...])], bound: single.count).frames
            #expect(frames.map(\.number) == [1, 2, 4])
            #expect(frames.map(PeerMessage.isFollowed) == [true, true, false])
            for frame in frames { #expect(try PeerMessage(frame) == .connection(envelope)) }
        }
        #expect(frames(of: .refused).allSatisfy { !PeerMessage.isFollowed($0) })
    }

    private func frames(of message: PeerMessage) -> [Frame] {
        Samples.read([Samples.writer.frame(message, number: 0) ?? []]).frames
    }

    @Test("random bytes and damaged streams trap nothing, and arrive the same in any pieces")
    func damage() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<Effort.cases(10_000, atLeast: 1_000) {
            var stream = Self.stream
            for _ in 0...generator.below(3) {
                stream[generator.below(stream.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            if generator.oneIn(3) { stream.removeSubrange(generator.below(stream.count)...) }
            let whole = Samples.read([stream], bound: 60)
            let single = Samples.read(stream.map { [$0] }, bound: 60)
            #expect(whole.frames == single.frames && whole.fault == single.fault, "seed \(seed), round \(round)")
        }
    }
}
