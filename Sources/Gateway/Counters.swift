import BOSHCore
import Bridge
import StreamCore

/// What a worker counts. Every number only grows, except those that say how many of something exist now.
struct Counters {
    var sessionsEver: UInt64 = 0
    var sessionsRefused = Tally<TerminalCondition>()
    var sessionEnds = Tally<EndReason>()
    var connectionsEver: UInt64 = 0
    var connectionsTurnedAway: UInt64 = 0
    var connectionsUntrusted: UInt64 = 0
    /// Connections that went to another worker, that came from one, and that no other worker took.
    var handoversSent: UInt64 = 0
    var handoversTaken: UInt64 = 0
    var handoversRefused: UInt64 = 0
    var requests: UInt64 = 0
    var requestsRefused: UInt64 = 0
    var unknownSessions: UInt64 = 0
    var otherNodeSessions: UInt64 = 0
    var bytesFromClients: UInt64 = 0
    var bytesToClients: UInt64 = 0
    var bytesFromUpstream: UInt64 = 0
    var bytesToUpstream: UInt64 = 0
    var stanzasToUpstream: UInt64 = 0
    var stanzasToClients: UInt64 = 0
    var responsesEvicted: UInt64 = 0
    var stanzasReturned: UInt64 = 0
    var upstreamConnects: UInt64 = 0
    /// How streams to single servers failed, and searches for a server.
    var upstreamFailures = Tally<StreamFailure.Label>()
    /// What went wrong with streams and on the way to servers, whether or not the stream was opened in the end.
    var upstreamTroubles = Tally<UpstreamTrouble.Label>()
    var bounds = BoundCounts()
}
