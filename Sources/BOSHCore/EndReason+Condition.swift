import Bridge

extension EndReason {
    /// The condition that the client is told; nil where it asked for the end itself or can no longer be told.
    package var condition: TerminalCondition? {
        switch self {
        case .terminated, .inactive, .creationAborted, .clientLost, .clientSilent, .clientStalled: nil
        case .malformedRequest, .malformedFrame: .badRequest
        case .ridAboveWindow, .ridTooOld, .keyMismatch, .unknownStream: .itemNotFound
        case .overactive, .tooManyStreams, .tooManyRequests, .tooManyRepeats, .loginTimeout,
            .loginDisplaced, .loginBody, .openTimeout, .largeMessage, .outOfMemory, .endedByOperator:
            .policyViolation
        case .streamHostUnknown, .hostUnknown, .upstreamForbidden: .hostUnknown
        case .upstreamUnreachable, .upstreamUnresolved, .upstreamSpared, .upstreamShortage, .upstreamTLS,
            .upstreamNoStartTLS, .upstreamTimeout, .upstreamMalformed, .upstreamClosed, .upstreamLost, .upstreamStalled:
            .remoteConnectionFailed
        case .upstreamStreamError: .remoteStreamError
        case .shutdown: .systemShutdown
        }
    }
}
