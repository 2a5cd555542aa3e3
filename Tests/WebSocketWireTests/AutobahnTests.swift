import Effort
import Testing

@testable import WebSocketWire

/// A case of the Autobahn|Testsuite: what its client sends, and what a server of text that follows RFC 6455 strictly
/// makes of it. An echo there is an event with the same content here.
///
/// The cases that differ only in how the bytes are cut stand in one row, because every row is played in all those ways.
struct AutobahnCase: Sendable, CustomTestStringConvertible {
    /// The numbers of the suite.
    var numbers: String
    var frames: [ClientFrame]
    var events: [Played]
    /// After how many bytes the last event must have come, where the suite asks for a fault at once.
    var decided: Int?

    init(_ numbers: String, _ frames: [ClientFrame], _ events: [Played], decided: Int? = nil) {
        self.numbers = numbers
        self.frames = frames
        self.events = events
        self.decided = decided
    }

    var testDescription: String { numbers }
}

/// The cases of the Autobahn|Testsuite that a client can play, as tables beside this file. Its cases 0 (handshakes) are
/// in `HandshakeTests`.
struct AutobahnTests {
    @Test("cases 1 to 5, 10, 12 and 13: framing", arguments: AutobahnCase.framing)
    func framing(_ row: AutobahnCase) { play(row) }

    @Test("W-31: cases 6: UTF-8", arguments: AutobahnCase.text)
    func text(_ row: AutobahnCase) { play(row) }

    @Test("W-29: cases 7: closing", arguments: AutobahnCase.closing)
    func closing(_ row: AutobahnCase) { play(row) }

    /// Every case that ends well is closed by the client with 1000.
    private func play(_ row: AutobahnCase) {
        let frames = row.frames + [.close(1000)]
        let events = row.events.last?.isEnd == true ? row.events : row.events + [.close(1000, [])]
        #expect(FramePlayer.events(of: frames) == events)
        guard let decided = row.decided else { return }
        #expect(FramePlayer.play(frames.flatMap(\.bytes)) { 1 }.places.last == decided)
    }

    @Test("cases 6: each number of a group is there once, in order")
    func textNumbers() {
        var groups: [String: Int] = [:]
        for row in AutobahnCase.text {
            let parts = row.numbers.split(separator: ".").map(String.init)
            let count = groups[parts[1], default: 0] + 1
            groups[parts[1]] = count
            #expect(parts.count == 3 && parts[2] == String(count), "\(row.numbers)")
        }
        let counts = (1...23).map { groups[String($0)] ?? 0 }
        #expect(counts == [3, 4, 2, 4, 5, 11, 4, 2, 4, 3, 5, 8, 5, 10, 1, 3, 5, 5, 5, 7, 8, 34, 7])
    }

    private static let limits = FrameLimits(message: 16 << 20)

    @Test("cases 9.1: text of growing size in one frame", arguments: [4, 16, 64, 256, 512])
    func sizes(_ kibibytes: Int) {
        let text = [UInt8](repeating: 0x2A, count: kibibytes << 10)
        #expect(FramePlayer.events(of: [.text(text)]) == [.text(text)])
    }

    @Test("case 9.1.6: text of 16 MiB in one frame, and one byte more")
    func sixteenMebibytes() {
        let text = [UInt8](repeating: 0x2A, count: 16 << 20)
        let player = FramePlayer.play(ClientFrame.text(text).bytes, limits: Self.limits) { 65_536 }
        #expect(player.events == [.text(text)])
        let tooLong = ClientFrame.text(text + [0x2A])
        #expect(FramePlayer.events(of: tooLong.header, limits: Self.limits) == [.fault(.messageTooLarge)])
    }

    @Test("cases 9.3: text of a fixed size in fragments of growing size; a sixteenth of the suite's sizes")
    func fragments() {
        let text = (0..<256 << 10).map { UInt8(0x20 + $0 % 90) }
        for size in [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10] {
            #expect(FramePlayer.events(of: ClientFrame.fragments(of: text, size: size)) == [.text(text)])
        }
        let small = Array(text.prefix(16 << 10))
        for size in [1, 4, 16] {
            #expect(FramePlayer.events(of: ClientFrame.fragments(of: small, size: size)) == [.text(small)])
        }
    }

    @Test("cases 9.5: text in chops of growing size", arguments: [64, 128, 256, 512, 1_024, 2_048])
    func chops(_ size: Int) {
        let text = [UInt8](repeating: 0x2A, count: 128 << 10)
        #expect(FramePlayer.play(ClientFrame.text(text).bytes) { size }.events == [.text(text)])
    }

    @Test("cases 9.7: many messages of one size", arguments: [0, 16, 64, 256, 1_024, 4_096])
    func manyMessages(_ size: Int) {
        let text = [UInt8](repeating: 0x2A, count: size)
        let count = 100
        let frames = (0..<count).map { _ in ClientFrame.text(text) }
        #expect(FramePlayer.events(of: frames) == (0..<count).map { _ in .text(text) })
    }

    @Test("W-02: cases 9.2, 9.4, 9.6 and 9.8 are refused, because they are binary")
    func binary() {
        let bytes = [UInt8](repeating: 0xFE, count: 64 << 10)
        #expect(FramePlayer.events(of: [.binary(bytes)]) == [.fault(.binary)])
        #expect(FramePlayer.events(of: [.binary(bytes, isFinal: false)]) == [.fault(.binary)])
    }
}
