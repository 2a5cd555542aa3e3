import StreamCore
import Testing

@Suite("StreamFailure")
struct StreamFailureTests {
    @Test("a stream error is one short line with its condition and nothing else of what the server wrote")
    func streamError() {
        let bytes = Array("<stream:error><conflict/><text>secret</text></stream:error>".utf8)
        let failure = StreamFailure.streamError(condition: "conflict", bytes: bytes)
        #expect(failure.description == "stream error conflict")
        #expect("\(failure)" == failure.description)
    }

    @Test("a condition that no server would write is cut to 64 characters", arguments: [63, 64, 65, 100_000])
    func longCondition(count: Int) {
        let failure = StreamFailure.streamError(condition: String(repeating: "x", count: count), bytes: [])
        #expect(failure.description == "stream error " + String(repeating: "x", count: min(count, 64)))
    }

    @Test("every failure is a short line of its own")
    func shortLines() {
        var failures: [StreamFailure] = [
            .unresolved, .unreachable, .tls, .startTLSUnavailable, .bytesAfterProceed, .closed, .lost, .stalled,
            .malformed(.malformed), .malformed(.restrictedXML), .malformed(.invalidNamespace),
            .malformed(.limit("depth")), .streamError(condition: "reset", bytes: [0x3C]),
        ]
        for phase in StreamPhase.allCases {
            failures.append(.timeout(phase))
            failures.append(.unexpected(phase))
        }
        let lines = failures.map(\.description)
        #expect(Set(lines).count == lines.count)
        for line in lines { #expect((1...100).contains(line.utf8.count) && !line.contains("\n"), "\(line)") }
    }
}
