import HTTPWire
import Handover
import Primitives
import Reactor

/// A connection that another worker is to serve, with its last request.
final class Departure {
    let connection: ClientConnection
    /// The request, with its body decoded; nil for a connection on which no request has begun.
    let request: HTTPRequest?
    /// The worker that the request is for, and why.
    let placement: Placement
    /// For how many milliseconds nothing has come on a connection without a request.
    private let silence: UInt32

    init(_ request: borrowing HTTPRequest, on connection: ClientConnection, to placement: Placement) {
        self.connection = connection
        self.request = copy request
        self.placement = placement
        silence = 0
    }

    /// A connection on which no request has begun.
    init(_ connection: ClientConnection, to placement: Placement, now: MonotonicInstant) {
        self.connection = connection
        request = nil
        self.placement = placement
        let since = connection.pace.phaseSince
        silence = UInt32(clamping: (max(now, since).nanoseconds - since.nanoseconds) / 1_000_000)
    }

    /// What the other worker is told with the connection's descriptor, without the input.
    var envelope: Envelope {
        Envelope(
            purpose: placement.purpose, listener: UInt32(connection.door), peer: Envelope.Peer(connection.peer),
            isForOperators: connection.role == .admin, isClientUnknown: connection.isClientUnknown,
            isFromProxy: connection.isFromProxy, scheme: Envelope.Scheme(connection.scheme), silence: silence, input: []
        )
    }

    /// Appends the envelope's input: the request, and what was read behind it.
    func appendInput(to bytes: inout [UInt8]) {
        if let request { connection.http.appendWire(request, to: &bytes) }
        bytes.append(contentsOf: connection.backlog)
    }
}

/// Departures by their connections.
///
/// With two workers every second request goes elsewhere, so a departure is found by its slot, without a hash.
struct Departures {
    private var bySlot: [Departure?] = []

    /// How many there are.
    private(set) var count = 0

    /// Adds a departure, in place of one of an earlier connection with the same slot.
    mutating func insert(_ departure: Departure) {
        let slot = Int(departure.connection.token.slot)
        while bySlot.count <= slot { bySlot.append(nil) }
        if bySlot[slot] == nil { count += 1 }
        bySlot[slot] = departure
    }

    /// Removes a departure, unless another one has taken its place.
    mutating func remove(_ departure: Departure) {
        let slot = Int(departure.connection.token.slot)
        guard slot < bySlot.count, bySlot[slot] === departure else { return }
        bySlot[slot] = nil
        count -= 1
    }

    /// The departure of a connection; nil when there is none.
    subscript(connection: ClientConnection) -> Departure? {
        let slot = Int(connection.token.slot)
        guard slot < bySlot.count, let departure = bySlot[slot], departure.connection === connection else { return nil }
        return departure
    }
}
