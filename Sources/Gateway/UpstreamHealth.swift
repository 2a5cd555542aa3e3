import StreamCore

/// How well the servers of one site have worked. Every number only grows, except the number of open streams.
struct UpstreamHealth {
    var connects: UInt64 = 0
    /// Streams that were opened: connected, secured, and with their features received.
    var opened: UInt64 = 0
    /// Streams that are open now.
    var openNow = 0
    /// Handshakes that resumed an earlier TLS session.
    var resumedHandshakes: UInt64 = 0
    /// Failures by reason; the reasons are a closed list of short words.
    var failures = Tally<StreamFailure.Label>()
    var connectTime = LatencySummary()
    var handshakeTime = LatencySummary()
    /// The time from the connection to the stream's features, including TLS.
    var openTime = LatencySummary()
}
