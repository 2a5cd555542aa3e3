import BOSHCore
import Settings
import StreamCore

extension EndReason {
    /// What the end of an upstream stream means for its session.
    init(_ failure: StreamFailure) {
        self =
            switch failure {
            case .unresolved: .upstreamUnresolved
            case .unreachable: .upstreamUnreachable
            case .tls, .bytesAfterProceed: .upstreamTLS
            case .startTLSUnavailable: .upstreamNoStartTLS
            case .timeout: .upstreamTimeout
            case .malformed, .unexpected: .upstreamMalformed
            case .streamError: .upstreamStreamError
            case .closed: .upstreamClosed
            case .lost: .upstreamLost
            case .stalled: .upstreamStalled
            }
    }
}

extension TLSMode {
    init(_ setting: UpstreamTLS) {
        self =
            switch setting {
            case .none: .none
            case .starttls: .startTLS
            case .direct: .direct
            }
    }
}
