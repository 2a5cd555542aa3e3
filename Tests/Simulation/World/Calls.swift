import CSimulatedCalls
import CLinux
import Glibc

// The functions that calls.c declares: the arguments as they come, to the kernel of the world that is running.

private var kernel: Kernel {
    guard let kernel = Kernel.current else { fatalError("a call of the model outside of a world") }
    return kernel
}

private enum Number: UInt64 {
    case receive = 1, send, read, accept, create, control, wait, socket, bind, listen, connect, name, option, shutdown
    case close, count, open
}

@_cdecl("simulated_recv")
func simulatedReceive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let end = kernel.object(descriptor) as? SocketEnd else { return -Int(EBADF) }
    if let code = kernel.faults.take(.receive) { return end.failCall(code) }
    let target = UnsafeMutableRawBufferPointer(start: bytes, count: count)
    let result = end.receive(into: target)
    if result >= 0 { kernel.noteProgress() }
    kernel.count(Number.receive.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_send")
func simulatedSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    guard let end = kernel.object(descriptor) as? SocketEnd else { return -Int(EBADF) }
    if let code = kernel.faults.take(.send) { return end.failCall(code) }
    let source = UnsafeRawBufferPointer(start: bytes, count: count)
    let result = end.send(source)
    if result > 0 {
        kernel.noteProgress()
        for byte in source.prefix(result) { kernel.note(UInt64(byte)) }
    }
    kernel.count(Number.send.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_read")
func simulatedRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let signals = kernel.object(descriptor) as? Signals else { return -Int(EBADF) }
    guard !signals.pending.isEmpty else { return -Int(EAGAIN) }
    var information = signalfd_siginfo()
    guard count >= MemoryLayout<signalfd_siginfo>.size else { return -Int(EINVAL) }
    information.ssi_signo = UInt32(signals.pending.removeFirst())
    bytes.copyMemory(from: &information, byteCount: MemoryLayout<signalfd_siginfo>.size)
    kernel.noteProgress()
    kernel.count(Number.read.rawValue, Int(descriptor), Int(information.ssi_signo))
    return MemoryLayout<signalfd_siginfo>.size
}

@_cdecl("simulated_accept")
func simulatedAccept(
    _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EBADF) }
    let result = kernel.accept(from: door, address, length)
    kernel.count(Number.accept.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_epoll_create")
func simulatedEpollCreate() -> Int {
    Int(kernel.open(kernel.epoll) ?? -EMFILE)
}

@_cdecl("simulated_epoll_ctl")
func simulatedEpollControl(
    _ epoll: Int32, _ operation: Int32, _ descriptor: Int32, _ event: UnsafeMutablePointer<epoll_event>?
) -> Int {
    guard let epoll = kernel.object(epoll) as? Epoll, let object = kernel.object(descriptor) else { return -Int(EBADF) }
    let interest = event?.pointee.events ?? 0
    if operation != EPOLL_CTL_DEL, let code = kernel.faults.take(.epollControl) { return -Int(code) }
    let result = epoll.control(operation, object, interest, event?.pointee.data.u64 ?? 0)
    kernel.count(Number.control.rawValue, Int(descriptor), Int(interest) << 4 | Int(operation))
    return result
}

@_cdecl("simulated_epoll_wait")
func simulatedEpollWait(
    _ epoll: Int32, _ events: UnsafeMutablePointer<epoll_event>, _ count: Int32, _ milliseconds: Int32
) -> Int {
    let result = kernel.wait(events, Int(count), milliseconds: milliseconds)
    kernel.count(Number.wait.rawValue, Int(milliseconds), result)
    return result
}

@_cdecl("simulated_socket")
func simulatedSocket(_ family: Int32) -> Int {
    if let code = kernel.faults.take(.socket) { return -Int(code) }
    let result = Int(kernel.open(Door()) ?? -EMFILE)
    kernel.count(Number.socket.rawValue, Int(family), result)
    return result
}

@_cdecl("simulated_bind")
func simulatedBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EINVAL) }
    return kernel.listen(door, port: port(of: address))
}

@_cdecl("simulated_listen")
func simulatedListen(_ descriptor: Int32) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EINVAL) }
    door.isListening = true
    return 0
}

@_cdecl("simulated_connect")
func simulatedConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int {
    guard kernel.object(descriptor) is Door else { return -Int(EISCONN) }
    if let code = kernel.faults.take(.connect) { return -Int(code) }
    kernel.calledAddress = CalledAddress(address)
    let result = kernel.connect(descriptor, to: port(of: address))
    kernel.count(Number.connect.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_name")
func simulatedName(
    _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>, _ length: UnsafeMutablePointer<socklen_t>
) -> Int {
    let port = (kernel.object(descriptor) as? Door)?.port ?? 40_000
    write(0x0A00_0001, port, to: address, length)
    return 0
}

@_cdecl("simulated_get_option")
func simulatedGetOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeMutablePointer<Int32>) -> Int
{
    value.pointee = 0
    if level == SOL_SOCKET, name == SO_ERROR, let end = kernel.object(descriptor) as? SocketEnd {
        value.pointee = end.error
        end.error = 0
    }
    kernel.count(Number.option.rawValue, Int(descriptor), Int(value.pointee))
    return 0
}

@_cdecl("simulated_set_option")
func simulatedSetOption(
    _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer, _ length: socklen_t
) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    if level == SOL_SOCKET, name == SO_LINGER, let end = object as? SocketEnd { end.resetsOnClose = true }
    return 0
}

