import ProcessLinks
import Reactor

/// A process of this program with the connection to it: a child of this process, or one that an earlier supervisor has
/// started.
class LinkedProcess {
    let socket: FrameSocket
    private var process: ChildProcess
    /// Whether it is no child of this process. The end of the connection is its end then.
    let isAdopted: Bool
    /// Whether it can no longer be told anything.
    var isDeaf = false

    /// Takes over a process and the connection to it.
    init(_ process: consuming ChildProcess, _ socket: FrameSocket, isAdopted: Bool) {
        self.process = process
        self.socket = socket
        self.isAdopted = isAdopted
    }

    /// Starts this program, or the one at another path, with these arguments.
    ///
    /// - Throws: there is no such program, or descriptors or processes have run out.
    init(executable: String = ChildProcess.ownExecutable, arguments: [String]) throws(SystemError) {
        let pair = try Descriptor.socketPair()
        process = try ChildProcess(executable: executable, arguments: arguments, sharing: pair.second)
        socket = FrameSocket(pair.first)
        isAdopted = false
    }

    var processID: Int32 { process.processID }

    /// How the process has ended; nil while it runs, and for one that was adopted.
    func reap() -> ChildExit? { process.reap() }

    func send(_ signal: Signal) {
        // While its connection is open, no other process has the number of one that was adopted.
        if !isAdopted || !isDeaf { process.send(signal) }
    }

    /// Ends the process at once, and waits for the end of a child.
    func end() {
        send(.kill)
        // Nobody needs to know how it ended.
        _ = process.waitUntilEnded()
    }
}

extension ChildExit {
    /// The end in words for a log line: `signal 9`.
    var words: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let number): "signal \(number)"
        }
    }
}
