/// What happened to clients, and when, for a script that compares it with what it did meanwhile.
struct LoadJournal {
    /// Something that happened to a client.
    enum Event {
        /// A message came, so many microseconds after it was due; its instant is when it was due.
        case arrival(after: UInt64)
        /// A request failed with this status, or without a response.
        case failure(status: Int?)
        /// A session ended, and its client logs in again.
        case end
    }

    private var entries: [(instant: UInt64, event: Event)] = []

    /// Notes an event at an instant, in nanoseconds of the monotonic clock.
    mutating func note(_ event: Event, at instant: UInt64) {
        entries.append((instant, event))
    }

    /// One line for each event, in the order of arrival: `at`, the instant, a word and a number or `-`.
    var lines: [String] {
        entries.map { instant, event in
            switch event {
            case .arrival(let delay): "at \(instant) arrival \(delay)"
            case .failure(let status): "at \(instant) failure \(status.map(String.init) ?? "-")"
            case .end: "at \(instant) end -"
            }
        }
    }
}
