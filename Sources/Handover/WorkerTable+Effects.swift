/// What the supervisor tells its table of workers, and what that says is to be done.
extension WorkerTable {
    /// What has happened.
    package enum Input: Equatable, Sendable {
        /// The listeners are open: start.
        case begin
        /// Start a new generation with so many workers, at least 1. Nothing is done while another one starts, or when
        /// all are to finish.
        case renew(wanted: Int)
        /// Workers were taken over, and no new generation can be started: theirs goes on and is to be whole.
        case keep
        /// A worker is ready to serve.
        case ready(UInt32)
        /// The process of a worker has ended, or could not be started.
        case ended(UInt32)
        /// The workers are to finish. The second time, they are to end at once.
        case drain
        /// `nextDeadline` has come. `turns` has the loop counter of each living worker by its tag.
        case deadlineReached(turns: [UInt32: UInt64])
    }

    /// What is to be done, in this order.
    package enum Effect: Equatable, Sendable {
        /// Start a worker of this tag with the settings of a generation.
        case start(UInt32, generation: UInt32)
        /// Make this worker and those that serve known to each other, and have it serve.
        case serve(UInt32)
        /// All workers serve for the first time.
        case announce
        /// The workers of this generation serve, and no other one takes new sessions. `retire` follows for the others.
        case renewed(UInt32)
        /// A worker of this new generation has ended before all were ready. `kill` and `gone` follow for the others of
        /// it, and nothing else changes.
        case abandoned(UInt32)
        /// A worker of this new generation has ended before all were ready, and there are no others that could go on. So
        /// it is the current one from now on, and its workers are started again until they serve. `retire` follows for
        /// the others, and `gone` for the one that has ended.
        case insisted(UInt32)
        /// Tell this worker that it takes no new sessions.
        case retire(UInt32)
        /// End the process of this worker at once, for this reason; `ended` follows.
        case kill(UInt32, KillReason)
        /// Tell the living workers that this one has ended. Another is started after this time; never for nil.
        case gone(UInt32, restart: Duration?)
        /// Ask this worker to end its sessions, and to end by itself.
        case drain(UInt32)
        /// No worker is left, and none will be started.
        case finished
    }

    /// Why the process of a worker is ended.
    package enum KillReason: Equatable, Sendable {
        /// Its loop has stood still.
        case isStuck
        /// It was not ready to serve in time.
        case didNotStart
        /// Another worker of its new generation could not start.
        case isAbandoned
        /// All of them end, because another one could not start or because they were asked twice.
        case allEnd
    }
}
