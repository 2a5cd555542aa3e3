import Handover
import Primitives
import Reactor

/// What a supervisor gives a worker: its name among the workers, the sockets that it listens on, what it has to know of
/// the others, and the link to the supervisor.
package struct WorkerPlace: ~Copyable {
    /// A listening socket that all workers share.
    package struct GivenListener {
        /// The number by which the workers name it.
        package let number: UInt32
        package let descriptor: PassedDescriptor
    }

    /// What the worker was told before anything else.
    let plan: WorkerPlan
    /// The listening sockets, in the order of the settings `listen`, `listen-proxy` and `admin`.
    package let listeners: [GivenListener]
    /// What the supervisor has said besides: the worker's own counter page, and the pages and mailboxes of the others.
    let news: [SupervisorLink.News]
    /// The link to the supervisor, which has told everything that a worker needs to become ready.
    package let supervisor: PassedDescriptor

    /// The worker's number in each `sid` that it gives out. No other worker ever has it.
    package var tag: UInt32 { plan.tag }
    /// How many workers there shall be, 1 or more.
    package var workers: Int { Int(plan.workers) }

    init(
        _ plan: WorkerPlan, listeners: [GivenListener], news: [SupervisorLink.News], supervisor: PassedDescriptor
    ) {
        self.plan = plan
        self.listeners = listeners
        self.news = news
        self.supervisor = supervisor
    }
}
