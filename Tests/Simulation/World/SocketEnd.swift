import CLinux
import Glibc

/// One end of a connection, as its kernel has it.
final class SocketEnd: KernelObject {
    enum State: Equatable {
        case connecting
        case connected
        /// It was never connected, or is no more.
        case broken
    }

    unowned let kernel: Kernel
    var state: State
    let inbox: Pipe
    let outbox: Pipe
    var peer: SocketEnd?
    /// What the next call is told, once.
    var error: Int32 = 0
    var hasShutDown = false
    var isClosed = false
    var resetsOnClose = false
    var keepsAlive = false
    /// How long a byte takes to the other end.
    var delay: ClosedRange<Duration>
    /// Pieces of this size arrive one by one; 0 for whole ones.
    var piece = 0
    /// Tells the inhabitant whose end this is that something has changed; nil for the worker's.
    var notify: (() -> Void)?
    let peerAddress: UInt32
    let peerPort: UInt16

    init(
        _ kernel: Kernel, state: State, inbox: Pipe, outbox: Pipe, delay: ClosedRange<Duration>,
        peerAddress: UInt32, peerPort: UInt16
    ) {
        self.kernel = kernel
        self.state = state
        self.inbox = inbox
        self.outbox = outbox
        self.delay = delay
        self.peerAddress = peerAddress
        self.peerPort = peerPort
    }

    static func join(_ one: SocketEnd, _ other: SocketEnd) {
        one.peer = other
        other.peer = one
        one.kernel.remember(one)
    }

    var hasEnded: Bool { inbox.hasEnded && inbox.unread == 0 }

    override var events: UInt32 {
        guard state != .connecting else { return 0 }
        var events: UInt32 = 0
        let isBroken = state == .broken
        if inbox.unread > 0 || inbox.hasEnded || isBroken { events |= EPOLLIN.rawValue }
        if isBroken || hasShutDown || outbox.isWritable { events |= EPOLLOUT.rawValue }
        if inbox.hasEnded || isBroken { events |= EPOLLRDHUP.rawValue }
        if isBroken || (inbox.hasEnded && hasShutDown) { events |= EPOLLHUP.rawValue }
        if error != 0 { events |= EPOLLERR.rawValue }
        return events
    }

    /// Something that its owner may want to know has changed.
    func changed() {
        if let notify { notify() } else { kernel.poke(self) }
    }

    // MARK: What the owner does

    func receive(into target: UnsafeMutableRawBufferPointer) -> Int {
        if inbox.unread > 0 {
            let count = inbox.read(into: target)
            // There is room again for what waited on its way.
            kernel.expect(self)
            return count
        }
        if error != 0 { return takeError() }
        if inbox.hasEnded || state == .broken { return 0 }
        return -Int(EAGAIN)
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        if error != 0 { return takeError() }
        guard state == .connected, !hasShutDown else { return -Int(state == .connecting ? EAGAIN : EPIPE) }
        guard outbox.isWritable else { return -Int(EAGAIN) }
        let count = min(bytes.count, outbox.room)
        guard count > 0 else { return -Int(EAGAIN) }
        transmit(Array(bytes.prefix(count))[...])
        return count
    }

    /// Puts bytes on their way, whatever room there is.
    func transmit(_ bytes: ArraySlice<UInt8>) {
        guard let peer, !peer.isClosed else {
            // Nobody is there: a reset comes back.
            kernel.after(kernel.chance.time(delay)) { [weak self] in self?.wasReset() }
            return
        }
        var rest = bytes
        var arrival = kernel.now + kernel.chance.time(delay)
        while !rest.isEmpty {
            let count = piece > 0 ? min(piece, rest.count) : rest.count
            outbox.send(rest.prefix(count), arrivingAt: arrival)
            rest = rest.dropFirst(count)
            if piece > 0 { arrival = arrival + kernel.chance.time(.microseconds(1)...(.microseconds(300))) }
        }
        kernel.expect(peer)
    }

    func shutDown() -> Int {
        guard state == .connected else { return -Int(ENOTCONN) }
        guard !hasShutDown else { return 0 }
        hasShutDown = true
        outbox.end(arrivingAt: kernel.now + kernel.chance.time(delay))
        if let peer { kernel.expect(peer) }
        changed()
        return 0
    }

    override func close() {
        guard !isClosed else { return }
        isClosed = true
        notify = nil
        guard let peer, state == .connected || state == .connecting else { return }
        let isReset = resetsOnClose || inbox.unread > 0
        state = .broken
        if isReset {
            kernel.after(kernel.chance.time(delay)) { [weak peer] in peer?.wasReset() }
        } else {
            if !hasShutDown { outbox.end(arrivingAt: kernel.now + kernel.chance.time(delay)) }
            hasShutDown = true
            kernel.expect(peer)
        }
    }

    // MARK: What befalls it

    /// The other end has reset the connection, or its machine does not know it.
    func wasReset() {
        guard !isClosed, state != .broken, !inbox.isDead else { return }
        fail(hasEnded || inbox.hasEnded ? EPIPE : ECONNRESET)
    }

    func fail(_ code: Int32) {
        guard !isClosed, state != .broken else { return }
        state = .broken
        error = code
        outbox.cut()
        kernel.noteProgress()
        changed()
    }

    /// A call fails. What says that the connection is broken has broken it; a want of memory has not.
    func failCall(_ code: Int32) -> Int {
        if code == ECONNRESET || code == ETIMEDOUT || code == EPIPE {
            fail(code)
            error = 0
            peer?.wasReset()
        }
        return -Int(code)
    }

    /// What is due arrives.
    func arrive() {
        if isClosed {
            // The receiver is gone: the sender's kernel is told so by a reset.
            if inbox.nextArrival.map({ $0 <= kernel.now }) == true, inbox.underway > 0 {
                inbox.cut()
                peer?.wasReset()
            }
            return
        }
        guard state != .broken, inbox.deliver(at: kernel.now) else { return }
        kernel.noteProgress()
        kernel.expect(self)
        changed()
        // The sender has room again.
        peer?.changed()
    }

    private func takeError() -> Int {
        defer { error = 0 }
        return -Int(error)
    }
}
