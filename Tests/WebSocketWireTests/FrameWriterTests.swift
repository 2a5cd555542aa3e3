import Primitives
import Testing

@testable import WebSocketWire

struct FrameWriterTests {
    private func written(_ write: (inout [UInt8]) -> Void) -> [UInt8] {
        var output: [UInt8] = [0x99]
        write(&output)
        #expect(output.first == 0x99, "a frame is appended")
        return Array(output.dropFirst())
    }

    @Test("the examples of RFC 6455 §5.7 that a server may send")
    func examples() {
        let hello = Array("Hello".utf8)
        let frame: [UInt8] = [0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        #expect(written { FrameWriter.appendText(hello.span, to: &$0) } == [0x81] + frame)
        #expect(written { FrameWriter.appendPing(hello.span, to: &$0) } == [0x89] + frame)
        #expect(written { FrameWriter.appendPong(hello.span, to: &$0) } == [0x8A] + frame)
    }

    @Test(
        "W-34: a message is one frame with the shortest length",
        arguments: [
            (0, [0x00]), (125, [0x7D]), (126, [0x7E, 0, 126]), (255, [0x7E, 0, 255]), (65_535, [0x7E, 255, 255]),
            (65_536, [0x7F, 0, 0, 0, 0, 0, 1, 0, 0]), (1 << 32, [0x7F, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] as [(Int, [UInt8])])
    func lengths(_ length: Int, _ form: [UInt8]) {
        #expect(written { FrameWriter.appendTextHeader(length: length, to: &$0) } == [0x81] + form)
        guard length < 100_000 else { return }
        let text = [UInt8](repeating: 0x61, count: length)
        #expect(written { FrameWriter.appendText(text.span, to: &$0) } == [0x81] + form + text)
    }

    @Test("what is written is what a reader reads, once it is masked")
    func readBack() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let text = [UInt8](repeating: 0x7A, count: length)
            var bytes = written { FrameWriter.appendTextHeader(length: length, to: &$0) }
            bytes[1] |= 0x80
            #expect(FramePlayer.events(of: bytes + [0, 0, 0, 0] + text) == [.text(text)])
        }
    }

    @Test("W-26: a control frame never has more than 125 bytes")
    func controlBound() {
        let long = [UInt8](repeating: 1, count: 200)
        #expect(written { FrameWriter.appendPing(long.span, to: &$0) } == [0x89, 125] + long.prefix(125))
        #expect(written { FrameWriter.appendPong(long.span, to: &$0) } == [0x8A, 125] + long.prefix(125))
        #expect(written { FrameWriter.appendPing([UInt8]().span, to: &$0) } == [0x89, 0])
    }

    @Test("W-29: a Close frame has a code and a short reason of ASCII, or neither")
    func close() {
        #expect(written { FrameWriter.appendClose(nil, to: &$0) } == [0x88, 0])
        #expect(written { FrameWriter.appendClose(nil, reason: "unsaid", to: &$0) } == [0x88, 0])
        #expect(written { FrameWriter.appendClose(.normal, to: &$0) } == [0x88, 2, 0x03, 0xE8])
        #expect(
            written { FrameWriter.appendClose(.serviceRestart, reason: "again", to: &$0) }
                == [0x88, 7, 0x03, 0xF4] + Array("again".utf8))
        let long = String(repeating: "x", count: 200)
        #expect(
            written { FrameWriter.appendClose(.goingAway, reason: long, to: &$0) }
                == [0x88, 125, 0x03, 0xE9] + Array(long.utf8.prefix(123)))
        #expect(
            written { FrameWriter.appendClose(.goingAway, reason: "é!", to: &$0) }
                == [0x88, 5, 0x03, 0xE9] + Array("??!".utf8))
    }
}
