/// One stream of a session, as its client has it (XEP-0124 §16).
final class ClientStream {
    enum Stage {
        /// Asked for; no answer has told its name.
        case asked
        case features, authenticating, restarting, binding, active
        /// The client has asked for its end.
        case closing
        case closed
    }

    /// What waits to be sent on it.
    struct Saying {
        let text: String
        /// Of a message, by which its server counts it.
        var number: Int?
    }

    /// What its server knows it by.
    let login: Int
    let ledger: Ledger
    var stage: Stage
    /// As answers name it; nil until one does.
    var name: String?
    var queue: [Saying] = []
    /// The messages that the client has said.
    private(set) var said: [String] = []

    init(login: Int, ledger: Ledger, stage: Stage) {
        self.login = login
        self.ledger = ledger
        self.stage = stage
    }

    func say(_ text: String) { queue.append(Saying(text: text)) }

    func say(message text: String) {
        queue.append(Saying(text: text, number: said.count))
        said.append(text)
    }

    /// Begins again with the messages that its server has not got.
    func sayAgain(from first: Int) {
        queue = said.indices.dropFirst(first).map { Saying(text: said[$0], number: $0) }
    }

    /// Takes all that waits, as one payload.
    func takeQueue() -> String {
        if let last = queue.compactMap(\.number).last { ledger.sentUp = max(ledger.sentUp, last + 1) }
        defer { queue = [] }
        return queue.map(\.text).joined()
    }
}
