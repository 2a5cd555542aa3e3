/// What happened to a stream.
package enum StreamInput: Sendable, Equatable {
    /// The TCP connection stands.
    case connected
    /// There will be no connection.
    case connectFailed(StreamFailure)
    /// The TLS handshake succeeded and the server proved its name.
    case tlsEstablished
    /// It did not.
    case tlsFailed
    /// It did not, because what the server sent is no TLS at all.
    case tlsAbsent
    /// The server sent this.
    case item(UpstreamItem)
    /// Bytes stood behind `<proceed/>` in the same read.
    case bytesAfterProceed
    /// The client asked for a new stream over the same connection.
    case restartRequested
    /// The session is over. `hasUnread`: the server was not read of late, and what it has sent meanwhile is to go back before
    /// the stream ends; the same input without it ends that.
    case closeRequested(dropsSilently: Bool, hasUnread: Bool = false)
    /// The server accepts no bytes any more.
    case stalled
    /// The TCP connection is gone.
    case connectionLost
    /// The time for connection, TLS and features is up.
    case deadlineReached
    /// The time for the rest of an element that the server began is up.
    case unfinishedStanzaTimeout
    /// What the server sent is not zlib data, or becomes more than is allowed.
    case compressionBroken
}

/// What is to be done about it. Effects are executed in order.
package enum StreamEffect: Sendable, Equatable {
    /// Send `<stream:stream …>`.
    case sendHeader
    /// Send `<starttls/>`.
    case sendStartTLS
    /// Begin the TLS handshake; everything sent after it is protected.
    case beginTLS
    /// Expect a new stream header; whatever the parser holds is dropped.
    case resetParser
    /// Send `<compress/>` with the method zlib (XEP-0138 §3), and nothing behind it before `beginCompression` or `restarted`.
    case sendCompress
    /// Compress what is sent from here on, and take what comes for compressed: also bytes that were read with `<compressed/>`.
    case beginCompression
    /// The stream belongs to the client: its header and its first features. `idleSeconds`: after how long without traffic the
    /// server may close it (XEP-0478); nil when it does not say.
    case opened(StreamHeader, features: [UInt8], idleSeconds: UInt32?)
    /// The restarted stream has sent its features; `idleSeconds` replaces what was said before.
    case restarted(features: [UInt8], idleSeconds: UInt32?)
    /// Features that came without a restart say after how long without traffic the server may close the stream (XEP-0478).
    case limitIdle(seconds: UInt32)
    /// Give the client this element, or its sender while the phase is `.returning`; what it says of the stream's management and of the client's login.
    case deliver([UInt8], management: StreamManagement = .none, login: LoginSign = .none)
    /// An element was skipped; what becomes of it.
    indirect case skipped(SkippedStanza, SkippedFate)
    /// Send `</stream:stream>`.
    case sendStreamEnd
    /// The stream has ended by itself; the session has to be told. Comes once, before `closeConnection`.
    case failed(StreamFailure)
    /// Send what is left and close the connection. The last effect of every stream.
    case closeConnection
}
