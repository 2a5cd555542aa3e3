import Handover
import Primitives
import ProcessLinks
import Reactor

/// What ties a worker to its supervisor.
final class Supervision {
    /// What the supervisor has told the worker before anything else.
    let plan: WorkerPlan
    /// What waits for another supervisor when there is none.
    let orphanage: Orphanage
    /// The link to the supervisor; nil until the worker is ready.
    var link: SupervisorLink?
    /// The process of the supervisor.
    var supervisorID = CurrentProcess.parentID
    /// Whether the worker was told to serve, so that the others know it and it may have sessions.
    var serves = false
    /// Why the last reload or upgrade was refused; empty when the last one was carried out.
    var refusal = ""
    /// Whether a retired worker has told its supervisor that it ends.
    var hasSaidGoodbye = false

    init(_ plan: WorkerPlan, _ loop: Loop) {
        self.plan = plan
        orphanage = Orphanage(loop)
    }

    /// Does again what has failed for a while.
    func handleDeadlines() {
        link?.handleDeadline()
        orphanage.handleDeadline()
    }
}

/// A worker's link to its supervisor: news of the other workers come in, and the worker says how far it is.
///
/// When the supervisor dies, its workers go on, and wait for another one (`Orphanage`).
final class SupervisorLink {
    /// What the supervisor has said, with the descriptor that came with it.
    struct News {
        let message: SupervisorMessage
        let descriptor: PassedDescriptor?
    }

    private let loop: Loop
    private let socket: FrameSocket
    private let writer = FrameWriter(bound: FrameSocket.standardBound)
    /// Whether the supervisor can be told anything.
    private(set) var isOpen = true
    /// When a descriptor is sent again that the kernel does not pass because too many are on their way; nil when none is.
    /// No event reports the end of that.
    private(set) var nextDeadline: MonotonicInstant?
    private static let token = Token(.supervisor)

    /// - Throws: when the link cannot be watched.
    init(_ loop: Loop, _ socket: FrameSocket) throws(SystemError) {
        self.loop = loop
        self.socket = socket
        try socket.watch(as: Self.token.raw, in: loop.poller)
        // What a worker has told its next supervisor may wait in the socket.
        if socket.isHeldUp { nextDeadline = loop.now }
    }

    /// Tells the supervisor something.
    func tell(_ message: WorkerMessage) {
        guard isOpen, let frame = writer.frame(message) else { return }
        socket.send(frame)
        watch()
    }

    /// Sends what has waited long enough.
    func handleDeadline() {
        guard isOpen, let deadline = nextDeadline, deadline <= loop.now else { return }
        socket.flush()
        watch()
    }

    /// Handles an event of the link.
    ///
    /// - Returns: what the supervisor has said, in order.
    func handle(_ event: PollEvent) -> [News] {
        guard isOpen else { return [] }
        if event.isWritable { socket.flush() }
        var news: [News] = []
        if event.isReadable || event.isHangup {
            // All at once: a client may have a session with a worker of which this one is told here.
            var arrival = FrameSocket.Arrival.more
            while arrival == .more, isOpen {
                arrival = socket.receive(with: &loop.readBuffer)
                read(into: &news)
            }
            if arrival == .end, isOpen {
                loop.logs.process.error("the supervisor has ended; this worker goes on without it")
                close()
            }
        }
        watch()
        return news
    }

    private func read(into news: inout [News]) {
        do throws(FrameFault) {
            while let received = try socket.next() {
                do throws(MessageFault) {
                    news.append(News(message: try SupervisorMessage(received.frame), descriptor: received.passed))
                } catch {
                    loop.logs.process.warning(
                        "the supervisor said something that this worker does not know", metadata: ["fault": "\(error)"])
                }
            }
        } catch {
            loop.logs.process.error(
                "what the supervisor says cannot be read; this worker goes on without it",
                metadata: ["fault": "\(error)"])
            close()
        }
    }

    private func watch() {
        guard isOpen else { return }
        nextDeadline = socket.isHeldUp ? loop.now.advanced(by: Self.heldUpPause) : nil
        do throws(SystemError) {
            try socket.watch(as: Self.token.raw, in: loop.poller)
        } catch {
            loop.logs.process.error(
                "watching the link to the supervisor failed; this worker goes on without it",
                metadata: ["error": "\(error)"])
            close()
        }
    }

    private func close() {
        isOpen = false
        nextDeadline = nil
        socket.unwatch(in: loop.poller)
    }

    /// How long a descriptor waits that the kernel does not pass.
    private static let heldUpPause = Duration.milliseconds(100)
}
