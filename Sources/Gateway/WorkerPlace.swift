import Primitives
import Reactor

/// What a supervisor gives a worker: its name among the workers, the sockets that it listens on, what it has to know of
/// the others, and the link to the supervisor.
package struct WorkerPlace: ~Copyable {
    /// The worker's number in each `sid` that it gives out. No other worker ever has it.
    package let tag: UInt32
    /// The name of the machine in each `sid`.
    package let node: String
    /// How many workers there shall be, 1 or more.
    package let workers: Int
    /// A random number that all workers share; nil for a worker on its own.
    package let seed: UInt64?
    /// The listening sockets, in the order of the settings `listen`, `listen-proxy` and `admin`. All workers share them.
    package let listeners: [PassedDescriptor]
    /// What the supervisor has said besides: the worker's own counter page, and the pages and mailboxes of the others.
    let news: [SupervisorLink.News]
    /// The link to the supervisor, which has told everything that a worker needs to begin; nil for a worker on its own.
    package let supervisor: PassedDescriptor?

    init(
        tag: UInt32, node: String, workers: Int, seed: UInt64?, listeners: [PassedDescriptor],
        news: [SupervisorLink.News], supervisor: PassedDescriptor?
    ) {
        self.tag = tag
        self.node = node
        self.workers = workers
        self.seed = seed
        self.listeners = listeners
        self.news = news
        self.supervisor = supervisor
    }
}
