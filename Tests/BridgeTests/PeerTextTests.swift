import Bridge
import Testing

/// What a peer writes is bounded before it is looked at, and compared by its bytes.
@Suite struct PeerTextTests {
    @Test("what fits is kept, and nothing of what does not", arguments: [0, 1, 63, 64, 65, 100_000])
    func bounds(count: Int) {
        let bytes = [UInt8](repeating: 0x61, count: count)
        let text = PeerText(bytes, most: 64)
        #expect(text.isTooLong == (count > 64))
        #expect(text.bytes == (count > 64 ? [0] : bytes))
        #expect(text.text == (count > 64 ? "" : String(repeating: "a", count: count)))
    }

    @Test("what was too long equals nothing that XML can carry")
    func tooLong() {
        #expect(PeerText.tooLong != "")
        #expect(PeerText.tooLong == PeerText(Array("abc".utf8), most: 2))
        #expect(!PeerText.tooLong.isEmpty)
    }

    @Test("letters that look alike are other bytes: nothing is normalised")
    func comparesBytes() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(PeerText("\u{E9}") != PeerText("e\u{301}"))
        #expect(Set([PeerText("\u{E9}"), PeerText("e\u{301}")]).count == 2)
    }

    @Test("only letters of ASCII have a case")
    func comparesWithoutCase() {
        #expect(PeerText("aB1z").isSame("Ab1Z"))
        #expect(!PeerText("ä").isSame("Ä"))
        #expect(!PeerText("[").isSame("{"))
        #expect(!PeerText("@").isSame("`"))
        #expect(!PeerText("ab").isSame("a"))
        #expect(PeerText("ÄB").lowercasedBytes == Array("Äb".utf8))
        #expect(PeerText("a").isASCII && !PeerText("ä").isASCII)
    }

    /// Combining marks of two classes in the wrong order: putting them in order takes time with the square of their number.
}
