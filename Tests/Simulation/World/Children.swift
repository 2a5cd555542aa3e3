import CSimulatedCalls
import Glibc

/// The processes that the worker starts. Each has one end of a socket pair, and lives until it ends or is killed.
final class Children {
    /// One process, until the worker has collected it.
    final class Process {
        let number: Int32
        let wire: Wire
        /// As waitpid reports it; nil while the process runs.
        fileprivate(set) var status: Int32?
        /// Nil for a process that the supervisor has started.
        fileprivate let parent: SimulatedProcess?
        /// Whether the supervisor has started it, so that no worker can end it.
        var isShared: Bool { parent == nil }

        fileprivate init(_ number: Int32, of parent: SimulatedProcess?, _ wire: Wire) {
            self.number = number
            self.parent = parent
            self.wire = wire
        }

        /// Ends the process: its end of the pair is closed.
        func end(status: Int32) {
            guard self.status == nil else { return }
            self.status = status
            wire.close()
        }
    }

    private var processes: [Process] = []
    private var nextNumber = Int32(simulated_first_process)
    /// The program of a process.
    var program: (Process) -> Void = { $0.end(status: 0) }
    /// The errno with which no process can be started now; nil when one can.
    var refusal: () -> Int32? = { nil }
    /// Called when no descriptor was free for a socket pair.
    var wasShort: () -> Void = {}

    /// The number of running processes.
    var running: Int { processes.count { $0.status == nil } }
    /// The number of processes that the worker has not collected, running ones included.
    var known: Int { processes.count }

    /// The number of running processes that a process has started.
    func running(of parent: SimulatedProcess) -> Int { processes.count { $0.status == nil && $0.parent === parent } }

    /// Gives up the processes of a dead one: they notice the end of their socket, and the machine collects them.
    func orphan(_ parent: SimulatedProcess) { processes.removeAll { $0.parent === parent } }

    fileprivate func spawn(_ socket: SharedEnd, by parent: SimulatedProcess) -> Int32 {
        socket.isShared = true
        let process = Process(nextNumber, of: parent, Wire(socket.end))
        nextNumber += 1
        processes.append(process)
        program(process)
        return process.number
    }

    /// A process that the supervisor has started, and the end of its connection to a worker.
    func share(_ kernel: Kernel) -> (process: Process, end: KernelObject) {
        let (first, second) = localPair(kernel)
        let process = Process(0, of: nil, Wire(second))
        program(process)
        return (process, first)
    }

    fileprivate func kill(_ number: Int32, _ signal: Int32) -> Bool {
        guard let process = processes.first(where: { $0.number == number }) else { return false }
        process.end(status: signal)
        return true
    }

    fileprivate func collect(_ number: Int32, waits: Bool) -> Int32? {
        guard let index = processes.firstIndex(where: { $0.number == number }) else { return nil }
        guard let status = processes[index].status else {
            guard !waits else { fatalError("the worker waits for a process that nobody has told to end") }
            return nil
        }
        processes.remove(at: index)
        return status
    }
}

/// A child's end of a socket pair: the worker closes its own descriptor of it.
private final class SharedEnd: KernelObject {
    let end: SocketEnd
    var isShared = false

    init(_ end: SocketEnd) { self.end = end }

    override func close() {
        if !isShared { end.close() }
    }
}

// MARK: The calls of processes.c

private var kernel: Kernel {
    guard let kernel = Kernel.current else { fatalError("a call of the model outside of a world") }
    return kernel
}

private enum Number: UInt64 {
    case pair = 64, spawn, kill, collect
}

/// Two ends of a connection on this machine.
private func localPair(_ kernel: Kernel) -> (SocketEnd, SocketEnd) {
    let link = LinkKind(delay: .microseconds(5)...(.microseconds(60)))
    let there = Pipe(sendCapacity: 65_536, receiveCapacity: 65_536)
    let back = Pipe(sendCapacity: 65_536, receiveCapacity: 65_536)
    func end(_ inbox: Pipe, _ outbox: Pipe) -> SocketEnd {
        SocketEnd(kernel, state: .connected, inbox: inbox, outbox: outbox, link: link, peerAddress: 0, peerPort: 0)
    }
    let (first, second) = (end(back, there), end(there, back))
    SocketEnd.join(first, second)
    return (first, second)
}

@_cdecl("simulated_socketpair")
func simulatedSocketPair(_ descriptors: UnsafeMutablePointer<Int32>) -> Int {
    let (first, second) = localPair(kernel)
    guard let descriptor = kernel.open(first) else {
        kernel.children.wasShort()
        return -Int(EMFILE)
    }
    guard let other = kernel.open(SharedEnd(second)) else {
        kernel.children.wasShort()
        _ = kernel.close(descriptor)
        return -Int(EMFILE)
    }
    (descriptors[0], descriptors[1]) = (descriptor, other)
    kernel.count(Number.pair.rawValue, Int(descriptor), Int(other))
    return 0
}

@_cdecl("simulated_spawn")
func simulatedSpawn(_ shared: Int32, _ process: UnsafeMutablePointer<Int32>) -> Int {
    guard let socket = kernel.object(shared) as? SharedEnd else { return -Int(EBADF) }
    if let code = kernel.children.refusal() { return -Int(code) }
    process.pointee = kernel.children.spawn(socket, by: kernel.process)
    kernel.count(Number.spawn.rawValue, Int(shared), Int(process.pointee))
    return 0
}

@_cdecl("simulated_kill")
func simulatedKill(_ process: Int32, _ signal: Int32) -> Int {
    kernel.count(Number.kill.rawValue, Int(process), Int(signal))
    return kernel.children.kill(process, signal) ? 0 : -Int(ESRCH)
}

@_cdecl("simulated_collect")
func simulatedCollect(_ process: Int32, _ waits: Int32, _ status: UnsafeMutablePointer<Int32>) -> Int {
    kernel.count(Number.collect.rawValue, Int(process), Int(waits))
    guard let ended = kernel.children.collect(process, waits: waits != 0) else { return 0 }
    status.pointee = ended
    return Int(process)
}
