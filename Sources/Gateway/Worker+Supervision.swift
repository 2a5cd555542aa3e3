import Handover
import Reactor

/// A worker among others: it does what its supervisor says.
extension Worker {
    /// The node's name in each `sid`.
    package static var node: String { Sessions.node }

    /// Does what the supervisor says.
    func follow(_ news: SupervisorLink.News) {
        switch news.message {
        case .mailbox(let tag):
            guard let descriptor = news.descriptor?.take() else {
                loop.logger.error(
                    "the link to another worker was lost: no descriptor is free", metadata: ["worker": "\(tag)"])
                return
            }
            mailboxes.add(tag, descriptor)
        case .drain:
            shutDown()
        case .page, .retired, .gone, .begin, .listener, .started:
            // The end of a worker shows at its mailbox, behind all that it has said.
            break
        }
    }
}
