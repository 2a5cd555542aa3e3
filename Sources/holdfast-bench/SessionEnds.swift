/// What happened to the clients of workers that died: sessions that ended, and requests that were repeated.
struct SessionEnds {
    /// Sessions that ended with `item-not-found` and were followed by another.
    private(set) var sessions = 0
    /// Requests repeated because a proxy, or a worker, answered with this status in their place.
    private(set) var repeats = [502: 0, 503: 0, 504: 0]
    /// The most failures that one request had in turn.
    private(set) var mostInTurn = 0
    /// Messages of which one end was such a session: those sent and those received.
    private(set) var sent = 0
    private(set) var received = 0

    /// Whether a response with this status says that the request may be repeated.
    static func isRepeatable(_ status: Int) -> Bool { (502...504).contains(status) }

    /// Messages that were on their way when a session ended.
    var unreceived: Int { sent - received }

    /// Counts a session that ended.
    mutating func noteEnd() {
        sessions += 1
    }

    /// Counts a request that is repeated because of this status.
    mutating func noteRepeat(after status: Int) {
        repeats[status, default: 0] += 1
    }

    /// Notes how often in turn one request has failed by now.
    mutating func noteFailures(inTurn count: Int) {
        mostInTurn = max(mostInTurn, count)
    }

    /// Takes the messages of a ledger that ended with one of its sessions.
    mutating func add(_ ledger: DeliveryLedger) {
        sent += ledger.sent
        received += ledger.received
    }

    /// Lines for people.
    var lines: [String] {
        let statuses = repeats.sorted { $0.key < $1.key }.map { "\($0.value) after \($0.key)" }
        return [
            "repeated     requests: \(statuses.joined(separator: ", ")); at most \(mostInTurn) times in turn",
            """
            ended        \(sessions) sessions, logged in again; of their messages \(received) came, \
            \(unreceived) were on their way
            """,
        ]
    }

    /// Members of a JSON object.
    var members: String {
        let statuses = repeats.sorted { $0.key < $1.key }.map { "\"repeats_\($0.key)\":\($0.value)" }
        return """
            "ended_sessions":\(sessions),"ended_sent":\(sent),"ended_received":\(received),\
            \(statuses.joined(separator: ",")),"most_repeats_in_turn":\(mostInTurn)
            """
    }
}
