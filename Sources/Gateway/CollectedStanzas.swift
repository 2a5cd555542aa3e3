import StreamCore

/// The stanzas for the client that came in one turn.
struct CollectedStanzas {
    private(set) var bytes: [UInt8] = []
    /// Where each stanza begins, except the first; empty for a client side that does not ask for it.
    private(set) var borders: [Int] = []
    private(set) var count: UInt64 = 0
    /// What all these stanzas together say about the management of the stream.
    private(set) var management = StreamManagement.none
    /// Whether the stanzas go back to their senders, because the session is over.
    private(set) var goesBack = false

    /// Adds a stanza.
    ///
    /// - Parameter needsBorder: whether the client side has to know where the stanza begins.
    mutating func add(needsBorder: Bool, management: StreamManagement = .none, _ append: (inout [UInt8]) -> Void) {
        if needsBorder, count > 0 { borders.append(bytes.count) }
        count += 1
        self.management = max(self.management, management)
        append(&bytes)
    }

    /// Notes that all go back to their senders.
    mutating func turnBack() { goesBack = true }
}
