import Testing

@testable import WebSocketWire

struct FrameReaderTests {
    @Test("the examples of RFC 6455 §5.7 that a client may send")
    func examples() {
        #expect(
            FramePlayer.events(of: [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
                == [.text("Hello")])
        #expect(
            FramePlayer.events(of: [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
                == [.pong("Hello")])
        #expect(FramePlayer.events(of: [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]) == [.fault(.unmasked)])
    }

    /// Frames of all kinds, with a message in three fragments and a character that a border cuts.
    private static let stream: [ClientFrame] = [
        .text("<open/>"), .ping("1"), .text([0x61, 0xE2], isFinal: false), .pong("2"), .continuation([]),
        .continuation([0x82]), .ping(), .continuation([0xAC, 0x62], isFinal: true), .text(""),
        .text(String(repeating: "x", count: 300)), .close(1000, Array("bye".utf8)), .text("ignored"),
    ]
    private static let events: [Played] = [
        .text("<open/>"), .ping("1"), .pong("2"), .ping(""), .text("a€b"), .text(""),
        .text(String(repeating: "x", count: 300)), .close(1000, Array("bye".utf8)),
    ]

    @Test("frames give the same events whole, byte by byte and at every split into two")
    func splits() {
        let bytes = Self.stream.flatMap(\.bytes)
        #expect(FramePlayer.events(of: bytes) == Self.events)
        for split in 0...bytes.count {
            var player = FramePlayer()
            player.receive(bytes.span.extracting(..<split))
            player.receive(bytes.span.extracting(split...))
            #expect(player.events == Self.events, "split at \(split)")
        }
    }

    @Test("W-23: the key starts anew with each frame, whatever it is")
    func keys() {
        for key: [UInt8] in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 2, 3, 4], [0x80, 0, 0, 0x01]] {
            for length in 0..<20 {
                var first = ClientFrame.text(Array("0123456789abcdefghij".utf8.prefix(length)), isFinal: false)
                first.key = key
                var second = ClientFrame.continuation("klmnopqrstuvw", isFinal: true)
                second.key = key.reversed()
                #expect(FramePlayer.events(of: [first, second]) == [.text(first.payload + second.payload)])
            }
        }
    }

