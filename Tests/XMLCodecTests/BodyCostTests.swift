import Glibc
import Testing

@testable import XMLCodec

/// Processor time of this thread, which no other test's work adds to.
func processorTime(_ work: () -> Void) -> Duration {
    func now() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    work()
    return now() - start
}

@Suite("What a body's bytes cost")
struct BodyCostTests {
    /// The least of a few runs: a cold cache is not the body's fault.
    private func cost(of text: String) -> Duration {
        let bytes = Array(text.utf8)
        let parser = BodyParser()
        return (0..<3).map { _ in processorTime { _ = parser.parse(bytes.span) } }.min() ?? .zero
    }

    private func plain(_ count: Int) -> String {
        body("rid='1'", "<message><body>" + String(repeating: "plain text ", count: count / 11) + "</body></message>")
    }

    @Test("the first error in namespaces ends the parse: it is not worded again for each attribute")
    func namespaceError() {
        let name = String(repeating: "n", count: 16_000)
        let attributes = (0..<60).map { " p:\(name)\($0)=''" }.joined()
        let hostile = body("rid='1'", "<message\(attributes)/>")
        #expect(BodyParser().fault(hostile) == .malformed)
        #expect(cost(of: hostile) < cost(of: plain(hostile.utf8.count)) * 10)
    }
}
