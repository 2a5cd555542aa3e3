/// What a supervisor knows of the workers of an earlier one, while the parts of their `Bequest` come: all at once from
/// memory, or from one worker after another.
package struct Legacy: Sendable {
    /// How a worker that was asked has answered.
    package enum Answer: Equatable, Sendable {
        /// All its parts have come.
        case complete
        /// Its connection has ended before.
        case broken
        /// Nothing more has come in time.
        case silent
    }

    /// What follows from an answer.
    package enum Step: Equatable, Sendable {
        /// Ask another worker.
        case ask
        /// Go on with what is known.
        case finish
        /// Nobody answers like a worker.
        case fail
    }

    /// The version of the program that has left this in its process; nil when workers have sent it.
    package private(set) var version: String?
    /// The tag that the next worker gets, unless a known one has that or a higher one.
    package private(set) var nextTag: UInt32 = 1
    package private(set) var workers: [WorkerRecord] = []
    /// The processes that are no workers, and whose ends are to be collected.
    package private(set) var children: [UInt32] = []
    /// Whether the last part of an answer, or of all, has come.
    package private(set) var isComplete = false
    /// The worker whose parts come.
    package private(set) var answering: UInt32?
    private var breaks = 0

    /// Nothing is known.
    package init() {}

    /// Notes a part.
    package mutating func note(_ part: Bequest) {
        switch part {
        case .program(let version, let nextTag):
            self.version = version
            reserve(before: nextTag)
        case .worker(let record):
            forget(record.plan.tag)
            workers.append(record)
            answering = record.plan.tag
            // A worker that does not answer may live, and no other one may get its tag.
            for tag in record.fellows + [record.plan.tag] { reserve(before: tag &+ 1) }
        case .child(let processID): children.append(processID)
        case .complete: isComplete = true
        case .listener, .page, .link, .past, .control, .asker: break
        }
    }

    /// Decides what follows from the answer of a worker. One that has not said all is forgotten.
    package mutating func end(_ answer: Answer) -> Step {
        let tag = answering
        answering = nil
        isComplete = false
        if answer == .complete, tag != nil { return missing.isEmpty ? .finish : .ask }
        if let tag { forget(tag) }
        breaks += 1
        // Others may live when one has ended meanwhile. What never answers and always hangs up is no worker.
        if answer == .broken, breaks < Self.mostBreaks { return .ask }
        return workers.isEmpty ? .fail : .finish
    }

    /// The workers that a known one can send connections to, and that have not answered.
    package var missing: [UInt32] {
        Set(workers.flatMap(\.fellows)).subtracting(workers.map(\.plan.tag)).sorted()
    }

    /// The workers as `WorkerTable` takes them over.
    package var inherited: [WorkerTable.Inherited] {
        workers.map {
            .init(
                tag: $0.plan.tag, generation: $0.plan.generation, workers: Int(clamping: $0.plan.workers),
                isRetired: $0.isRetired)
        }
    }

    private mutating func forget(_ tag: UInt32) { workers.removeAll { $0.plan.tag == tag } }

    private mutating func reserve(before tag: UInt32) { nextTag = max(nextTag, tag) }

    /// How many answers may break off until nobody else is asked.
    static let mostBreaks = 100
}
