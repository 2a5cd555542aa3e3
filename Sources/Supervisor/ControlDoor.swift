import Handover
import Logging
import ProcessLinks
import Reactor
import Settings

/// Where the supervisor takes commands: a Unix socket that only its user and root may use.
final class ControlDoor {
    /// Somebody who has asked for something.
    final class Asker {
        fileprivate let socket: FrameSocket
        fileprivate let token: UInt64

        fileprivate init(_ socket: FrameSocket, token: UInt64) {
            self.socket = socket
            self.token = token
        }
    }

    /// What somebody asks for.
    enum Command: Equatable {
        case reload
        case upgrade
        /// Open the file of the access log again.
        case reopen
        /// Log from these levels on, as somebody has written them; empty when somebody asks which are in force.
        case log(String)
    }

    /// The socket, whose descriptor all workers get.
    let listener: OpenListener
    private var askers: [Asker] = []
    private var nextToken = ControlDoor.listenerToken + 1
    private let writer = FrameWriter(bound: FrameSocket.standardBound)
    /// The log of what operators do.
    var logger: Logger

    /// - Throws: `SupervisorError`, when nobody can listen there.
    init(_ address: ListenAddress, inherited: PassedDescriptor?, logger: Logger) throws(SupervisorError) {
        self.logger = logger
        guard let parsed = SocketAddress(address.description) else {
            throw SupervisorError(line: "control: '\(address)' is not a path")
        }
        do throws(SystemError) {
            let socket =
                if let inherited = inherited?.take() {
                    try Listener(adopting: inherited)
                } else {
                    try Listener(parsed, unixMode: 0o600)
                }
            listener = OpenListener(id: 0, address: address.description, socket)
        } catch {
            throw SupervisorError(line: "control: cannot listen on \(address): \(error.reason)")
        }
    }

    /// Takes commands from now on.
    ///
    /// - Throws: the kernel refused to watch the socket.
    func open(in poller: borrowing Poller) throws(SystemError) {
        try poller.register(listener.listener.descriptor, token: Self.listenerToken, interest: .readable)
    }

    /// Whether an event with this token is for `handle`.
    static func owns(_ token: UInt64) -> Bool { token & listenerToken != 0 }

    /// Handles an event.
    ///
    /// - Returns: what somebody asks for.
    func handle(
        _ event: PollEvent, buffer: inout ReadBuffer, in poller: borrowing Poller
    ) -> [(Command, Asker)] {
        if event.token == Self.listenerToken {
            accept(in: poller)
            return []
        }
        guard let asker = askers.first(where: { $0.token == event.token }) else { return [] }
        asker.socket.flush()
        var commands: [(Command, Asker)] = []
        var arrival = FrameSocket.Arrival.more
        while arrival == .more {
            arrival = asker.socket.receive(with: &buffer)
            do {
                while let received = try asker.socket.next() {
                    switch try ControlMessage(received.frame) {
                    case .reload: commands.append((.reload, asker))
                    case .upgrade: commands.append((.upgrade, asker))
                    case .reopen: commands.append((.reopen, asker))
                    case .log(let levels): commands.append((.log(levels), asker))
                    case .takeOver:
                        answer(.running(processID: UInt32(clamping: CurrentProcess.processID)), to: asker, in: poller)
                    case .done, .refused, .running: break
                    }
                }
            } catch {
                logger.warning("an unknown command came", metadata: ["fault": "\(error)"])
                answer(.refused(lines: "this version does not know the command"), to: asker, in: poller)
            }
        }
        if arrival == .end { forget(asker, in: poller) } else { watch(asker, in: poller) }
        return commands
    }

    /// Tells somebody what came of the command. Does nothing when nobody waits for it any more.
    func answer(_ message: ControlMessage, to asker: Asker, in poller: borrowing Poller) {
        guard askers.contains(where: { $0 === asker }), let frame = writer.frame(message) else { return }
        asker.socket.send(frame)
        watch(asker, in: poller)
    }

    /// Goes on with somebody who has asked the program before this one.
    func adopt(_ descriptor: consuming Descriptor, in poller: borrowing Poller) -> Asker {
        add(descriptor, in: poller)
    }

    /// The descriptor of somebody's connection.
    func number(of asker: Asker) -> Int32 { asker.socket.number }

    /// Stops taking commands, for good.
    ///
    /// - Parameter removesPath: whether no worker is left for another supervisor to find.
    func close(removesPath: Bool, in poller: borrowing Poller) {
        for asker in askers { asker.socket.unwatch(in: poller) }
        askers = []
        if removesPath { listener.listener.removePath() }
    }

    private func accept(in poller: borrowing Poller) {
        while askers.count < Self.mostAskers {
            switch listener.listener.accept() {
            case .accepted(let stream, _): _ = add(stream.releaseDescriptor(), in: poller)
            case .wouldBlock: return
            // It is tried again when somebody gives up.
            case .descriptorsExhausted: return
            case .failed(let error):
                logger.error("accepting a command failed", metadata: ["error": "\(error)"])
                return
            }
        }
        // Whoever has waited longest without saying anything makes room.
        if let first = askers.first { forget(first, in: poller) }
    }

    private func add(_ descriptor: consuming Descriptor, in poller: borrowing Poller) -> Asker {
        let asker = Asker(FrameSocket(descriptor, bound: Self.longestCommand), token: nextToken)
        nextToken += 1
        askers.append(asker)
        watch(asker, in: poller)
        return asker
    }

    private func watch(_ asker: Asker, in poller: borrowing Poller) {
        do throws(SystemError) {
            try asker.socket.watch(as: asker.token, in: poller)
        } catch {
            logger.error("watching whoever gives a command failed", metadata: ["error": "\(error)"])
            askers.removeAll { $0 === asker }
        }
    }

    private func forget(_ asker: Asker, in poller: borrowing Poller) {
        asker.socket.unwatch(in: poller)
        askers.removeAll { $0 === asker }
    }

    /// Above all tags of workers, and of the processes that look up names.
    private static let listenerToken: UInt64 = 1 << 40
    /// How many may be connected at once.
    private static let mostAskers = 16
    /// The longest command, in bytes.
    private static let longestCommand = 4_096
}
