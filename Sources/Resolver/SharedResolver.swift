import Primitives
import Reactor

/// A resolver process of several workers: it answers one question at a time, and connections take turns.
///
/// The parent passes connections over the control socket, each with one byte. A worker that finds a process at work must
/// not wait behind a name that takes long, so before each look-up all others are told `busy`. What they have asked is void
/// then, and theirs to ask elsewhere, until they have answered `noted`. After that they are told `free`. So a question is
/// either being answered or void, and at most one word is on its way to a worker that reads nothing.
///
/// The process ends when its parent has ended and no worker is left, so workers can go on without a supervisor.
final class SharedResolver {
    private var poller: Poller
    private var control: DescriptorSocket
    private var hasControl = true
    /// The connection that was served last is the last one.
    private var connections: [ResolverConnection] = []
    private var nextToken = SharedResolver.controlToken + 1
    private var buffer = ReadBuffer(capacity: 4_096)
    private let answer: (ResolverQuery) -> ResolverFinding

    private static let controlToken: UInt64 = 0

    /// - Parameters:
    ///   - control: one end of `Descriptor.socketPair()`.
    ///   - answer: looks a name up, however long that takes.
    /// - Throws: descriptors have run out.
    init(_ control: consuming Descriptor, answer: @escaping (ResolverQuery) -> ResolverFinding) throws(SystemError) {
        poller = try Poller(capacity: 64)
        self.control = DescriptorSocket(control)
        self.answer = answer
        try self.control.watch(for: .readable, as: Self.controlToken, in: poller)
    }

    /// How many connections there are.
    var connectionCount: Int { connections.count }

    /// Waits for something to do as long as `timeout` says, and answers one question if there is any.
    ///
    /// - Returns: false when nobody can ask any more.
    func turn(timeout: Duration?) -> Bool {
        let isAsked = connections.contains { $0.question != nil }
        guard listen(timeout: isAsked ? .zero : timeout) else { return false }
        if let first = connections.first(where: { $0.question != nil }) { serve(first) }
        return hasControl || !connections.isEmpty
    }

    private func serve(_ connection: ResolverConnection) {
        guard let question = connection.takeQuestion() else { return }
        for other in connections where other !== connection { other.becomeBusy() }
        let finding = answer(question.query)
        // The others hear first that they may ask now, so that one worker with many names does not keep them away.
        _ = listen(timeout: .zero)
        connection.send(ResolverReply(id: question.id, finding: finding))
        connections.removeAll { $0 === connection || $0.isOver }
        if !connection.isOver { connections.append(connection) }
    }

    /// Reads all that has come.
    private func listen(timeout: Duration?) -> Bool {
        let count: Int
        do throws(SystemError) {
            count = try poller.wait(timeout: timeout)
        } catch {
            return false
        }
        for index in 0..<count {
            let token = poller[index].token
            if token == Self.controlToken {
                takeConnections()
            } else {
                connections.first { $0.token == token }?.receive(with: &buffer)
            }
        }
        connections.removeAll(where: \.isOver)
        return true
    }

    private func takeConnections() {
        while hasControl {
            var passed: [Passed] = []
            let result = control.receive(into: &buffer, passed: &passed)
            // The worker sees the end of one that was lost.
            for one in passed { if let descriptor = one.descriptor?.take() { add(descriptor) } }
            switch result {
            case .bytes: break
            case .wouldBlock: return
            case .end, .failed:
                hasControl = false
                control.unwatch(in: poller)
            }
        }
    }

    private func add(_ descriptor: consuming Descriptor) {
        do throws(SystemError) {
            let connection = try ResolverConnection(descriptor, token: nextToken, in: poller)
            nextToken += 1
            connections.append(connection)
        } catch {
            // The worker sees the end of the connection, and gets another one.
        }
    }
}

/// A connection of a shared resolver process to one worker.
private final class ResolverConnection {
    let token: UInt64
    private let socket: StreamSocket
    private var reader = ResolverFrameReader()
    /// What the worker has asked; at most one question at a time.
    private(set) var question: ResolverQuestion?
    /// Whether the worker was told `busy` and has not answered.
    private var awaitsNote = false
    /// Whether the worker has ended, or what it says makes no sense.
    private(set) var isOver = false

    /// A worker takes a new process for busy, because it may be at work and know nothing of the connection.
    init(_ descriptor: consuming Descriptor, token: UInt64, in poller: borrowing Poller) throws(SystemError) {
        var socket = StreamSocket(descriptor)
        try socket.watch(for: .readable, as: token, in: poller)
        self.socket = socket
        self.token = token
        send(.free)
    }

    func takeQuestion() -> ResolverQuestion? {
        defer { question = nil }
        return question
    }

    /// Reads once.
    func receive(with buffer: inout ReadBuffer) {
        guard !isOver else { return }
        switch socket.read(into: &buffer) {
        case .wouldBlock: return
        case .end, .failed: isOver = true
        case .bytes:
            var payloads: [[UInt8]] = []
            var reader = self.reader
            buffer.withBytes { bytes in
                do throws(ResolverFrameReader.FrameTooLong) {
                    try reader.receive(bytes) { payloads.append(Array($0)) }
                } catch {
                    isOver = true
                }
            }
            self.reader = reader
            for payload in payloads where !isOver { receive(payload[...]) }
        }
    }

    private func receive(_ payload: ArraySlice<UInt8>) {
        if let word = ResolverFrames.word(payload) {
            guard word == .noted, awaitsNote else {
                isOver = true
                return
            }
            awaitsNote = false
            // Words are read only between two look-ups.
            send(.free)
        } else if let asked = ResolverFrames.question(payload), question == nil {
            if !awaitsNote { question = asked }
        } else {
            isOver = true
        }
    }

    /// Tells the worker that another one is served now. What it has asked is void.
    func becomeBusy() {
        question = nil
        guard !awaitsNote else { return }
        awaitsNote = true
        send(.busy)
    }

    func send(_ reply: ResolverReply) {
        var bytes: [UInt8] = []
        ResolverFrames.append(reply, to: &bytes)
        send(bytes)
    }

    private func send(_ word: ResolverWord) {
        var bytes: [UInt8] = []
        ResolverFrames.append(word, to: &bytes)
        send(bytes)
    }

    /// A worker owes the reading of one reply and one word at most. If there is no room, the kernel is short of memory,
    /// and the worker sees an end.
    private func send(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count, !isOver {
            if case .wrote(let count) = socket.write(bytes, from: offset) { offset += count } else { isOver = true }
        }
    }
}
