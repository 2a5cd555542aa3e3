import HTTPWire
import Testing

@Suite struct ConnectionSizeTests {
    @Test("each session holds a connection at least, so that what one takes counts")
    func connection() {
        #expect(MemoryLayout<HTTPConnection>.size <= 88)
        #expect(MemoryLayout<Pace>.size <= 32)
    }
}
