import Bridge
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
        let lines = everyFailure.map(\.description)
        #expect(Set(lines).count == lines.count)
        for line in lines { #expect((1...100).contains(line.utf8.count) && !line.contains("\n"), "\(line)") }
    }

    @Test("the labels are a closed list of words, each of some failure")
    func labels() {
        let labels = everyFailure.map(\.label)
        #expect(Set(labels) == Set(StreamFailure.Label.allCases))
        for label in labels {
            #expect(
                label.rawValue.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") }, "\(label)")
        }
    }

    @Test("one list of words says exactly what failed; TLS is in it by its faults alone")
    func exactLabels() {
        let words = StreamFailure.ExactLabel.allCases.map(\.rawValue)
        #expect(Set(words).count == words.count && !words.contains("tls") && words.contains("tls-expired"))
        for word in words { #expect(StreamFailure.ExactLabel(rawValue: word)?.rawValue == word) }
        #expect(StreamFailure.ExactLabel(rawValue: "tls") == nil)
        for failure in everyFailure { #expect(words.contains(failure.exactLabel.rawValue)) }
        let silent = Set(everyFailure.filter(\.showsSilence).map(\.label.rawValue))
        #expect(silent == ["timeout", "stalled", "unfinished-stanza"])
    }

    @Test("every failure of a stream ends its session by the server's doing, and one that a client can come back from")
    func ends() {
        for failure in everyFailure {
            let reason = EndReason(failure)
            #expect(reason.rawValue.hasPrefix("upstream-") && reason.allowsResumption, "\(failure)")
        }
        let ofServers = EndReason.allCases.filter { $0.rawValue.hasPrefix("upstream-") }
        #expect(Set(everyFailure.map(EndReason.init)) == Set(ofServers))
    }

    @Test("what a server writes never becomes a label")
    func foreignWords() {
        #expect(StreamFailure.streamError(condition: "evil\"}", bytes: []).label == .streamError)
        #expect(StreamFailure.redirected(to: "evil\"}", bytes: []).label == .redirected)
        #expect(!StreamFailure.redirected(to: "evil", bytes: []).description.contains("evil"))
        #expect(StreamFailure.malformed(.limit("depth")).label == .malformed)
    }

    @Test("another target may help against what is wrong with this one, not against what ended the whole plan")
    func anotherTarget() {
        let helpless: Set = [
            "unresolved", "unreachable", "spared", "shortage", "refused-target", "timeout", "redirected", "compression",
        ]
        for failure in everyFailure {
            if case .streamError = failure { continue }
            #expect(failure.allowsAnotherTarget != helpless.contains(failure.label.rawValue), "\(failure)")
        }
    }

    @Test(
        "a stream error leads to another target when the server speaks of itself",
        arguments: [
            ("system-shutdown", true), ("host-unknown", true), ("resource-constraint", true), ("reset", true),
            ("policy-violation", false), ("conflict", false), ("not-well-formed", false), ("see-other-host", false),
            ("", false),
        ])
    func anotherTargetAfterStreamError(condition: String, allows: Bool) {
        #expect(StreamFailure.streamError(condition: condition, bytes: []).allowsAnotherTarget == allows)
    }

    private var everyFailure: [StreamFailure] {
        var failures: [StreamFailure] = [
            .unresolved, .unreachable, .spared, .shortage, .refusedTarget, .tls(.expired), .startTLSUnavailable,
            .bytesAfterProceed, .closed, .lost, .stalled, .unfinishedStanza, .compression,
            .redirected(to: "b.example", bytes: [0x3C]),
            .malformed(.malformed), .malformed(.restrictedXML), .malformed(.invalidNamespace),
            .malformed(.limit("depth")), .streamError(condition: "reset", bytes: [0x3C]),
        ]
        for phase in StreamPhase.allCases {
            failures.append(.timeout(phase))
            failures.append(.unexpected(phase))
        }
        return failures
    }
}
