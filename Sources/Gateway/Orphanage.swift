import Handover
import Primitives
import ProcessLinks
import Reactor

/// Waits for another supervisor while there is none: accepts where the dead one took commands, and tells whoever asks
/// what this worker has.
///
/// All workers of the dead supervisor accept there. Each connection reaches one of them, so the next supervisor asks
/// until it knows all that they know of.
final class Orphanage {
    /// The socket on which the supervisor takes commands.
    private final class Door: DescriptorOwner {
        let listener: Listener
        var watched = Watch()
        var number: Int32 { listener.descriptor.number }

        init(_ descriptor: consuming Descriptor) throws(SystemError) {
            listener = try Listener(adopting: descriptor)
        }
    }

    private let loop: Loop
    /// Nil until the worker was given it.
    private var door: Door?
    /// Whoever has connected and has not asked yet.
    private var visitor: FrameSocket?
    /// When the worker accepts again after that has failed; nil when it has not.
    private(set) var nextDeadline: MonotonicInstant?
    private let writer = FrameWriter(bound: FrameSocket.standardBound)

    private static let doorToken = Token(.control)
    private static let visitorToken = Token(.control, slot: 1)

    init(_ loop: Loop) {
        self.loop = loop
    }

    /// Notes where the supervisor takes commands.
    func use(_ descriptor: consuming Descriptor) {
        close()
        do throws(SystemError) {
            door = try Door(descriptor)
        } catch {
            loop.logs.process.error(
                "another supervisor could not find this worker", metadata: ["error": "\(error)"])
        }
    }

    /// Waits for another supervisor from now on.
    func open() {
        nextDeadline = nil
        guard let door else { return }
        do throws(SystemError) {
            try door.watched.set(
                .readable, of: door.listener.descriptor, as: Self.doorToken.raw, in: loop.poller)
        } catch {
            loop.logs.process.error("waiting for another supervisor failed", metadata: ["error": "\(error)"])
            nextDeadline = loop.now.advanced(by: Self.acceptingPause)
        }
    }

    /// Waits again for another supervisor, when the time for that has come.
    func handleDeadline() {
        if let deadline = nextDeadline, deadline <= loop.now { open() }
    }

    /// Handles an event.
    ///
    /// - Returns: the connection to a new supervisor, which wants to know what this worker has, and its process.
    func handle(_ event: PollEvent, of token: Token) -> (socket: FrameSocket, processID: Int32)? {
        if token == Self.doorToken {
            accept()
            return nil
        }
        guard let visitor else { return nil }
        let arrival = visitor.receive(with: &loop.readBuffer)
        do {
            if let received = try visitor.next() {
                if case .takeOver(let processID) = try ControlMessage(received.frame) {
                    self.visitor = nil
                    visitor.unwatch(in: loop.poller)
                    close()
                    return (visitor, Int32(clamping: processID))
                }
                refuse(visitor)
            } else if arrival != .end {
                return nil
            }
        } catch {
            loop.logs.process.warning("an unknown command came", metadata: ["fault": "\(error)"])
        }
        leave()
        return nil
    }

    /// Tells a new supervisor what this worker has.
    ///
    /// - Parameters:
    ///   - listeners: the sockets that it listens on, by their numbers.
    func tell(
        _ supervisor: FrameSocket, _ record: WorkerRecord, page: (any DescriptorOwner)?, past: (any DescriptorOwner)?,
        listeners: [(number: UInt32, address: String, socket: any DescriptorOwner)]
    ) {
        func say(_ part: Bequest, _ passed: (any DescriptorOwner)? = nil) {
            if let frame = writer.frame(part) { supervisor.send(frame, passing: passed) }
        }
        say(.worker(record))
        if let page { say(.page(tag: record.plan.tag), page) }
        for listener in listeners {
            say(.listener(number: listener.number, address: listener.address), listener.socket)
        }
        if let past { say(.past, past) }
        if let door { say(.control, door) }
        say(.complete)
    }

    private func accept() {
        guard visitor == nil, let door else { return }
        switch door.listener.accept() {
        case .accepted(let stream, _):
            let visitor = FrameSocket(stream.releaseDescriptor())
            do throws(SystemError) {
                try visitor.watch(as: Self.visitorToken.raw, in: loop.poller)
                self.visitor = visitor
                // One at a time: the next one may reach another worker meanwhile.
                door.watched.end(of: door.listener.descriptor, in: loop.poller)
            } catch {
                loop.logs.process.error("whoever gives a command cannot be heard", metadata: ["error": "\(error)"])
            }
        // Another worker may have been faster.
        case .wouldBlock: return
        case .descriptorsExhausted: pause()
        case .failed(let error):
            loop.logs.process.error("accepting a command failed", metadata: ["error": "\(error)"])
            pause()
        }
    }

    /// Does not accept for a while: whoever waits would be reported in every turn.
    private func pause() {
        if let door { door.watched.end(of: door.listener.descriptor, in: loop.poller) }
        nextDeadline = loop.now.advanced(by: Self.acceptingPause)
    }

    private func refuse(_ visitor: FrameSocket) {
        let lines = "the supervisor has ended: start holdfast again, it finds its workers"
        if let frame = writer.frame(ControlMessage.refused(lines: lines)) { visitor.send(frame) }
    }

    private func leave() {
        visitor?.unwatch(in: loop.poller)
        visitor = nil
        open()
    }

    private func close() {
        nextDeadline = nil
        visitor?.unwatch(in: loop.poller)
        visitor = nil
        if let door { door.watched.end(of: door.listener.descriptor, in: loop.poller) }
    }

    /// How long the worker does not accept after that has failed.
    private static let acceptingPause = Duration.milliseconds(500)
}
