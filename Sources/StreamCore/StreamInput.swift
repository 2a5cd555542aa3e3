/// What happened to a stream.
package enum StreamInput: Sendable, Equatable {
    /// The TCP connection is made.
    case connected
    /// There will be no connection.
    case connectFailed(StreamFailure)
    /// The TLS handshake succeeded and the server proved its name.
    case tlsEstablished
    /// The TLS handshake failed, for this reason.
    case tlsFailed(ProtectionFault)
    /// The TLS handshake failed because the server's answer is not TLS at all.
    case tlsAbsent
    /// The server sent this item.
    case item(UpstreamItem)
    /// Bytes stood after `<proceed/>` in the same read.
    case bytesAfterProceed
    /// The client asked for a new stream over the same connection.
    case restartRequested
    /// The session is over. `hasUnread`: the server was not read lately, and what it has sent meanwhile goes back to
    /// the senders before the stream ends. The same input without `hasUnread` ends that.
    case closeRequested(dropsSilently: Bool, hasUnread: Bool = false)
    /// The server accepts no bytes any more.
    case stalled
    /// The TCP connection is lost.
    case connectionLost
    /// The time for connection, TLS and features is up.
    case deadlineReached
    /// The time for the rest of an element that the server began is up.
    case unfinishedStanzaTimeout
    /// What the server sent is not zlib data, or grows beyond the limit.
    case compressionBroken
}

/// What the caller has to do. Effects are executed in order.
package enum StreamEffect: Sendable, Equatable {
    /// Send `<stream:stream …>`.
    case sendHeader
    /// Send `<starttls/>`.
    case sendStartTLS
    /// Begin the TLS handshake; everything sent after that is protected.
    case beginTLS
    /// Expect a new stream header, and drop whatever the parser holds.
    case resetParser
    /// Send `<compress/>` with the method zlib (XEP-0138 §3). Send nothing after it before `beginCompression` or
    /// `restarted`.
    case sendCompress
    /// From here on compress what is sent, and decompress what comes, including bytes that were read together with
    /// `<compressed/>`.
    case beginCompression
    /// The stream belongs to the client: its header and its first features. `idleSeconds`: after how many seconds
    /// without traffic the server may close it (XEP-0478); nil when the server does not say.
    case opened(StreamHeader, features: [UInt8], idleSeconds: UInt32?)
    /// The restarted stream has sent its features; `idleSeconds` replaces the value that was announced before.
    case restarted(features: [UInt8], idleSeconds: UInt32?)
    /// Features that came without a restart announce after how many seconds without traffic the server may close the
    /// stream (XEP-0478).
    case limitIdle(seconds: UInt32)
    /// Give this element to the client, or back to its sender while the phase is `.returning`; with what it says about
    /// the management of the stream and the client's login.
    case deliver([UInt8], management: StreamManagement = .none, login: LoginSign = .none)
    /// An element was skipped; the fate says what to do about it.
    indirect case skipped(SkippedStanza, SkippedFate)
    /// Send `</stream:stream>`.
    case sendStreamEnd
    /// The stream has ended by itself, and the session has to be told. Comes once, before `closeConnection`.
    case failed(StreamFailure)
    /// Send what is left and close the connection. This is the last effect of every stream.
    case closeConnection
}
