import Handover
import LogLines
import Logging
import Primitives
import ProcessLinks
import Reactor

/// The processes that look up names for all workers. `ResolverTable` decides; this class does it.
final class ResolverPool {
    /// A connection for a worker, to the process of a tag.
    struct Offer {
        let worker: UInt32
        let place: UInt32
        let tag: UInt32
        let connection: SharedDescriptor
    }

    private var table = ResolverTable()
    private var processes: [UInt32: LinkedProcess] = [:]
    private let arguments: [String]
    /// The log of the processes that look up names.
    var logger: Logger
    /// How many processes have ended, or could not be started.
    private(set) var deaths = 0

    init(nameserver: String?, logger: Logger) {
        arguments = ["holdfast", "resolver", "--shared"] + (nameserver.map { ["--nameserver", $0] } ?? [])
        self.logger = logger
    }

    /// The processes that run.
    var processIDs: [Int32] { processes.values.map(\.processID).sorted() }

    /// When `deadlineReached` is due; nil when nothing is.
    var nextDeadline: MonotonicInstant? { table.nextDeadline }

    /// Whether the kernel passes no connection to a process now. No event reports the end of this.
    var isHeldUp: Bool { processes.values.contains { $0.socket.isHeldUp } }

    /// Decides what follows from `input`, and does it.
    ///
    /// - Returns: connections for `workers`.
    func handle(
        _ input: ResolverTable.Input, workers: [UInt32], now: MonotonicInstant, in poller: borrowing Poller
    ) -> [Offer] {
        var inputs = [input]
        var offers: [Offer] = []
        while !inputs.isEmpty {
            var effects: [ResolverTable.Effect] = []
            table.handle(inputs.removeFirst(), now: now, into: &effects)
            for effect in effects {
                switch effect {
                case .start(let tag):
                    guard start(tag, in: poller) else {
                        inputs.append(.ended(tag))
                        continue
                    }
                    offers += workers.compactMap { connect(tag, to: $0, now: now) }
                case .connect(let tag, let worker):
                    if workers.contains(worker), let offer = connect(tag, to: worker, now: now) { offers.append(offer) }
                case .gone(let tag, let restart):
                    forget(tag, restart, in: poller)
                    // What was offered of it leads nowhere.
                    offers.removeAll { $0.tag == tag }
                }
            }
        }
        return offers
    }

    /// Connections to all processes, for a new worker.
    func offers(to worker: UInt32, now: MonotonicInstant) -> [Offer] {
        table.living.compactMap { connect($0, to: worker, now: now) }
    }

    /// The processes that have ended since the last time.
    func collect() -> [UInt32] {
        processes.keys.sorted().filter { tag in
            guard let exit = processes[tag]?.reap() else { return false }
            logger.error("a process that looks up names has ended", metadata: ["end": "\(exit.words)"])
            return true
        }
    }

    /// Ends all processes, for good.
    func end() {
        for process in processes.values { process.end() }
        processes = [:]
    }

    private func start(_ tag: UInt32, in poller: borrowing Poller) -> Bool {
        do throws(SystemError) {
            let process = try LinkedProcess(arguments: arguments)
            processes[tag] = process
            try process.socket.watch(as: Self.token(tag), in: poller)
            logger.debug("a process that looks up names was started", metadata: ["pid": .number(process.processID)])
            return true
        } catch {
            logger.error("a process that looks up names could not be started", metadata: ["error": "\(error)"])
            processes[tag]?.end()
            return false
        }
    }

    private func forget(_ tag: UInt32, _ restart: Duration, in poller: borrowing Poller) {
        deaths += 1
        processes.removeValue(forKey: tag)?.socket.unwatch(in: poller)
        logger.notice(
            "another process that looks up names takes the place of one that has ended",
            metadata: ["after_seconds": .wholeSeconds(restart), "deaths": .number(deaths)])
    }

    /// Passes one end of a new connection to a process.
    ///
    /// - Returns: the other end; nil when there is none now. The worker then gets one later.
    private func connect(_ tag: UInt32, to worker: UInt32, now: MonotonicInstant) -> Offer? {
        guard let process = processes[tag], let place = table.place(of: tag) else { return nil }
        do throws(SystemError) {
            let pair = try Descriptor.socketPair()
            process.socket.send([0], passing: SharedDescriptor(pair.first))
            return Offer(
                worker: worker, place: UInt32(clamping: place), tag: tag, connection: SharedDescriptor(pair.second))
        } catch {
            logger.error(
                "a worker cannot be connected to a process that looks up names",
                metadata: ["worker": .number(worker), "error": "\(error)"])
            var effects: [ResolverTable.Effect] = []
            table.handle(.lost(tag, worker: worker), now: now, into: &effects)
            return nil
        }
    }

    // MARK: The control sockets

    /// Whether an event with this token is for `handle`.
    static func owns(_ token: UInt64) -> Bool { token & firstToken != 0 }

    private static func token(_ tag: UInt32) -> UInt64 { firstToken | UInt64(tag) }

    /// Above all tags of workers.
    private static let firstToken: UInt64 = 1 << 32

    /// Handles an event of a process. It says nothing, so this is room for what it is to be told, or its end.
    func handle(_ event: PollEvent, buffer: inout ReadBuffer, in poller: borrowing Poller) {
        guard let process = processes[UInt32(truncatingIfNeeded: event.token)], !process.isDeaf else { return }
        process.socket.flush()
        guard process.socket.receive(with: &buffer) == .end else { return }
        process.isDeaf = true
        process.socket.unwatch(in: poller)
        process.send(.kill)
    }

    /// Sends what waits for the processes, and watches for what is needed next.
    func keepTelling(in poller: borrowing Poller) {
        for (tag, process) in processes where !process.isDeaf {
            if process.socket.isHeldUp { process.socket.flush() }
            do throws(SystemError) {
                try process.socket.watch(as: Self.token(tag), in: poller)
            } catch {
                logger.error("watching a process that looks up names failed", metadata: ["error": "\(error)"])
                process.send(.kill)
            }
        }
    }
}
