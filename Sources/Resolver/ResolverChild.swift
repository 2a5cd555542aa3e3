import Primitives
import Reactor

/// One resolver process with the question it works on, if any. It has at most one question at a time, and may be
/// started again after it ended. It is either this process's own child, or one of the supervisor's that works for other
/// workers as well (`SharedResolver`).
final class ResolverChild {
    /// The meaning of an event of the process.
    enum Happening: Equatable {
        /// The answer to its question has come; the process is idle now.
        case replied(ResolverReply)
        /// It works for another worker; this question, if any, is not being answered.
        case taken(ResolverQuestion?)
        /// It can be given a question again.
        case freed
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
    /// The tag of the supervisor's process; nil for a child of this one.
    private(set) var tag: UInt32?
    /// Whether it works for another worker, or may do so.
    private var isTaken = false
    /// The question that was given up, and on which it still works.
    private var late: UInt64?

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

    /// Whether it can be given a question.
    var isIdle: Bool { socket != nil && work == nil && !isTaken && late == nil }

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

    /// Uses a process of the supervisor's over a new connection, which it may not know yet.
    ///
    /// - Throws: the connection cannot be watched.
    func connect(_ descriptor: consuming Descriptor, tag: UInt32, _ poller: borrowing Poller) throws(SystemError) {
        var socket = StreamSocket(descriptor)
        try socket.watch(for: .readable, as: token, in: poller)
        self.socket = consume socket
        self.tag = tag
        isTaken = true
    }

    /// Gives the idle process a question.
    func work(on question: ResolverQuestion, now: MonotonicInstant, poller: borrowing Poller) {
        ResolverFrames.append(question, to: &unsent)
        work = (question, now)
        send(poller)
    }

    /// Lets the process, which is not this one's to end, work on without a use for the reply.
    func giveUp() {
        late = work?.question.id
        work = nil
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

    /// Reads what has come.
    func read(with buffer: inout ReadBuffer, _ poller: borrowing Poller) -> [Happening] {
        while let result = socket?.read(into: &buffer) {
            switch result {
            case .wouldBlock:
                return []
            case .bytes:
                var arrivals: [Arrival] = []
                guard collect(buffer, into: &arrivals) else { return [Self.nonsense] }
                guard !arrivals.isEmpty else { continue }
                return happenings(arrivals, poller)
            case .end, .failed:
                return [.broken("the resolver process ended")]
            }
        }
        return []
    }

    private func happenings(_ arrivals: [Arrival], _ poller: borrowing Poller) -> [Happening] {
        // With one question at a time there is one answer at a time.
        guard arrivals.count(where: \.isReply) <= 1 else { return [Self.nonsense] }
        var happenings: [Happening] = []
        for arrival in arrivals {
            switch arrival {
            case .reply(let reply) where reply.id == late:
                late = nil
                happenings.append(.freed)
            case .reply(let reply):
                guard let question = work?.question, question.fits(reply) else { return happenings + [Self.nonsense] }
                work = nil
                happenings.append(.replied(reply))
            case .word(.busy) where tag != nil:
                happenings.append(.taken(work?.question))
                work = nil
                late = nil
                isTaken = true
                ResolverFrames.append(.noted, to: &unsent)
                send(poller)
            case .word(.free) where tag != nil:
                isTaken = false
                happenings.append(.freed)
            case .word:
                return happenings + [Self.nonsense]
            }
        }
        return happenings
    }

    private static let nonsense = Happening.broken("the resolver process sent nonsense")

    private enum Arrival {
        case reply(ResolverReply)
        case word(ResolverWord)

        var isReply: Bool { if case .reply = self { true } else { false } }
    }

    /// Ends the process, or the connection to that of the supervisor. The caller takes its question first.
    func end() {
        socket = nil
        tag = nil
        isTaken = false
        late = nil
        process?.end()
        process = nil
        reader = ResolverFrameReader()
        unsent = []
        work = nil
    }

    private func collect(_ buffer: borrowing ReadBuffer, into arrivals: inout [Arrival]) -> Bool {
        var reader = self.reader
        var received: [Arrival] = []
        var isSound = true
        buffer.withBytes { bytes in
            do throws(ResolverFrameReader.FrameTooLong) {
                try reader.receive(bytes) { payload in
                    if let word = ResolverFrames.word(payload) {
                        received.append(.word(word))
                    } else if let reply = ResolverFrames.reply(payload) {
                        received.append(.reply(reply))
                    } else {
                        isSound = false
                    }
                }
            } catch {
                isSound = false
            }
        }
        self.reader = reader
        arrivals = received
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
