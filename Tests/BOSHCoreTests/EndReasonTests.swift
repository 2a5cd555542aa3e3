import BOSHCore
import Bridge
import Testing

@Suite struct EndReasonTests {
    /// The reason, its word in the log, and the condition for the client.
    private static let table: [(EndReason, String, String?)] = [
        (.terminated, "terminated", nil),
        (.inactive, "inactive", nil),
        (.creationAborted, "creation-aborted", nil),
        (.malformedRequest, "malformed-request", "bad-request"),
        (.ridAboveWindow, "rid-above-window", "item-not-found"),
        (.ridTooOld, "rid-too-old", "item-not-found"),
        (.overactive, "overactive", "policy-violation"),
        (.tooManyRequests, "too-many-requests", "policy-violation"),
        (.tooManyRepeats, "too-many-repeats", "policy-violation"),
        (.loginTimeout, "login-timeout", "policy-violation"),
        (.loginDisplaced, "login-displaced", "policy-violation"),
        (.loginBody, "login-body", "policy-violation"),
        (.keyMismatch, "key-mismatch", "item-not-found"),
        (.unknownStream, "unknown-stream", "item-not-found"),
        (.streamHostUnknown, "stream-host-unknown", "host-unknown"),
        (.tooManyStreams, "too-many-streams", "policy-violation"),
        (.upstreamUnreachable, "upstream-unreachable", "remote-connection-failed"),
        (.upstreamUnresolved, "upstream-unresolved", "remote-connection-failed"),
        (.upstreamForbidden, "upstream-forbidden", "host-unknown"),
        (.upstreamSpared, "upstream-spared", "remote-connection-failed"),
        (.upstreamShortage, "upstream-shortage", "remote-connection-failed"),
        (.upstreamTLS, "upstream-tls", "remote-connection-failed"),
        (.upstreamNoStartTLS, "upstream-no-starttls", "remote-connection-failed"),
        (.upstreamTimeout, "upstream-timeout", "remote-connection-failed"),
        (.upstreamMalformed, "upstream-malformed", "remote-connection-failed"),
        (.upstreamStreamError, "upstream-stream-error", "remote-stream-error"),
        (.upstreamClosed, "upstream-closed", "remote-connection-failed"),
        (.upstreamLost, "upstream-lost", "remote-connection-failed"),
        (.upstreamStalled, "upstream-stalled", "remote-connection-failed"),
        (.clientLost, "client-lost", nil),
        (.clientSilent, "client-silent", nil),
        (.clientStalled, "client-stalled", nil),
        (.openTimeout, "open-timeout", "policy-violation"),
        (.hostUnknown, "host-unknown", "host-unknown"),
        (.malformedFrame, "malformed-frame", "bad-request"),
        (.largeMessage, "large-message", "policy-violation"),
        (.outOfMemory, "out-of-memory", "policy-violation"),
        (.endedByOperator, "ended-by-operator", "policy-violation"),
        (.shutdown, "shutdown", "system-shutdown"),
    ]

    @Test("T-03 every reason has its condition", arguments: table)
    func hasCondition(reason: EndReason, name: String, condition: String?) {
        #expect(reason.rawValue == name)
        #expect(reason.condition?.rawValue == condition)
    }

    @Test(
        "T-12 c: a resumable stream is closed where the client said goodbye or would send the same again, and nowhere else"
    )
    func allowsResumption() {
        let closing: [EndReason] = [
            .terminated, .creationAborted, .malformedRequest, .overactive, .tooManyRequests, .tooManyRepeats,
            .loginTimeout, .loginDisplaced, .loginBody, .keyMismatch, .unknownStream, .streamHostUnknown,
            .tooManyStreams, .openTimeout, .hostUnknown, .malformedFrame, .largeMessage,
            .outOfMemory, .endedByOperator,
        ]
        #expect(EndReason.allCases.filter { !$0.allowsResumption } == closing)
    }

    @Test("who finds no server is to try again, and nobody else")
    func absentServers() {
        let absent: [EndReason] = [
            .upstreamUnreachable, .upstreamUnresolved, .upstreamSpared, .upstreamShortage, .upstreamTimeout,
            .upstreamLost,
        ]
        #expect(EndReason.allCases.filter(\.isOfAbsentServer) == absent)
    }

    @Test("the table names every reason")
    func isComplete() {
        #expect(Self.table.map(\.0) == EndReason.allCases)
    }

    @Test("T-03 the conditions are those of XEP-0124")
    func hasAllConditions() {
        #expect(
            TerminalCondition.allCases.map(\.rawValue) == [
                "bad-request", "host-gone", "host-unknown", "improper-addressing", "internal-server-error",
                "item-not-found", "other-request", "policy-violation", "remote-connection-failed",
                "remote-stream-error", "see-other-uri", "system-shutdown", "undefined-condition",
            ])
    }
}
