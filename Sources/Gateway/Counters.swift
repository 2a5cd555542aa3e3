import BOSHCore
import Bridge
import PollingCore
import StreamCore
import WebSocketCore

/// What a worker counts. Every number only grows, except those that say how many of something exist now.
struct Counters {
    var sessionsEver: UInt64 = 0
    var sessionsRefused = Tally<TerminalCondition>()
    var sessionEnds = Tally<EndReason>()
    /// Clients of all protocols that got no session because no descriptor was left for it.
    var refusedWithoutDescriptor: UInt64 = 0
    /// Log-ins that servers refused, of clients of all protocols.
    var loginFailures = Tally<LoginFailure>()
    /// Held requests over BOSH whose client went away before they were answered (`P-13`).
    var abortedPolls: UInt64 = 0
    /// Requests over BOSH that were answered from what the session keeps of earlier answers (`R-02`).
    var repeats: UInt64 = 0
    /// Answers that did not leave, because the connection of their client ended first.
    var answersUntaken: UInt64 = 0
    var connectionsEver: UInt64 = 0
    var connectionsTurnedAway: UInt64 = 0
    /// Connections among these for which no descriptor was left.
    var connectionsWithoutDescriptor: UInt64 = 0
    var connectionsUntrusted: UInt64 = 0
    /// Connections that went to another worker, that came from one, and that no other worker took.
    var handoversSent: UInt64 = 0
    var handoversTaken: UInt64 = 0
    var handoversRefused: UInt64 = 0
    var requests: UInt64 = 0
    var requestsRefused: UInt64 = 0
    /// Requests on the operator's listener that did not show the token.
    var operatorsRefused: UInt64 = 0
    /// Requests for paths where nothing is.
    var unknownPaths: UInt64 = 0
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
    var upstreamFailures = Tally<StreamFailure.ExactLabel>()
    /// Addresses of servers to which no connection was made, and names that could not be looked up. Streams were opened
    /// all the same if another address or name led to a server.
    var addressesFailed: UInt64 = 0
    var lookupsFailed: UInt64 = 0
    var webSockets = WebSocketCounters()
    var polling = PollingCounters()
    var bounds = BoundCounts()
}

/// What is counted of clients over WebSocket (`W-56`). How their sessions ended is counted with all others.
struct WebSocketCounters {
    var opened: UInt64 = 0
    var refused = Tally<HandshakeRefusal>()
    /// Sockets that this program closed, by the code, and those that their clients closed without `<close/>`.
    var closed = Tally<SocketEnd>()
    var closedByClient: UInt64 = 0
    var pings: UInt64 = 0
    /// Answers to them. A client may answer several pings at once.
    var pongs: UInt64 = 0
    /// Messages of clients that came in several frames.
    var inPieces: UInt64 = 0
    var restarts: UInt64 = 0
    /// Streams that were dropped so that the server keeps them for a resumption.
    var dropped: UInt64 = 0
}

/// What is counted of clients over HTTP polling (`Q-40`). How their sessions ended is counted with all others.
struct PollingCounters {
    var opened: UInt64 = 0
    var requests: UInt64 = 0
    /// Requests that repeated the last one of their session.
    var repeats: UInt64 = 0
    /// Answers with an error in place of the identifier.
    var errors = Tally<PollingError>()
    var restarts: UInt64 = 0
    /// Streams that were dropped so that the server keeps them for a resumption.
    var dropped: UInt64 = 0
}
