import Testing

import BOSHCore

@Suite struct EndReasonTests {
    /// Reason, what the log says, what the client is told, whether the upstream did it.
    private static let table: [(EndReason, String, String?, Bool)] = [
        (.terminated, "terminated", nil, false),
        (.inactive, "inactive", nil, false),
        (.creationAborted, "creation-aborted", nil, false),
        (.malformedRequest, "malformed-request", "bad-request", false),
        (.ridAboveWindow, "rid-above-window", "item-not-found", false),
        (.ridTooOld, "rid-too-old", "item-not-found", false),
        (.overactive, "overactive", "policy-violation", false),
        (.keyMismatch, "key-mismatch", "item-not-found", false),
        (.unknownStream, "unknown-stream", "item-not-found", false),
        (.streamHostUnknown, "stream-host-unknown", "host-unknown", false),
        (.tooManyStreams, "too-many-streams", "policy-violation", false),
        (.inboundOverflow, "inbound-overflow", "policy-violation", false),
        (.upstreamUnreachable, "upstream-unreachable", "remote-connection-failed", true),
        (.upstreamUnresolved, "upstream-unresolved", "remote-connection-failed", true),
        (.upstreamTLS, "upstream-tls", "remote-connection-failed", true),
        (.upstreamNoStartTLS, "upstream-no-starttls", "remote-connection-failed", true),
        (.upstreamTimeout, "upstream-timeout", "remote-connection-failed", true),
        (.upstreamMalformed, "upstream-malformed", "remote-connection-failed", true),
        (.upstreamStreamError, "upstream-stream-error", "remote-stream-error", true),
        (.upstreamClosed, "upstream-closed", "remote-connection-failed", true),
        (.upstreamLost, "upstream-lost", "remote-connection-failed", true),
        (.upstreamStalled, "upstream-stalled", "remote-connection-failed", true),
        (.shutdown, "shutdown", "system-shutdown", false),
    ]

    @Test("T-03 every reason has its condition", arguments: table)
    func hasCondition(reason: EndReason, name: String, condition: String?, isUpstream: Bool) {
        #expect(reason.rawValue == name)
        #expect(reason.condition?.rawValue == condition)
        #expect(reason.isUpstream == isUpstream)
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
