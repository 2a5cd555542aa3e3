import Primitives
import Reactor

/// What a supervisor gives a worker: its name among the workers, the sockets that it listens on, and the link to the
/// supervisor.
package struct WorkerPlace: ~Copyable {
    /// The worker's number in each `sid` that it gives out. No other worker ever has it.
    package let tag: UInt32
    /// The listening sockets, in the order of the settings `listen`, `listen-proxy` and `admin`. All workers share them.
    package let listeners: [PassedDescriptor]
    /// The link to the supervisor, which has told everything that a worker needs to begin; nil for a worker on its own.
    package let supervisor: PassedDescriptor?

    /// The place of a worker under a supervisor.
    package init(tag: UInt32, listeners: [PassedDescriptor], supervisor: PassedDescriptor?) {
        self.tag = tag
        self.listeners = listeners
        self.supervisor = supervisor
    }
}
