/// One stream of a session, from its client's side (XEP-0124 §16).
final class ClientStream {
    enum Stage {
        /// The client has asked for the stream; no answer has told its name.
        case asked
        case features, authenticating, restarting, binding, active
        /// The client has asked for the stream's end.
        case closing
        case closed
    }

    /// Something that waits to be sent on the stream.
    struct Saying {
        let text: String
        /// The number of a message, by which its server counts it.
        var number: Int?
    }

    /// The number by which its server knows it.
    let login: Int
    let ledger: Ledger
    var stage: Stage
    /// The name in answers; nil until one tells it.
    var name: String?
    var queue: [Saying] = []
    /// The messages that the client has sent.
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

    /// Begins again with the messages that its server does not have.
    func sayAgain(from first: Int) {
        queue = said.indices.dropFirst(first).map { Saying(text: said[$0], number: $0) }
    }

    /// Takes a message of the server.
    func hear(message element: [UInt8], _ judge: Judge) {
        guard let id = element.attribute("id"), id.first == "d", let number = Int(id.dropFirst()) else {
            judge.fail("\(ledger.name) got what nobody sent: \(String(decoding: element.prefix(300), as: UTF8.self))")
            return
        }
        if element.attribute("to") != "c\(login)" {
            judge.fail("\(ledger.name) got a message to \(element.attribute("to") ?? "nobody")")
        }
        ledger.clientReceived(number)
    }

    /// Takes all waiting payload as one.
    func takeQueue() -> String {
        if let last = queue.compactMap(\.number).last { ledger.sentUp = max(ledger.sentUp, last + 1) }
        defer { queue = [] }
        return queue.map(\.text).joined()
    }
}
