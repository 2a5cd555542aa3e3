import Bridge

extension EndReason {
    /// The reason for which a session ends when its upstream stream fails.
    package init(_ failure: StreamFailure) {
        self =
            switch failure {
            case .unresolved: .upstreamUnresolved
            case .unreachable: .upstreamUnreachable
            case .refusedTarget: .upstreamForbidden
            case .spared: .upstreamSpared
            case .shortage: .upstreamShortage
            case .tls, .bytesAfterProceed: .upstreamTLS
            case .startTLSUnavailable: .upstreamNoStartTLS
            case .timeout: .upstreamTimeout
            case .malformed, .unexpected, .unfinishedStanza, .compression: .upstreamMalformed
            case .streamError, .redirected: .upstreamStreamError
            case .closed: .upstreamClosed
            case .lost: .upstreamLost
            case .stalled: .upstreamStalled
            }
    }
}
