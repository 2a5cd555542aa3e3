import BOSHCore
import Testing

@Suite struct SessionSizeTests {
    @Test("an idle session is little more than this value, and there may be ten thousand")
    func session() {
        #expect(MemoryLayout<Session>.size <= 224)
    }
}
