import Primitives
import Reactor

/// One resolver process with the question it works on, if any. It has at most one question at a time, and may be
/// started again after it ended.
final class ResolverChild {
    /// The meaning of an event of the process.
    enum Happening: Equatable {
        case nothing
        /// The answer to its question has come; the process is idle now.
        case replied(ResolverReply)
        /// The process is useless, with the reason; the caller has to end it.
        case broken(String)
    }

    /// The token under which its socket is registered.
    let token: UInt64
    /// The question it works on and since when; nil while it is idle.
    private(set) var work: (question: ResolverQuestion, since: MonotonicInstant)?
    private var socket: StreamSocket?
    private var process: ChildProcess?
    private var reader = ResolverFrameReader()
    /// The bytes of the question that the socket has not taken.
    private var unsent: [UInt8] = []

    init(token: UInt64) {
        self.token = token
    }

    deinit {
        // Closing the socket ends the process; the signal is for a process that is stuck in a look-up.
        switch process {
        case .some(let process): process.end()
        case .none: break
        }
    }

    /// Whether a process runs, as far as is known.
    var isRunning: Bool { socket != nil }

    /// The number of the process; nil when none runs.
    var processID: Int32? {
        switch process {
        case .some(let process): process.processID
        case .none: nil
        }
    }

    /// Starts the process.
    ///
    /// - Throws: no socket or no process could be made.
    func start(_ executable: String, _ arguments: [String], _ poller: borrowing Poller) throws(SystemError) {
        let pair = try Descriptor.socketPair()
        // Blocking is a property of the open socket, not of a process, and the child wants to block.
        try pair.second.setBlocking(true)
        var socket = StreamSocket(pair.first)
        try socket.watch(for: .readable, as: token, in: poller)
        process = try ChildProcess(executable: executable, arguments: arguments, sharing: pair.second)
        self.socket = consume socket
    }

    /// Gives the idle process a question.
    func work(on question: ResolverQuestion, now: MonotonicInstant, poller: borrowing Poller) {
        unsent = []
        ResolverFrames.append(question, to: &unsent)
        work = (question, now)
        send(poller)
    }

    /// Sends the rest of the question when there may be room. One question always fits the socket, but the kernel may
    /// be short of memory for it. If the process died, its next event shows that and answers this question too.
    func send(_ poller: borrowing Poller) {
        guard !unsent.isEmpty else { return }
        if case .wrote(let count)? = socket?.write(unsent) { unsent.removeFirst(count) }
        do throws(SystemError) {
            try socket?.watch(for: unsent.isEmpty ? .readable : [.readable, .writable], as: token, in: poller)
        } catch {
            // No event will report room, so the question ends when its patience is over.
        }
    }

    /// Reads what has come. Repeat until `.nothing`.
    func read(with buffer: inout ReadBuffer) -> Happening {
        while let result = socket?.read(into: &buffer) {
            switch result {
            case .wouldBlock:
                return .nothing
            case .bytes:
                var replies: [ResolverReply] = []
                guard collect(buffer, into: &replies) else { return .broken("the resolver process sent nonsense") }
                guard let reply = replies.first else { continue }
                // With one question at a time there is one answer at a time.
                guard replies.count == 1, let question = work?.question, question.fits(reply) else {
                    return .broken("the resolver process sent nonsense")
                }
                work = nil
                return .replied(reply)
            case .end, .failed:
                return .broken("the resolver process ended")
            }
        }
        return .nothing
    }

    /// Ends the process. The caller takes its question first.
    func end() {
        socket = nil
        process?.end()
        process = nil
        reader = ResolverFrameReader()
        unsent = []
        work = nil
    }

    private func collect(_ buffer: borrowing ReadBuffer, into replies: inout [ResolverReply]) -> Bool {
        var reader = self.reader
        var received: [ResolverReply] = []
        var isSound = true
        buffer.withBytes { bytes in
            do throws(ResolverFrameReader.FrameTooLong) {
                try reader.receive(bytes) { payload in
                    if let reply = ResolverFrames.reply(payload) { received.append(reply) } else { isSound = false }
                }
            } catch {
                isSound = false
            }
        }
        self.reader = reader
        replies = received
        return isSound
    }
}

extension ResolverQuestion {
    /// Whether a reply can belong to this question.
    fileprivate func fits(_ reply: ResolverReply) -> Bool {
        guard id == reply.id else { return false }
        return switch (query, reply.finding.outcome) {
        case (.addresses, .addresses), (.services, .services), (_, .failure): true
        case (.addresses, .services), (.services, .addresses): false
        }
    }
}
