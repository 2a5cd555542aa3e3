import Handover
import Reactor

/// A listening socket that all workers get.
final class OpenListener: DescriptorOwner {
    let listener: Listener
    var number: Int32 { listener.descriptor.number }

    init(_ listener: consuming Listener) {
        self.listener = listener
    }
}

/// A page of shared memory: a worker's counters, which outlive it, or the receipts of two workers.
final class KeptPage: DescriptorOwner {
    let page: SharedPage
    var number: Int32 { page.descriptor.number }

    /// - Parameter count: how many words it has.
    init(count: Int = PageWord.count) throws(SystemError) {
        page = try SharedPage(count: count)
    }
}

/// One worker: its process, the connection to it, and its counter page.
final class WorkerProcess {
    let tag: UInt32
    let page: KeptPage
    let socket: FrameSocket
    private var process: ChildProcess
    /// Why it could not start, in its own words.
    var complaint: String?
    /// Whether it can no longer be told anything.
    var isDeaf = false

    /// Starts the process `holdfast worker`.
    ///
    /// - Throws: descriptors, memory or processes have run out.
    init(tag: UInt32) throws(SystemError) {
        self.tag = tag
        page = try KeptPage()
        let pair = try Descriptor.socketPair()
        process = try ChildProcess(arguments: ["holdfast", "worker"], sharing: pair.second)
        socket = FrameSocket(pair.first)
    }

    var processID: Int32 { process.processID }

    /// How the process has ended; nil while it runs.
    func reap() -> ChildExit? { process.reap() }

    func send(_ signal: Signal) { process.send(signal) }

    /// Ends the process at once and waits for its end.
    func end() {
        process.send(.kill)
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
