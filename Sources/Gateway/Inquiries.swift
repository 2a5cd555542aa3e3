import BOSHCore
import Handover
import Primitives
import Reactor

/// Questions of operators whose answer does not stand in a page of counters: which sessions there are, and the wish to end
/// one. The worker that was asked answers for itself, asks all others over their mailboxes, and puts the answers together.
///
/// Nothing of this is in the way of a session: a worker that does not answer in time, or dies, is missing in the answer,
/// which says so.
final class Inquiries {
    /// A request of an operator that waits for other workers.
    private struct Pending {
        let question: OperatorQuestion
        let exchange: ExchangeID
        let limit: Int
        let givesUpAt: MonotonicInstant
        var missing: Set<UInt32>
        var count: Int
        var rows: [String]
    }

    private let loop: Loop
    private unowned let sides: ClientSides
    private unowned let clients: Clients
    private unowned let mailboxes: Mailboxes
    private var pending: [Pending] = []
    private var nextID: UInt32 = 0

    init(_ loop: Loop, sides: ClientSides, clients: Clients, mailboxes: Mailboxes) {
        self.loop = loop
        self.sides = sides
        self.clients = clients
        self.mailboxes = mailboxes
    }

    /// Begins to answer an operator's request; `exchange` is answered as soon as all workers have answered.
    ///
    /// - Parameter limit: how many rows the answer has at most.
    func ask(_ kind: OperatorQuestion.Kind, _ text: String, limit: Int = 0, for exchange: ExchangeID) {
        guard pending.count < Self.mostPending, text.utf8.count <= OperatorQuestion.longestText else {
            clients.respond(to: exchange, Sessions.comeAgain)
            return
        }
        nextID &+= 1
        let question = OperatorQuestion(id: nextID, kind: kind, text: text)
        let own = answer(to: question) ?? OperatorAnswer(id: nextID, count: 0)
        let others = Set(loop.fellows.known)
        var begun = Pending(
            question: question, exchange: exchange, limit: limit, givesUpAt: loop.now.advanced(by: Self.patience),
            missing: others, count: Int(own.count), rows: own.rows)
        for tag in others where !mailboxes.send(.question(question), to: tag) { begun.missing.remove(tag) }
        pending.append(begun)
        finishComplete()
    }

    /// Whether an operator's request on this connection waits for other workers.
    func isAsked(on connection: Token) -> Bool { pending.contains { $0.exchange.connection == connection.raw } }

    // MARK: What other workers ask and answer

    /// The answer of this worker; nil for a question that it cannot answer.
    func answer(to question: OperatorQuestion) -> OperatorAnswer? {
        switch question.kind {
        case .list:
            do {
                let found = try sides.rows(try SessionFilter(query: question.text))
                return OperatorAnswer(id: question.id, count: UInt32(clamping: found.count), rows: found.rows)
            } catch {
                // The worker that was asked first has read the same filter, so another version of the program asks.
                loop.logs.admin.error(
                    "a question of another worker cannot be answered", metadata: ["error": "\(error)"])
                return OperatorAnswer(id: question.id, count: 0)
            }
        case .end:
            let count = sides.end(named: question.text)
            if count > 0 {
                loop.logs.admin.notice("an operator has ended a session", metadata: ["sid8": "\(question.text)"])
            }
            return OperatorAnswer(id: question.id, count: UInt32(clamping: count))
        }
    }

    /// Takes the answer of another worker.
    func take(_ answer: OperatorAnswer, from tag: UInt32) {
        guard let index = pending.firstIndex(where: { $0.question.id == answer.id }),
            pending[index].missing.remove(tag) != nil
        else { return }
        pending[index].count += Int(answer.count)
        pending[index].rows += answer.rows.prefix(max(pending[index].limit - pending[index].rows.count, 0))
        finishComplete()
    }

    /// Notes that a worker has ended, which answers nothing more. It has no sessions, so nothing is missing.
    func forget(_ tag: UInt32) {
        for index in pending.indices { pending[index].missing.remove(tag) }
        finishComplete()
    }

    // MARK: When something has to happen

    /// When the next request is answered without those who have not answered; nil when none waits.
    var nextDeadline: MonotonicInstant? { pending.first?.givesUpAt }

    /// Answers the requests that have waited long enough.
    func handleDeadlines() {
        while let first = pending.first, first.givesUpAt <= loop.now { finish(pending.removeFirst()) }
    }

    private func finishComplete() {
        while let index = pending.firstIndex(where: { $0.missing.isEmpty }) { finish(pending.remove(at: index)) }
    }

    private func finish(_ done: Pending) {
        clients.respond(
            to: done.exchange,
            OperatorAnswers.response(
                to: done.question, count: done.count, rows: done.rows, limit: done.limit, missing: done.missing.sorted()
            ))
    }

    /// How long other workers have to answer.
    private static let patience = Duration.seconds(2)
    /// How many requests wait at the same time.
    private static let mostPending = 16
}
