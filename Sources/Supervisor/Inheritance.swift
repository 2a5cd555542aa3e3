import Handover
import Logging
import Primitives
import ProcessLinks
import Reactor

/// What a supervisor takes over from an earlier one: running workers, listening sockets, and what goes with them.
final class Inheritance {
    /// What is known of the workers.
    private var legacy = Legacy()
    private var pages: [UInt32: PassedDescriptor] = [:]
    private var links: [UInt32: FrameSocket] = [:]
    private(set) var listeners: [(number: UInt32, address: String, descriptor: PassedDescriptor)] = []
    private(set) var past: PassedDescriptor?
    private(set) var control: PassedDescriptor?
    private(set) var asker: PassedDescriptor?

    /// Nothing.
    init() {}

    /// Whether no worker runs.
    var isEmpty: Bool { legacy.workers.isEmpty }

    /// The version of the program that has left it in this process; nil when workers have sent it.
    var version: String? { legacy.version }

    var workers: [WorkerRecord] { legacy.workers }

    /// The tag of the next worker, if there is none.
    var nextTag: UInt32 { legacy.nextTag }

    /// Other children of this process.
    var children: [Int32] { legacy.children.compactMap { Int32(exactly: $0) }.filter { $0 > 1 } }

    /// The table of the workers.
    func table(_ retirement: WorkerTable.Retirement, now: MonotonicInstant) -> WorkerTable {
        WorkerTable(inheriting: legacy.inherited, next: legacy.nextTag, retirement: retirement, now: now)
    }

    /// The counter page of a worker, once.
    func takePage(of tag: UInt32) -> PassedDescriptor? { pages.removeValue(forKey: tag) }

    /// The connection to a worker, once.
    func takeLink(to tag: UInt32) -> FrameSocket? { links.removeValue(forKey: tag) }

    /// Notes one part, with the descriptor that came with it.
    func take(_ part: Bequest, _ descriptor: PassedDescriptor?) {
        legacy.note(part)
        switch part {
        case .listener(let number, let address):
            guard let descriptor, !listeners.contains(where: { $0.number == number }) else { return }
            listeners.append((number, address, descriptor))
        case .page(let tag): pages[tag] = descriptor
        case .link(let tag):
            if let descriptor = descriptor?.take() { links[tag] = FrameSocket(descriptor) }
        case .past: past = past ?? descriptor
        case .control: control = control ?? descriptor
        case .asker: asker = descriptor
        case .program, .worker, .child, .complete: break
        }
    }

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
            while !legacy.isComplete, let frame = try reader.next() {
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
        guard legacy.isComplete, version != nil else {
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
        while let socket = connect(to: place) {
            let answer = try inheritance.ask(socket, at: place)
            if answer == .complete, let tag = inheritance.legacy.answering { inheritance.links[tag] = socket }
            let step = inheritance.legacy.end(answer)
            if step == .ask { continue }
            guard step == .finish else {
                throw SupervisorError(line: "what listens at \(place) does not answer like holdfast")
            }
            break
        }
        let missing = inheritance.legacy.missing
        if !missing.isEmpty {
            logger.error(
                "workers of the supervisor that has died do not answer, and are left alone",
                metadata: ["tags": "\(missing)"])
        }
        return inheritance
    }

    private static func connect(to place: SocketAddress) -> FrameSocket? {
        switch StreamSocket.connect(to: place) {
        case .failed: nil
        case .connected(let socket): FrameSocket(socket.releaseDescriptor())
        case .connecting(let socket): FrameSocket(socket.releaseDescriptor())
        }
    }

    /// Asks whoever accepts the connection, and waits for all that it says.
    ///
    /// - Throws: `SupervisorError`, when a supervisor lives.
    private func ask(_ socket: FrameSocket, at place: SocketAddress) throws(SupervisorError) -> Legacy.Answer {
        guard
            let question = FrameWriter(bound: FrameSocket.standardBound).frame(
                ControlMessage.takeOver(processID: UInt32(clamping: CurrentProcess.processID)))
        else { return .silent }
        socket.send(question)
        var supervisor: UInt32?
        let answer = hear(socket, orFind: &supervisor)
        if let supervisor {
            throw SupervisorError(
                line: "holdfast runs already and takes commands at \(place) (process \(supervisor)): "
                    + "'holdfast upgrade' replaces it")
        }
        return answer
    }

    /// Waits for all that a worker says, or for the process of a supervisor.
    private func hear(_ socket: FrameSocket, orFind supervisor: inout UInt32?) -> Legacy.Answer {
        var buffer = ReadBuffer()
        do {
            var poller = try Poller(capacity: 1)
            try socket.watch(as: 0, in: poller)
            defer { socket.unwatch(in: poller) }
            while !legacy.isComplete {
                guard try poller.wait(timeout: Self.patience) > 0 else { return .silent }
                let arrival = socket.receive(with: &buffer)
                // What a worker says behind its last part is for `listen`.
                while !legacy.isComplete, let received = try socket.next() {
                    supervisor = Self.supervisor(in: received.frame)
                    if supervisor != nil { return .complete }
                    do throws(MessageFault) {
                        take(try Bequest(received.frame), received.passed)
                    } catch {
                        // A part that this version does not know, and does without.
                    }
                }
                if arrival == .end, !legacy.isComplete { return .broken }
            }
        } catch {
            return .broken
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
