import Handover
import ProcessLinks
import Reactor

/// What a program does that is tried before it takes the place of an earlier version.
package enum UpgradeProbe {
    /// The flag behind the arguments of the earlier version.
    package static let flag = Probe.flag

    /// Reads what it would take over, and tells the supervisor whether it could.
    ///
    /// - Parameters:
    ///   - link: the connection to the supervisor.
    ///   - faults: why this program could not use the configuration, one a line; nil when it could.
    package static func answer(over link: consuming Descriptor, version: String, faults: String?) {
        let socket = FrameSocket(link)
        let fault = faults ?? estateFault(of: socket)
        let message: ControlMessage = fault.map { .refused(lines: $0) } ?? .done(line: version)
        if let frame = FrameWriter(bound: FrameSocket.standardBound).frame(message) { socket.send(frame) }
    }

    /// Why this version could not go on with what the earlier one leaves; nil when it could.
    private static func estateFault(of socket: FrameSocket) -> String? {
        do {
            guard let memory = try receive(from: socket) else { return "nothing came that could be taken over" }
            _ = try Inheritance(in: memory, takesDescriptors: false)
            return nil
        } catch let error as SupervisorError {
            return error.line
        } catch {
            return "\(error)"
        }
    }

    private static func receive(from socket: FrameSocket) throws(SystemError) -> Descriptor? {
        var poller = try Poller(capacity: 1)
        try socket.watch(as: 0, in: poller)
        defer { socket.unwatch(in: poller) }
        var buffer = ReadBuffer()
        while try poller.wait(timeout: .seconds(10)) > 0 {
            if socket.receive(with: &buffer) == .end { return nil }
            if let passed = socket.nextDescriptor() { return passed.take() }
        }
        return nil
    }
}