    @Test("W-24: a frame is judged by the first byte that decides, before anything behind it is awaited")
    func judgedAtTheHeader() {
        /// What must be refused at its last byte and not before.
        let headers: [(bytes: [UInt8], fault: FrameFault)] = [
            ([0xC1], .reservedBits), ([0xA1], .reservedBits), ([0x91], .reservedBits), ([0xF3], .reservedBits),
            ([0x83], .unknownOpcode), ([0x07], .unknownOpcode), ([0x8B], .unknownOpcode), ([0x8F], .unknownOpcode),
            ([0x82], .binary), ([0x02], .binary), ([0x00], .continuationWithoutStart),
            ([0x80], .continuationWithoutStart), ([0x08], .fragmentedControl), ([0x09], .fragmentedControl),
            ([0x0A], .fragmentedControl), ([0x81, 0x00], .unmasked), ([0x81, 0x7F], .unmasked),
            ([0x89, 0x00], .unmasked), ([0x88, 0xFE], .controlTooLong), ([0x89, 0xFE], .controlTooLong),
            ([0x8A, 0xFF], .controlTooLong), ([0x81, 0xFE, 0, 125], .lengthNotShortest),
            ([0x81, 0xFE, 0, 0], .lengthNotShortest),
            ([0x81, 0xFF, 0x80], .lengthTooHigh), ([0x81, 0xFF, 0xFF], .lengthTooHigh),
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 0], .lengthNotShortest),
            ([0x81, 0xFF, 0, 0, 0, 0, 0, 16, 0, 1], .messageTooLarge),
            ([0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .messageTooLarge),
            ([0x01, 0x80, 0, 0, 0, 0, 0x01], .dataInsideMessage), ([0x01, 0x80, 0, 0, 0, 0, 0x81], .dataInsideMessage),
            ([0x01, 0x80, 0, 0, 0, 0, 0x82], .dataInsideMessage),
        ]
        for (bytes, fault) in headers {
            #expect(FramePlayer.events(of: Array(bytes.dropLast())).isEmpty, "\(bytes)")
            #expect(FramePlayer.events(of: bytes) == [.fault(fault)], "\(bytes)")
        }
    }

    @Test("W-24: every first byte that is not one of eight is a fault")
    func firstBytes() {
        for byte in UInt8.min...UInt8.max {
            let isGood = [0x81, 0x01, 0x88, 0x89, 0x8A].contains(byte)
            #expect(FramePlayer.events(of: [byte]).isEmpty == isGood, "\(byte)")
            let inside = FramePlayer.events(of: ClientFrame.text("a", isFinal: false).bytes + [byte])
            #expect(inside.isEmpty == [0x00, 0x80, 0x88, 0x89, 0x8A].contains(byte), "\(byte) inside a message")
        }
    }

    @Test(
        "W-24: each length is read in its shortest form alone",
        arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
    func lengths(_ length: Int) {
        var frame = ClientFrame.text([UInt8](repeating: 0x61, count: length))
        #expect(FramePlayer.events(of: [frame]) == [.text(frame.payload)])
        if length < 65_536 {
            frame.lengthForm = .long
            #expect(FramePlayer.events(of: [frame]) == [.fault(.lengthNotShortest)])
        }
        if length < 126 {
            frame.lengthForm = .medium
            #expect(FramePlayer.events(of: [frame]) == [.fault(.lengthNotShortest)])
        }
    }

    @Test("W-26: control frames have 0 to 125 bytes, at every length")
    func controlLengths() {
        for length in 0...130 {
            let payload = [UInt8](repeating: 0xFE, count: length)
            let events = FramePlayer.events(of: [.ping(payload), .text("a")])
            #expect(events == (length <= 125 ? [.ping(payload), .text("a")] : [.fault(.controlTooLong)]))
        }
    }

    @Test("W-32: a message is bounded by the sum of what its frames announce")
    func messageLimit() {
        let limits = FrameLimits(message: 10)
        let within: [ClientFrame] = [
            .text("12345", isFinal: false), .ping("a ping counts for nothing"), .continuation("678"),
            .continuation("90", isFinal: true), .text("1234567890"),
        ]
        #expect(
            FramePlayer.events(of: within, limits: limits)
                == [.ping("a ping counts for nothing"), .text("1234567890"), .text("1234567890")])
        #expect(FramePlayer.events(of: [.text("12345678901")], limits: limits) == [.fault(.messageTooLarge)])
        // The header alone decides.
        let begun = ClientFrame.text("12345678", isFinal: false).bytes
        #expect(FramePlayer.events(of: begun + [0x80, 0x83], limits: limits) == [.fault(.messageTooLarge)])
        #expect(FramePlayer.events(of: begun + [0x80, 0x82], limits: limits).isEmpty)
        #expect(FramePlayer.events(of: [.text("")], limits: FrameLimits(message: 0)) == [.text("")])
        #expect(FramePlayer.events(of: [.text("1")], limits: FrameLimits(message: 0)) == [.fault(.messageTooLarge)])
        #expect(FramePlayer.events(of: [.text("1")], limits: FrameLimits(message: -1)) == [.fault(.messageTooLarge)])
        let header = ClientFrame.text("").header.prefix(1) + [0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
        #expect(FramePlayer.events(of: Array(header), limits: FrameLimits(message: .max)).isEmpty)
    }

    @Test("W-32: empty continuations are counted in each message anew")
    func emptyContinuations() {
        let limits = FrameLimits(message: 100)
        #expect(limits.emptyContinuations == 64)
        let most = [ClientFrame.text("a", isFinal: false)] + (0..<64).map { _ in .continuation("") }
        let whole = most + [.continuation("b", isFinal: true)]
        #expect(FramePlayer.events(of: whole + whole, limits: limits) == [.text("ab"), .text("ab")])
        #expect(
            FramePlayer.events(of: most + [.continuation("", isFinal: true)], limits: limits)
                == [.fault(.tooManyEmptyContinuations)])
        let none = FrameLimits(message: 100, emptyContinuations: 0)
        #expect(
            FramePlayer.events(of: [.text("", isFinal: false), .continuation("b", isFinal: true)], limits: none)
                == [.text("b")])
        #expect(
            FramePlayer.events(of: [.text("a", isFinal: false), .continuation("")], limits: none)
                == [.fault(.tooManyEmptyContinuations)])
    }

    @Test("W-32: memory follows what has come, not what a header announces")
    func memory() {
        var player = FramePlayer(limits: FrameLimits(message: 1 << 30))
        let header: [UInt8] = [0x81, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]
        player.receive(header.span)
        #expect(player.message.capacity == 0 && player.reader.isInsideFrame && player.reader.isInsideMessage)
        let piece = [UInt8](repeating: 1, count: 100)
        for count in 1...100 {
            player.receive(piece.span)
            #expect(player.message.count == count * 100 && player.message.capacity <= 2 * count * 100 + 64)
        }
        #expect(player.events.isEmpty)
    }

    @Test("W-31: text is checked over fragments and fails at the first bad byte, whatever is read with it")
    func failsFast() {
        let begun = ClientFrame.text([0xCE, 0xBA, 0xED], isFinal: false).bytes
        let rest = ClientFrame.continuation([0xA0, 0x80, 0x65], isFinal: true)
        #expect(FramePlayer.events(of: begun + rest.header).isEmpty)
        let played = FramePlayer.play(begun + rest.bytes.dropLast(2)) { 1 }
        #expect(played.events == [.fault(.notUTF8)] && played.places == [begun.count + rest.header.count + 1])
        let followed: [ClientFrame] = [.text([0x61, 0xFF, 0x62]), .text("never"), .close(1000)]
        let bytes = followed.flatMap(\.bytes)
        #expect(FramePlayer.play(bytes) { bytes.count }.events == [.fault(.notUTF8)])
        // A character that the last frame cuts is wrong only when that frame ends.
        #expect(FramePlayer.events(of: [.text([0xE2, 0x82])]) == [.fault(.notUTF8)])
        #expect(FramePlayer.events(of: [.text([0xE2, 0x82], isFinal: false)]).isEmpty)
        // The check starts anew with each message.
        #expect(
            FramePlayer.events(of: [.text("é"), .text([0xA9])]) == [.text("é"), .fault(.notUTF8)])
    }

    @Test("a reader knows what has begun")
    func insides() {
        var player = FramePlayer()
        func expect(_ frame: Bool, _ message: Bool, _ comment: Comment) {
            #expect(player.reader.isInsideFrame == frame && player.reader.isInsideMessage == message, comment)
        }
        expect(false, false, "nothing")
        let first = ClientFrame.text("ab", isFinal: false).bytes
        player.receive(first.span.extracting(..<1))
        expect(true, true, "the first byte of a message")
        player.receive(first.span.extracting(1...))
        expect(false, true, "between two frames of a message")
        let ping = ClientFrame.ping("x").bytes
        player.receive(ping.span.extracting(..<1))
        expect(true, true, "a ping between them")
        player.receive(ping.span.extracting(1...))
        expect(false, true, "behind the ping")
        let last = ClientFrame.continuation("c", isFinal: true).bytes
        player.receive(last.span)
        expect(false, false, "behind the message")
        player.receive(ping.span.extracting(..<6))
        expect(true, false, "in a ping outside a message")
    }

    @Test("W-35: a reader is small and owns no memory between frames")
    func size() {
        #expect(MemoryLayout<FrameReader>.size <= 48)
        #expect(MemoryLayout<FrameReader>.stride <= 48)
    }
}
