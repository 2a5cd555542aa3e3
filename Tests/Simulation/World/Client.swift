/// A client of any protocol, as its server and the world see it.
protocol Client: AnyObject {
    var plan: Plan { get }
    /// When it connects first.
    var begins: Instant { get }
    var isOver: Bool { get }
    /// The ledgers of all its streams.
    var ledgers: [Ledger] { get }
    /// What its server keeps for it, as the server announced (XEP-0198).
    var managed: ManagedStream? { get set }
    /// How often it has continued its stream in another session.
    var resumptions: Int { get }
    func stream(at index: Int) -> ClientStream?
    /// Whether it may have a session at a worker that lives, or has just ended.
    func presence(at tag: UInt32, isAlive: Bool) -> Presence
}

/// What is known about where the session of a client is.
enum Presence {
    case elsewhere
    /// Nobody knows where it is.
    case uncertain
    case there
}

extension Client {
    /// Lets it be told these conditions.
    func explain(_ conditions: [String]) {
        for ledger in ledgers { ledger.explain(conditions) }
    }
}

extension BOSHClient: Client {
    func presence(at tag: UInt32, isAlive: Bool) -> Presence {
        // Nobody knows where a session is being begun.
        guard !sid.isEmpty else { return .uncertain }
        return sid.split(separator: ".").dropFirst().first.map { $0 == "\(tag)" } ?? false ? .there : .elsewhere
    }
}
