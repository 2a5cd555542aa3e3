/// What the client side of a session tells an upstream stream to do, whatever protocol the client speaks.
package enum UpstreamCommand: Sendable, Equatable {
    /// Connect to a server and open the stream.
    case open(StreamRequest)
    /// Send these stanzas to the server.
    case forward([UInt8])
    /// Open a new stream over the same connection (XEP-0206 §5).
    case restart
    /// Stop reading from the server, because the client does not fetch what has come.
    case pauseReading
    /// Read from the server again.
    case resumeReading
    /// Return these stanzas, back to back, to their senders as not delivered (XEP-0206 §7, `T-12`).
    case returnUnfetched([UInt8])
    /// Leave the stream.
    case leave(StreamFarewell)
}

/// How the client side leaves an upstream stream.
package enum StreamFarewell: Sendable, Equatable {
    /// Send `</stream:stream>`: the server announces that the user is gone.
    case close
    /// Drop the connection: the server keeps a resumable stream for the client (`T-12` c).
    case drop
}
