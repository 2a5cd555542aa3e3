import Handover
import ProcessLinks
import Reactor
import Settings

/// Gives the running program a command.
enum ControlClient {
    /// What the program answers.
    ///
    /// - Throws: `AdminClient.Failure`, when nobody answers.
    static func ask(
        _ command: ControlMessage, at address: ListenAddress
    ) throws(AdminClient.Failure) -> ControlMessage {
        guard let place = SocketAddress(address.description) else {
            throw AdminClient.Failure(line: "'\(address)' is not an address")
        }
        do throws(SystemError) {
            return try exchange(command, with: connect(to: place), address)
        } catch {
            throw AdminClient.Failure(line: "nobody takes commands at \(address): \(error.reason)")
        }
    }

    private static func connect(to place: SocketAddress) throws(SystemError) -> FrameSocket {
        switch StreamSocket.connect(to: place) {
        case .failed(let error): throw error
        case .connected(let socket): FrameSocket(socket.releaseDescriptor())
        case .connecting(let socket): FrameSocket(socket.releaseDescriptor())
        }
    }

    /// Sends a command and waits for its answer, which for an upgrade comes from another program.
    private static func exchange(
        _ command: ControlMessage, with socket: FrameSocket, _ address: ListenAddress
    ) throws(SystemError) -> ControlMessage {
        guard let frame = FrameWriter(bound: FrameSocket.standardBound).frame(command) else { throw .timedOut }
        socket.send(frame)
        var poller = try Poller(capacity: 1)
        try socket.watch(as: 0, in: poller)
        var buffer = ReadBuffer()
        while true {
            guard try poller.wait(timeout: patience) > 0 else { throw SystemError.timedOut }
            let arrival = socket.receive(with: &buffer)
            do {
                if let received = try socket.next() { return try ControlMessage(received.frame) }
            } catch {
                return .refused(lines: "what takes commands at \(address) is not holdfast")
            }
            if arrival == .end {
                return .refused(lines: "the program at \(address) has ended without an answer: see its log")
            }
        }
    }

    /// How long workers may take to start.
    private static let patience = Duration.seconds(180)
}
