/// What the client side of a session has an upstream stream do, whatever protocol that side speaks.
package enum UpstreamCommand: Sendable, Equatable {
    /// Connect to a server and open the stream.
    case open(StreamRequest)
    /// Send these stanzas to the server.
    case forward([UInt8])
    /// Open a new stream over the same connection (XEP-0206 §5).
    case restart
    /// Stop reading from the server: the client does not fetch what is there.
    case pauseReading
    /// Read from the server again.
    case resumeReading
    /// Tell the senders of these stanzas, back to back, that they were not delivered (XEP-0206 §7, `T-12`).
    case returnUnfetched([UInt8])
    /// Leave the stream.
    case leave(StreamFarewell)
}

/// How an upstream stream is left.
package enum StreamFarewell: Sendable, Equatable {
    /// With `</stream:stream>`: the server announces the user as gone.
    case close
    /// By dropping the connection: the server keeps a resumable stream for the client (`T-12` c).
    case drop
}
