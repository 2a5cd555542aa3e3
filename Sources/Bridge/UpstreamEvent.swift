/// What an upstream stream tells the client side of its session, whatever protocol that speaks.
package enum UpstreamEvent: Sendable, Equatable {
    /// The stream is open and has sent its first features.
    case opened(StreamIdentity, features: [UInt8])
    /// The stream was restarted and has sent its features.
    case restarted(features: [UInt8])
    /// The server has let the client in.
    case loggedIn
    /// The server lets the client register an account (XEP-0077), which takes a person some time.
    case registrationOffered
    /// The server said that it and the client count stanzas (XEP-0198), in what comes next as `stanzas`; `isResumable`: and
    /// that it keeps the stream for a resumption.
    case managed(isResumable: Bool)
    /// Stanzas, back to back.
    case stanzas([UInt8])
    /// The server is further behind with what it was sent than before, or less far.
    case congested(Congestion)
    /// The stream is gone; the bytes of its stream error, or nothing.
    case ended(EndReason, streamError: [UInt8])
}
