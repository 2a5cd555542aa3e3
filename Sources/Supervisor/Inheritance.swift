import Handover
import Logging
import ProcessLinks
import Reactor

/// What a supervisor takes over from an earlier one: running workers, listening sockets, and what goes with them.
final class Inheritance {
    /// A worker with what came for it.
    struct Worker {
        let record: WorkerRecord
        fileprivate(set) var page: PassedDescriptor?
        fileprivate(set) var link: FrameSocket?
    }

    /// The version of the program that has left it in this process; nil when workers have sent it.
    private(set) var version: String?
    /// The tag that the next worker gets, unless a worker has it or a higher one.
    private(set) var nextTag: UInt32 = 1
    private(set) var workers: [Worker] = []
    private(set) var listeners: [(number: UInt32, address: String, descriptor: PassedDescriptor)] = []
    private(set) var past: PassedDescriptor?
    private(set) var control: PassedDescriptor?
    private(set) var asker: PassedDescriptor?
    /// Other children of this process.
    private(set) var children: [Int32] = []
    private(set) var isComplete = false

    /// Nothing.
    init() {}

    /// Whether no worker runs.
    var isEmpty: Bool { workers.isEmpty }

    /// Notes one part, with the descriptor that came with it.
    func take(_ part: Bequest, _ descriptor: PassedDescriptor?) {
        switch part {
        case .program(let version, let nextTag):
            self.version = version
            self.nextTag = nextTag
        case .worker(let record):
            if place(of: record.plan.tag) == nil { workers.append(Worker(record: record)) }
        case .listener(let number, let address):
            guard let descriptor, !listeners.contains(where: { $0.number == number }) else { return }
            listeners.append((number, address, descriptor))
        case .page(let tag):
            if let place = place(of: tag) { workers[place].page = descriptor }
        case .link(let tag):
            if let place = place(of: tag), let descriptor = descriptor?.take() {
                workers[place].link = FrameSocket(descriptor)
            }
        case .past:
            past = past ?? descriptor
        case .control:
            control = control ?? descriptor
        case .asker:
            asker = descriptor
        case .child(let processID):
            if let processID = Int32(exactly: processID), processID > 1 { children.append(processID) }
        case .complete:
            isComplete = true
        }
    }

    /// Notes the connection over which a worker has sent its parts.
    func link(_ tag: UInt32, over socket: FrameSocket) {
        if let place = place(of: tag) { workers[place].link = socket }
    }

    private func place(of tag: UInt32) -> Int? { workers.firstIndex { $0.record.plan.tag == tag } }

    // MARK: In memory

    /// Reads what the program before this one in this process has left.
    ///
    /// - Parameter takesDescriptors: false only to look whether it can be read.
    /// - Throws: `SupervisorError`, when this version cannot go on with it.
    convenience init(in memory: borrowing Descriptor, takesDescriptors: Bool = true) throws(SupervisorError) {
        self.init()
        guard let bytes = SharedBytes.read(memory) else {
            throw SupervisorError(line: "what the program before this one has left cannot be read")
        }
        var reader = FrameReader(bound: FrameSocket.standardBound)
        reader.receive(bytes.span)
        do throws(FrameFault) {
            while !isComplete, let frame = try reader.next() {
                let number = Int32(clamping: frame.number)
                var passed: PassedDescriptor?
                if takesDescriptors, frame.carriesDescriptor, let descriptor = ProgramImage.take(number) {
                    passed = PassedDescriptor(descriptor)
                }
                do throws(MessageFault) {
                    take(try Bequest(frame), passed)
                } catch {
                    // A part of a newer program, without which this one has to do.
                }
            }
        } catch {
            throw SupervisorError(line: "what the program before this one has left is of another kind: \(error)")
        }
        guard isComplete, version != nil else {
            throw SupervisorError(line: "what the program before this one has left is incomplete")
        }
    }

    // MARK: From workers

    /// Asks the workers of a supervisor that has died for what they have.
    ///
    /// - Parameter place: where that supervisor took commands.
    /// - Returns: what they have; nothing when nobody is there.
    /// - Throws: `SupervisorError`, when a supervisor lives, or something else answers.
    static func gather(at place: SocketAddress, logger: Logger) throws(SupervisorError) -> Inheritance {
        let inheritance = Inheritance()
        var isLast = false
        while !isLast {
            guard let socket = connect(to: place) else { return inheritance }
            let before = inheritance.workers.count
            switch inheritance.ask(socket) {
            case .complete: break
            case .running(let processID):
                throw SupervisorError(
                    line: "holdfast runs already and takes commands at \(place) (process \(processID)): "
                        + "'holdfast upgrade' replaces it")
            case .silent where inheritance.isEmpty:
                throw SupervisorError(line: "what listens at \(place) does not answer like holdfast")
            case .silent:
                isLast = true
            }
            if inheritance.workers.count > before, let tag = inheritance.workers.last?.record.plan.tag {
                inheritance.link(tag, over: socket)
                inheritance.isComplete = false
            }
            let known = Set(inheritance.workers.flatMap(\.record.fellows))
            let missing = known.subtracting(inheritance.workers.map(\.record.plan.tag))
            if missing.isEmpty { break }
            if isLast {
                logger.error(
                    "workers of the supervisor that has died do not answer, and are left alone",
                    metadata: ["workers": "\(missing.sorted())"])
            }
        }
        return inheritance
    }

    private enum Answer {
        case complete
        /// A supervisor lives.
        case running(processID: UInt32)
        /// Nothing came that makes sense, in time.
        case silent
    }

    private static func connect(to place: SocketAddress) -> FrameSocket? {
        switch StreamSocket.connect(to: place) {
        case .failed: nil
        case .connected(let socket): FrameSocket(socket.releaseDescriptor())
        case .connecting(let socket): FrameSocket(socket.releaseDescriptor())
        }
    }

    /// Asks whoever accepts the connection, and waits for all that it says.
    private func ask(_ socket: FrameSocket) -> Answer {
        guard
            let question = FrameWriter(bound: FrameSocket.standardBound).frame(
                ControlMessage.takeOver(processID: UInt32(clamping: CurrentProcess.processID)))
        else { return .silent }
        socket.send(question)
        var buffer = ReadBuffer()
        do {
            var poller = try Poller(capacity: 1)
            try socket.watch(as: 0, in: poller)
            defer { socket.unwatch(in: poller) }
            while !isComplete {
                guard try poller.wait(timeout: Self.patience) > 0 else { return .silent }
                let arrival = socket.receive(with: &buffer)
                // What a worker says behind its last part is for `listen`.
                while !isComplete, let received = try socket.next() {
                    if let processID = Self.supervisor(in: received.frame) { return .running(processID: processID) }
                    do throws(MessageFault) {
                        take(try Bequest(received.frame), received.passed)
                    } catch {
                        // A part that this version does not know, and does without.
                    }
                }
                if arrival == .end, !isComplete { return .silent }
            }
        } catch {
            return .silent
        }
        return .complete
    }

    /// The process of the supervisor that has answered; nil for what a worker says.
    private static func supervisor(in frame: Frame) -> UInt32? {
        do throws(MessageFault) {
            if case .running(let processID) = try ControlMessage(frame) { return processID }
        } catch {
            // A worker sends other frames.
        }
        return nil
    }

    /// How long a worker may take to answer. Its loop turns at least once a second.
    private static let patience = Duration.seconds(3)
}
