/// A worker's end of the resolver process: starts it when first needed and again after it died.
///
/// It registers itself with the worker's `Poller` under the token it was given; the worker passes every event with that
/// token to `handle`. An `ask` that returns nil is answered by exactly one later `handle`.
package struct ResolverLink: ~Copyable {
    /// Questions that may be open at once; one more is refused. Names are asked once, whoever wants them.
    package static let maximumOpenQuestions = 1_024

    private struct Name: Hashable {
        let host: String
        let port: UInt16
    }

    private struct OpenQuestion {
        let name: Name
        var askers: [UInt64]
    }

    private let executable: String
    private let arguments: [String]
    private let token: UInt64
    private var socket: StreamSocket?
    private var child: ChildProcess?
    private var reader = ResolverFrameReader()
    private var buffer = ReadBuffer(capacity: 4_096)
    private var unsent: [UInt8] = []
    private var open: [UInt64: OpenQuestion] = [:]
    private var questionByName: [Name: UInt64] = [:]
    private var nextQuestion: UInt64 = 0
    private var watched: Interest = .readable

    /// How often the process was started.
    package private(set) var starts = 0

    /// Starts nothing yet.
    ///
    /// - Parameters: `executable` and `arguments` (program name first) of a process that calls
    ///   `ResolverServer.serve` with descriptor `ChildProcess.inheritedDescriptor`; `token` for the poller.
    package init(executable: String = ChildProcess.ownExecutable, arguments: [String], token: UInt64) {
        self.executable = executable
        self.arguments = arguments
        self.token = token
    }

    deinit {
        // Closing the socket ends the child by itself; the signal is for one that is stuck in a look-up.
        switch child {
        case .some(let child): child.end()
        case .none: break
        }
    }

    /// The process number of the child, nil when none runs.
    package var processID: Int32? {
        switch child {
        case .some(let child): child.processID
        case .none: nil
        }
    }

    /// Asks for the addresses of `host`.
    ///
    /// - Parameter id: names the asker in the answer; need not be unique.
    /// - Returns: the answer if it is known at once: a numeric host, a name that cannot be one, too many open questions,
    ///   or no process to ask. Otherwise nil, and `handle` returns it later.
    package mutating func ask(
        id: UInt64, host: String, port: UInt16, poller: borrowing Poller
    ) -> ResolverAnswer? {
        if let address = SocketAddress(numericHost: host, port: port) {
            return ResolverAnswer(id: id, outcome: .addresses([address]))
        }
        guard (1...ResolverFrames.maximumHostLength).contains(host.utf8.count), !host.utf8.contains(0) else {
            return ResolverAnswer(id: id, outcome: .failure("not a host name", isTemporary: false))
        }
        let name = Name(host: host, port: port)
        if let question = questionByName[name] {
            open[question]?.askers.append(id)
            return nil
        }
        guard open.count < Self.maximumOpenQuestions else {
            return ResolverAnswer(id: id, outcome: .failure("too many names to resolve", isTemporary: true))
        }
        do throws(SystemError) {
            if socket == nil { try start(poller) }
        } catch {
            return ResolverAnswer(id: id, outcome: .failure("no resolver process: \(error)", isTemporary: true))
        }
        let question = nextQuestion
        nextQuestion &+= 1
        open[question] = OpenQuestion(name: name, askers: [id])
        questionByName[name] = question
        ResolverFrames.append(ResolverQuestion(id: question, host: host, port: port), to: &unsent)
        // A socket that breaks here is noticed by the next event, which answers this question too.
        flush(poller)
        return nil
    }

    /// Takes an event with this link's token.
    ///
    /// - Returns: the answers that have come; after the process died, a temporary failure for every open question.
    package mutating func handle(_ event: PollEvent, poller: borrowing Poller) -> [ResolverAnswer] {
        if event.isWritable { flush(poller) }
        guard event.isReadable || event.isHangup || event.isPeerClosed else { return [] }
        var answers: [ResolverAnswer] = []
        while let result = socket?.read(into: &buffer) {
            switch result {
            case .wouldBlock:
                return answers
            case .bytes:
                guard let received = decode() else {
                    answers += failAll("the resolver process sent nonsense")
                    return answers
                }
                for answer in received { answers += close(answer) }
            case .end, .failed:
                answers += failAll("the resolver process ended")
                return answers
            }
        }
        return answers
    }

    private mutating func decode() -> [ResolverAnswer]? {
        var reader = self.reader
        var received: [ResolverAnswer] = []
        var isSound = true
        buffer.withBytes { bytes in
            do throws(ResolverFrameReader.FrameTooLong) {
                try reader.receive(bytes) { payload in
                    if let answer = ResolverFrames.answer(payload) { received.append(answer) } else { isSound = false }
                }
            } catch {
                isSound = false
            }
        }
        self.reader = reader
        return isSound ? received : nil
    }

    private mutating func close(_ answer: ResolverAnswer) -> [ResolverAnswer] {
        guard let question = open.removeValue(forKey: answer.id) else { return [] }
        questionByName[question.name] = nil
        return question.askers.map { ResolverAnswer(id: $0, outcome: answer.outcome) }
    }

    private mutating func failAll(_ reason: String) -> [ResolverAnswer] {
        socket = nil
        child?.end()
        child = nil
        reader = ResolverFrameReader()
        unsent = []
        let questions = open.keys.sorted()
        return questions.flatMap {
            close(ResolverAnswer(id: $0, outcome: .failure(reason, isTemporary: true)))
        }
    }

    private mutating func start(_ poller: borrowing Poller) throws(SystemError) {
        let pair = try Descriptor.socketPair()
        // Blocking belongs to the open socket, not to a process, and the child wants to block.
        try pair.second.setBlocking(true)
        try poller.register(pair.first, token: token, interest: .readable)
        child = try ChildProcess(executable: executable, arguments: arguments, sharing: pair.second)
        starts += 1
        socket = StreamSocket(pair.first)
        watched = .readable
    }

    private mutating func flush(_ poller: borrowing Poller) {
        guard !unsent.isEmpty, let result = socket?.write(unsent) else { return }
        if case .wrote(let count) = result { unsent.removeFirst(count) }
        let interest: Interest = unsent.isEmpty ? .readable : [.readable, .writable]
        guard interest != watched else { return }
        watched = interest
        // Fails only for a descriptor that is not registered, which start() has made sure of.
        try? socket?.watch(by: poller, token: token, interest: interest)
    }
}

extension StreamSocket {
    fileprivate func watch(by poller: borrowing Poller, token: UInt64, interest: Interest) throws(SystemError) {
        try poller.modify(descriptor, token: token, interest: interest)
    }
}
