/// What an upstream stream tells the client side of its session, whatever protocol the client speaks.
package enum UpstreamEvent: Sendable, Equatable {
    /// The stream is open and has sent its first features.
    case opened(StreamIdentity, features: [UInt8])
    /// The stream was restarted and has sent its features.
    case restarted(features: [UInt8])
    /// The server has accepted the client's login.
    case loggedIn
    /// The server offers to register an account (XEP-0077), which takes a person some time.
    case registrationOffered
    /// Server and client count stanzas from now on (XEP-0198). The server's element that says so comes in the next
    /// `stanzas`. `isResumable`: the server keeps the stream for a resumption.
    case managed(isResumable: Bool)
    /// Stanzas, back to back. `borders` has the offset at which each of them begins, except the first, in ascending
    /// order.
    case stanzas([UInt8], borders: [Int] = [])
    /// The server is further behind, or less far behind, in reading what this program sends it.
    case congested(Congestion)
    /// The stream is gone. `streamError` has the bytes of the server's stream error, or is empty.
    case ended(EndReason, streamError: [UInt8])
}
