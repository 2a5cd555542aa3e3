import CLinux
import Glibc

/// One end of a connection, as its kernel sees it.
final class SocketEnd: KernelObject {
    enum State: Equatable {
        case connecting
        case connected
        /// The end was never connected, or is no longer.
        case broken
    }

    unowned let kernel: Kernel
    var state: State
    let inbox: Pipe
    let outbox: Pipe
    var peer: SocketEnd?
    /// The error that the next call gets, once.
    private var error: Int32 = 0
    var hasShutDown = false
    var isClosed = false
    var resetsOnClose = false
    var keepsAlive = false
    /// How long a byte takes to the other end.
    private let delay: ClosedRange<Duration>
    /// Pieces of this size arrive one by one; 0 for whole pieces.
    private let piece: Int
    /// The bytes that were never acknowledged when the connection broke: the kernel goes on counting them.
    private var abandoned = 0
    /// Tells the inhabitant that owns this end of changes; nil for the worker's end.
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

    /// Whether both sides have ended and know it of each other: there is no connection any more.
    private var isFinished: Bool { inbox.hasEnded && outbox.hasEnded }

    /// The bytes that the other end's kernel has not acknowledged (`SIOCOUTQ`).
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

    /// Something has changed that the owner may want to know.
    func changed() {
        if let notify { notify() } else { kernel.poke(self) }
    }

    // MARK: What the owner does

    override func receive(into target: UnsafeMutableRawBufferPointer) -> Int {
        if inbox.unread > 0 {
            let count = kernel.shortened(min(inbox.unread, target.count))
            inbox.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
            // There is room again for bytes that waited on their way.
            kernel.expect(self)
            return count
        }
        // A stream that has ended in order stays ended, whatever happened to the connection since.
        if inbox.hasEnded { return 0 }
        if error != 0 { return -Int(takeError()) }
        return state == .broken ? 0 : -Int(EAGAIN)
    }

    override func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        if error != 0 { return -Int(takeError()) }
        if state == .connecting { return -Int(EAGAIN) }
        guard state == .connected, !hasShutDown else { return -Int(EPIPE) }
        // It takes what there is room for, even while too little is free to be called writable.
        guard outbox.room > 0 else { return -Int(EAGAIN) }
        let count = kernel.shortened(min(bytes.count, outbox.room))
        transmit(Array(bytes.prefix(count))[...])
        return count
    }

    /// Sends bytes, whatever room there is.
    func transmit(_ bytes: ArraySlice<UInt8>) {
        guard let peer, !peer.isClosed else {
            // Nobody is there, so a reset comes back.
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
        // Where both sides have ended, the other end only has to receive what was sent.
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

    /// Handles the answer of the other end's kernel.
    func isConnected() {
        state = .connected
        kernel.noteProgress()
        changed()
    }

    /// Handles a reset by the other end, or by a machine that does not know the connection.
    func wasReset() {
        guard !inbox.isDead, !isFinished else { return }
        if state == .connecting {
            fail(ECONNREFUSED)
        } else {
            // After the other side's end, only sending fails.
            fail(inbox.hasEnded && !hasShutDown ? EPIPE : ECONNRESET)
        }
    }

    func fail(_ code: Int32) {
        guard !isClosed, state != .broken else { return }
        // The attempt to connect counts like a byte once it has failed.
        abandoned = state == .connecting ? 1 : unacknowledged
        state = .broken
        error = code
        outbox.cut()
        kernel.noteProgress()
        changed()
    }

    /// Makes a call fail. An error that says that the connection is broken has broken it before the call, which then
    /// finds out as far as it would; a shortage of memory has not.
    func failCall(_ code: Int32) -> Int? {
        guard code == ECONNRESET || code == ETIMEDOUT || code == EPIPE else { return -Int(code) }
        if !isFinished { fail(code) }
        peer?.wasReset()
        return nil
    }

    /// Delivers what is due.
    func arrive() {
        if isClosed {
            guard inbox.nextArrival.map({ $0 <= kernel.now }) == true else { return }
            if inbox.underway > 0 {
                // The receiver is gone: a reset tells the sender's kernel.
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

    /// The pending error, which is told once; 0 for none.
    func takeError() -> Int32 {
        defer { error = 0 }
        return error
    }
}
