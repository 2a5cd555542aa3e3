import BOSHCore
import Bridge
import Settings
import StreamCore

extension EndReason {
    /// What the end of an upstream stream means for its session.
    init(_ failure: StreamFailure) {
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

extension ClientNaming {
    init(_ setting: UpstreamFrom) {
        self =
            switch setting {
            case .never: .never
            case .tls: .overTLS
            case .always: .always
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
