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
    private var error: Int32 = 0
    var hasShutDown = false
    var isClosed = false
    var resetsOnClose = false
    var keepsAlive = false
    /// How long a byte takes to the other end.
    private let delay: ClosedRange<Duration>
    /// Pieces of this size arrive one by one; 0 for whole ones.
    private let piece: Int
    /// Bytes that were never acknowledged when the connection broke: the kernel goes on counting them.
    private var abandoned = 0
    /// Tells the inhabitant whose end this is that something has changed; nil for the worker's.
    var notify: (() -> Void)?
    let peerAddress: UInt32
    let peerPort: UInt16

    init(
        _ kernel: Kernel, state: State, inbox: Pipe, outbox: Pipe, link: LinkKind, peerAddress: UInt32,
        peerPort: UInt16
    ) {
        self.kernel = kernel
        self.state = state
        self.inbox = inbox
        self.outbox = outbox
        delay = link.delay
        piece = link.piece
        self.peerAddress = peerAddress
        self.peerPort = peerPort
    }

    static func join(_ one: SocketEnd, _ other: SocketEnd) {
        one.peer = other
        other.peer = one
        one.kernel.remember(one)
    }

    var hasEnded: Bool { inbox.hasEnded && inbox.unread == 0 }

    /// Whether both have ended their sides and know it of each other: there is no connection any more.
    private var isFinished: Bool { inbox.hasEnded && outbox.hasEnded }

    /// Bytes that the other end's kernel has not said to have (`SIOCOUTQ`).
    var unacknowledged: Int {
        // The end of the stream counts like a byte.
        abandoned + outbox.underway + (state != .broken && hasShutDown && !outbox.hasEnded ? 1 : 0)
    }

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

    override func receive(into target: UnsafeMutableRawBufferPointer) -> Int {
        if inbox.unread > 0 {
            let count = kernel.shortened(min(inbox.unread, target.count))
            inbox.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
            // There is room again for what waited on its way.
            kernel.expect(self)
            return count
        }
        // A stream that has ended in order has ended, whatever befell the connection since.
        if inbox.hasEnded { return 0 }
        if error != 0 { return -Int(takeError()) }
        return state == .broken ? 0 : -Int(EAGAIN)
    }

    override func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        if error != 0 { return -Int(takeError()) }
        if state == .connecting { return -Int(EAGAIN) }
        guard state == .connected, !hasShutDown else { return -Int(EPIPE) }
        // It takes what there is room for, also while so little is free that it is not called writable.
        guard outbox.room > 0 else { return -Int(EAGAIN) }
        let count = kernel.shortened(min(bytes.count, outbox.room))
        transmit(Array(bytes.prefix(count))[...])
        return count
    }

    /// Puts bytes on their way, whatever room there is.
    func transmit(_ bytes: ArraySlice<UInt8>) {
        guard let peer, !peer.isClosed else {
            // Nobody is there: a reset comes back.
            abandoned += bytes.count
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

    override func shutDown() -> Int {
        guard state == .connected, !isFinished else { return -Int(ENOTCONN) }
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
        guard let peer, state == .connected || state == .connecting, !isFinished else { return }
        // Where both sides have ended, all that is left is that the other end has what was sent.
        let isLeaving = inbox.hasEnded && hasShutDown && outbox.underway == 0
        let isReset = inbox.unread > 0 || (resetsOnClose && !isLeaving)
        state = .broken
        inbox.takesAll = true
        if isReset {
            kernel.after(kernel.chance.time(delay)) { [weak peer] in peer?.wasReset() }
        } else {
            if !hasShutDown { outbox.end(arrivingAt: kernel.now + kernel.chance.time(delay)) }
            hasShutDown = true
            kernel.expect(peer)
            kernel.expect(self)
        }
    }

    // MARK: What befalls it

    /// The other end's kernel has answered.
    func isConnected() {
        state = .connected
        kernel.noteProgress()
        changed()
    }

    /// The other end has reset the connection, or its machine does not know it.
    func wasReset() {
        guard !inbox.isDead, !isFinished else { return }
        if state == .connecting {
            fail(ECONNREFUSED)
        } else {
            // After the other side's end, what breaks is only what is sent.
            fail(inbox.hasEnded && !hasShutDown ? EPIPE : ECONNRESET)
        }
    }

    func fail(_ code: Int32) {
        guard !isClosed, state != .broken else { return }
        // The wish to connect counts like a byte once it has failed.
        abandoned = state == .connecting ? 1 : unacknowledged
        state = .broken
        error = code
        outbox.cut()
        kernel.noteProgress()
        changed()
    }

    /// A call is to fail. What says that the connection is broken has broken it before the call, which then finds out as far as it
    /// would; a want of memory has not.
    func failCall(_ code: Int32) -> Int? {
        guard code == ECONNRESET || code == ETIMEDOUT || code == EPIPE else { return -Int(code) }
        if !isFinished { fail(code) }
        peer?.wasReset()
        return nil
    }

    /// What is due arrives.
    func arrive() {
        if isClosed {
            guard inbox.nextArrival.map({ $0 <= kernel.now }) == true else { return }
            if inbox.underway > 0 {
                // The receiver is gone: the sender's kernel is told so by a reset.
                peer?.wasReset()
                inbox.cut()
            } else {
                _ = inbox.deliver(at: kernel.now)
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

    /// What went wrong, which is told once; 0 for nothing.
    func takeError() -> Int32 {
        defer { error = 0 }
        return error
    }
}
