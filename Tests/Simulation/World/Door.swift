import CLinux
import Glibc

/// A socket that listens, or does nothing yet.
final class Door: KernelObject {
    private unowned let kernel: Kernel
    fileprivate(set) var port: UInt16 = 0
    /// The argument of listen(2); nil when the socket does not listen.
    fileprivate(set) var backlog: Int?
    fileprivate var waiting: [SocketEnd] = []
    var sharesAddress = false

    init(_ kernel: Kernel) { self.kernel = kernel }

    var isListening: Bool { backlog != nil }

    override var events: UInt32 {
        guard isListening else { return EPOLLOUT.rawValue | EPOLLHUP.rawValue }
        return waiting.isEmpty ? 0 : EPOLLIN.rawValue
    }

    override func receive(into target: UnsafeMutableRawBufferPointer) -> Int { -Int(ENOTCONN) }
    override func send(_ bytes: UnsafeRawBufferPointer) -> Int { -Int(EPIPE) }
    override func shutDown() -> Int { isListening ? 0 : -Int(ENOTCONN) }

    override func close() {
        backlog = nil
        for end in waiting {
            end.resetsOnClose = true
            end.close()
        }
        waiting = []
        kernel.doors.removeAll { $0 === self }
    }

    /// One more may wait than the argument of listen(2).
    fileprivate var hasRoom: Bool { backlog.map { waiting.count <= min($0, kernel.longestBacklog) } ?? false }
}

extension Kernel {
    func bind(_ door: Door, to wanted: UInt16) -> Int {
        guard door.port == 0, !door.isListening else { return -Int(EINVAL) }
        var port = wanted
        if port == 0 {
            port = nextPort
            nextPort += 1
        }
        guard doors(on: port).allSatisfy({ $0.sharesAddress && door.sharesAddress && !$0.isListening }) else {
            return -Int(EADDRINUSE)
        }
        door.port = port
        doors.append(door)
        return 0
    }

    func listen(on door: Door, backlog: Int) -> Int {
        if door.port == 0 { _ = bind(door, to: 0) }
        guard doors(on: door.port).allSatisfy({ $0 === door || !$0.isListening }) else { return -Int(EADDRINUSE) }
        door.backlog = backlog
        poke(door)
        return 0
    }

    private func doors(on port: UInt16) -> some Sequence<Door> { doors.lazy.filter { $0.port == port } }

    private func listener(on port: UInt16) -> Door? { doors.first { $0.port == port && $0.isListening } }

    /// Accepts the connection that has waited longest, and gives it a descriptor.
    func accept(from door: Door) -> (result: Int, end: SocketEnd?) {
        guard door.isListening else { return (-Int(EINVAL), nil) }
        guard let end = door.waiting.first else { return (-Int(EAGAIN), nil) }
        if let code = faults.take(.accept) {
            hasRefusedToAccept = true
            return (-Int(code), nil)
        }
        guard let descriptor = open(end) else {
            hasRefusedToAccept = true
            return (-Int(EMFILE), nil)
        }
        door.waiting.removeFirst()
        noteProgress()
        return (Int(descriptor), end)
    }

    // MARK: Connections

    /// Connects an inhabitant to a port of the worker. The end belongs to the inhabitant, for whom it is connected at
    /// once.
    func connect(
        to port: UInt16, from address: UInt32, _ sourcePort: UInt16, link: LinkKind
    ) -> SocketEnd {
        let there = Pipe(sendCapacity: link.buffer, receiveCapacity: link.buffer)
        let back = Pipe(sendCapacity: link.workerBuffer, receiveCapacity: link.buffer)
        let mine = SocketEnd(
            self, state: .connected, inbox: back, outbox: there, link: link, peerAddress: 0x0A00_0001, peerPort: port)
        let its = SocketEnd(
            self, state: .connected, inbox: there, outbox: back, link: link, peerAddress: address,
            peerPort: sourcePort)
        SocketEnd.join(mine, its)
        after(chance.time(link.delay)) { [weak self] in self?.knock(at: port, mine, its, again: .seconds(1)) }
        return mine
    }

    /// Delivers a connection to a port. Without room to wait it gets no answer, and is tried again after a while, then
    /// after twice as long.
    private func knock(at port: UInt16, _ mine: SocketEnd, _ its: SocketEnd, again: Duration) {
        guard let door = listener(on: port) else {
            mine.fail(ECONNREFUSED)
            return
        }
        guard door.hasRoom else {
            after(again) { [weak self, weak mine] in
                guard let self, let mine else { return }
                if again > .seconds(64) { mine.fail(ETIMEDOUT) } else { knock(at: port, mine, its, again: again * 2) }
            }
            return
        }
        if mine.state == .connecting {
            guard !mine.isClosed else { return }
            mine.isConnected()
        }
        door.waiting.append(its)
        noteProgress()
        poke(door)
    }

    /// Turns a socket into a connection.
    func connect(_ door: Door, to port: UInt16) -> Int {
        guard !door.isListening else { return -Int(EISCONN) }
        let service = services[port]
        let outcome = service?(self)
        if case .failed(let code) = outcome { return -Int(code) }
        let kind = service == nil ? loopback : serviceLinks[port] ?? LinkKind()
        let there = Pipe(sendCapacity: kind.workerBuffer, receiveCapacity: kind.buffer)
        let back = Pipe(sendCapacity: kind.buffer, receiveCapacity: kind.workerBuffer)
        let mine = SocketEnd(
            self, state: .connecting, inbox: back, outbox: there, link: kind, peerAddress: 0x0A00_0002, peerPort: port)
        let its = SocketEnd(
            self, state: .connected, inbox: there, outbox: back, link: kind, peerAddress: 0x0A00_0001,
            peerPort: 40_000)
        replace(door.descriptor, with: mine)
        doors.removeAll { $0 === door }
        switch outcome {
        case .accepted(let time, let take):
            SocketEnd.join(mine, its)
            after(time) { [weak mine] in
                guard let mine, !mine.isClosed else { return }
                mine.isConnected()
                take(its)
            }
        case .refused(let time):
            after(time) { [weak mine] in mine?.fail(ECONNREFUSED) }
        case .silent:
            // The kernel's own patience with an unanswered connection.
            after(.seconds(130)) { [weak mine] in
                if mine?.state == .connecting { mine?.fail(ETIMEDOUT) }
            }
        case .failed: break
        case nil:
            SocketEnd.join(mine, its)
            after(chance.time(kind.delay)) { [weak self] in self?.knock(at: port, mine, its, again: .seconds(1)) }
        }
        return -Int(EINPROGRESS)
    }
}