@_cdecl("simulated_shutdown")
func simulatedShutdown(_ descriptor: Int32, _ how: Int32) -> Int {
    guard let end = kernel.object(descriptor) as? SocketEnd else { return -Int(ENOTCONN) }
    let result = end.shutDown()
    kernel.count(Number.shutdown.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_close")
func simulatedClose(_ descriptor: Int32) -> Int {
    kernel.count(Number.close.rawValue, Int(descriptor), 0)
    return kernel.close(descriptor)
}

@_cdecl("simulated_count")
func simulatedCount(_ descriptor: Int32, _ request: UInt, _ count: UnsafeMutablePointer<Int32>) -> Int {
    guard let end = kernel.object(descriptor) as? SocketEnd else { return -Int(EBADF) }
    // FIONREAD and SIOCOUTQ of <asm/ioctls.h>.
    count.pointee = Int32(clamping: request == 0x541B ? end.inbox.unread : end.outbox.underway)
    kernel.count(Number.count.rawValue, Int(descriptor), Int(count.pointee))
    return 0
}

@_cdecl("simulated_signals")
func simulatedSignals() -> Int {
    Int(kernel.open(kernel.signals) ?? -EMFILE)
}

@_cdecl("simulated_open_nothing")
func simulatedOpenNothing() -> Int {
    if let code = kernel.faults.take(.open) { return -Int(code) }
    return Int(kernel.open(Nothing()) ?? -EMFILE)
}

@_cdecl("simulated_time")
func simulatedTime(_ isWallClock: Int32) -> UInt64 {
    let now = kernel.now.nanoseconds
    return isWallClock != 0 ? UInt64(clamping: Int64(now) + kernel.wallOffset) : now
}

@_cdecl("simulated_random")
func simulatedRandom(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    for index in 0..<count {
        bytes.storeBytes(of: UInt8(truncatingIfNeeded: kernel.chance.next()), toByteOffset: index, as: UInt8.self)
    }
}

@_cdecl("simulated_descriptor_limit")
func simulatedDescriptorLimit() -> Int { kernel.descriptorLimit }

// MARK: Addresses

private func port(of address: UnsafePointer<sockaddr>) -> UInt16 {
    address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
}

private func write(
    _ address: UInt32, _ port: UInt16, to target: UnsafeMutablePointer<sockaddr>,
    _ length: UnsafeMutablePointer<socklen_t>
) {
    guard Int(length.pointee) >= MemoryLayout<sockaddr_in>.size else { return }
    length.pointee = socklen_t(MemoryLayout<sockaddr_in>.size)
    target.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        $0.pointee = sockaddr_in()
        $0.pointee.sin_family = sa_family_t(AF_INET)
        $0.pointee.sin_port = port.bigEndian
        $0.pointee.sin_addr.s_addr = address.bigEndian
    }
}

extension Kernel {
    fileprivate func accept(
        from door: Door, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Int {
        guard !door.waiting.isEmpty else { return -Int(EAGAIN) }
        if let code = faults.take(.accept) {
            hasRefusedToAccept = true
            return -Int(code)
        }
        let end = door.waiting[0]
        guard let descriptor = open(end) else {
            hasRefusedToAccept = true
            return -Int(EMFILE)
        }
        door.waiting.removeFirst()
        noteProgress()
        if let address, let length { write(end.peerAddress, end.peerPort, to: address, length) }
        return Int(descriptor)
    }

    /// Makes a connection of what was a socket without one.
    fileprivate func connect(_ descriptor: Int32, to port: UInt16) -> Int {
        guard let service = services[port] else { return -Int(ECONNREFUSED) }
        let outcome = service(self)
        if case .failed(let code) = outcome { return -Int(code) }
        let kind = serviceLinks[port] ?? LinkKind()
        let there = Pipe(sendCapacity: kind.workerBuffer, receiveCapacity: kind.buffer)
        let back = Pipe(sendCapacity: kind.buffer, receiveCapacity: kind.workerBuffer)
        let mine = SocketEnd(
            self, state: .connecting, inbox: back, outbox: there, delay: kind.delay, peerAddress: 0x0A00_0002,
            peerPort: port)
        mine.piece = kind.piece
        replace(descriptor, with: mine)
        switch outcome {
        case .accepted(let time, let take):
            let its = SocketEnd(
                self, state: .connected, inbox: there, outbox: back, delay: kind.delay, peerAddress: 0x0A00_0001,
                peerPort: 40_000)
            its.piece = kind.piece
            SocketEnd.join(mine, its)
            after(time) { [weak self, weak mine] in
                guard let self else { return }
                guard let mine, !mine.isClosed else { return }
                mine.state = .connected
                noteProgress()
                poke(mine)
                take(its)
            }
        case .refused(let time):
            after(time) { [weak mine] in mine?.fail(ECONNREFUSED) }
        case .silent:
            // The kernel's own patience with a connection that nobody answers.
            after(.seconds(130)) { [weak mine] in
                if mine?.state == .connecting { mine?.fail(ETIMEDOUT) }
            }
        case .failed:
            break
        }
        return -Int(EINPROGRESS)
    }
}
