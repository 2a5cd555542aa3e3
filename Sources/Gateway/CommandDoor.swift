import Handover
import Primitives
import ProcessLinks
import Reactor
import Settings

/// Where a worker on its own takes commands: a Unix socket that only its user and root may use. With workers, the supervisor
/// takes the commands.
final class CommandDoor {
    private final class Door {
        let listener: Listener
        var watched = Watch()

        init(_ place: SocketAddress) throws(SystemError) {
            listener = try Listener(place, unixMode: 0o600)
        }
    }

    /// Somebody who has connected.
    private struct Asker {
        let socket: FrameSocket
        let token: Token
    }

    private let loop: Loop
    private let door: Door
    /// In the order of their coming.
    private var askers: [Asker] = []
    private var nextSlot: UInt32 = 1
    /// When this accepts again after accepting has failed; nil when it has not.
    private(set) var nextDeadline: MonotonicInstant?
    private let writer = FrameWriter(bound: FrameSocket.standardBound)

    private static let doorToken = Token(.control)

    /// Listens, and takes no commands yet.
    ///
    /// - Throws: `StartError`, when nobody can listen there.
    init(_ loop: Loop, at address: ListenAddress) throws(StartError) {
        self.loop = loop
        guard let place = SocketAddress(address.description) else {
            throw StartError("control: '\(address)' is not a path")
        }
        do throws(SystemError) {
            door = try Door(place)
        } catch {
            throw StartError("control: cannot listen on \(address): \(error.reason)")
        }
    }

    /// Takes commands from now on.
    func open() {
        nextDeadline = nil
        do throws(SystemError) {
            try door.watched.set(.readable, of: door.listener.descriptor, as: Self.doorToken.raw, in: loop.poller)
        } catch {
            loop.logs.admin.error("accepting a command failed", metadata: ["error": "\(error)"])
            pause()
        }
    }

    /// Takes commands again, when the time for that has come.
    func handleDeadline() {
        if let deadline = nextDeadline, deadline <= loop.now { open() }
    }

    /// Handles an event.
    ///
    /// - Parameter obey: carries out a command, and says what came of it; nil when it was none.
    func handle(_ token: Token, obey: (ControlMessage) -> ControlMessage?) {
        if token == Self.doorToken {
            accept()
            return
        }
        guard let asker = askers.first(where: { $0.token == token }) else { return }
        asker.socket.flush()
        let arrival = asker.socket.receive(with: &loop.readBuffer)
        do {
            while let received = try asker.socket.next() {
                if let answer = obey(try ControlMessage(received.frame)) { send(answer, to: asker) }
            }
        } catch {
            loop.logs.admin.warning("an unknown command came", metadata: ["fault": "\(error)"])
            send(.refused(lines: "this version does not know the command"), to: asker)
        }
        if arrival == .end { forget(asker) } else { watch(asker) }
    }

    /// Takes no commands any more, for good.
    func close() {
        nextDeadline = nil
        for asker in askers { asker.socket.unwatch(in: loop.poller) }
        askers = []
        door.watched.end(of: door.listener.descriptor, in: loop.poller)
        door.listener.removePath()
    }

    private func accept() {
        switch door.listener.accept() {
        case .accepted(let stream, _):
            // Whoever has waited longest without saying anything makes room.
            if askers.count == Self.mostAskers { forget(askers[0]) }
            let socket = FrameSocket(stream.releaseDescriptor(), bound: Self.longestCommand)
            let asker = Asker(socket: socket, token: Token(.control, slot: nextSlot))
            // The door itself has slot 0.
            nextSlot = nextSlot == .max ? 1 : nextSlot + 1
            askers.append(asker)
            watch(asker)
        case .wouldBlock: return
        case .descriptorsExhausted: pause()
        case .failed(let error):
            loop.logs.admin.error("accepting a command failed", metadata: ["error": "\(error)"])
            pause()
        }
    }

    /// Does not accept for a while: whoever waits would be reported in every turn.
    private func pause() {
        door.watched.end(of: door.listener.descriptor, in: loop.poller)
        nextDeadline = loop.now.advanced(by: Self.acceptingPause)
    }

    private func send(_ answer: ControlMessage, to asker: Asker) {
        if let frame = writer.frame(answer) { asker.socket.send(frame) }
    }

    private func watch(_ asker: Asker) {
        do throws(SystemError) {
            try asker.socket.watch(as: asker.token.raw, in: loop.poller)
        } catch {
            loop.logs.admin.error("whoever gives a command cannot be heard", metadata: ["error": "\(error)"])
            forget(asker)
        }
    }

    private func forget(_ asker: Asker) {
        asker.socket.unwatch(in: loop.poller)
        askers.removeAll { $0.token == asker.token }
    }

    /// How many may be connected at once.
    private static let mostAskers = 8
    /// The longest command, in bytes.
    private static let longestCommand = 4_096
    /// How long nothing is accepted after that has failed.
    private static let acceptingPause = Duration.milliseconds(500)
}
