import StreamCore
import Testing

@Suite("StreamHeader")
struct StreamHeaderTests {
    @Test("headers are equal when every part is")
    func equality() {
        let header = StreamHeader(from: "a", id: "b", version: (1, 0))
        #expect(header == StreamHeader(from: "a", id: "b", version: (1, 0)))
        #expect(header != StreamHeader(from: "x", id: "b", version: (1, 0)))
        #expect(header != StreamHeader(from: "a", id: "x", version: (1, 0)))
        #expect(header != StreamHeader(from: "a", id: "b", version: (2, 0)))
        #expect(header != StreamHeader(from: "a", id: "b", version: (1, 1)))
        #expect(header != StreamHeader(from: "a", id: "b", version: nil))
    }
}
