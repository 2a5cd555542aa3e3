import CSimulatedCalls
import CLinux
import Glibc

// The functions that calls.c declares: they pass their arguments to the kernel of the running world.

private var kernel: Kernel {
    guard let kernel = Kernel.current else { fatalError("a call of the model outside of a world") }
    return kernel
}

private enum Number: UInt64 {
    case receive = 1, send, read, accept, create, control, wait, socket, bind, listen, connect, name, option, shutdown
    case close, count, open, duplicate
}

@_cdecl("simulated_recv")
func simulatedReceive(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    if let end = object as? SocketEnd, let code = kernel.faults.take(.receive), let result = end.failCall(code) {
        return result
    }
    let result = object.receive(into: UnsafeMutableRawBufferPointer(start: bytes, count: count))
    if result >= 0 { kernel.noteProgress() }
    kernel.count(Number.receive.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_send")
func simulatedSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    if let end = object as? SocketEnd, let code = kernel.faults.take(.send), let result = end.failCall(code) {
        return result
    }
    let source = UnsafeRawBufferPointer(start: bytes, count: count)
    let result = object.send(source)
    if result > 0 {
        kernel.noteProgress()
        for byte in source.prefix(result) { kernel.note(UInt64(byte)) }
    }
    kernel.count(Number.send.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_read")
func simulatedRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let signals = kernel.object(descriptor) as? Signals, count >= MemoryLayout<signalfd_siginfo>.size else {
        return -Int(EINVAL)
    }
    guard let number = signals.take() else { return -Int(EAGAIN) }
    var information = signalfd_siginfo()
    information.ssi_signo = UInt32(number)
    bytes.copyMemory(from: &information, byteCount: MemoryLayout<signalfd_siginfo>.size)
    kernel.noteProgress()
    kernel.count(Number.read.rawValue, Int(descriptor), Int(information.ssi_signo))
    return MemoryLayout<signalfd_siginfo>.size
}

@_cdecl("simulated_accept")
func simulatedAccept(
    _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    if let door = object as? LocalDoor {
        let result = door.accept()
        if result >= 0, let address, let length { write(0, 0, to: address, length) }
        kernel.count(Number.accept.rawValue, Int(descriptor), result)
        return result
    }
    guard object is Door || object is SocketEnd else { return -Int(ENOTSOCK) }
    guard let door = object as? Door else { return -Int(EINVAL) }
    let (result, end) = kernel.accept(from: door)
    if let end, let address, let length { write(end.peerAddress, end.peerPort, to: address, length) }
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
    // A process that was killed goes on to the end of its turn, and must not find that its supervisor cannot be heard.
    guard kernel.process.isAlive else { return 0 }
    guard let epoll = kernel.object(epoll) as? Epoll, let object = kernel.object(descriptor) else { return -Int(EBADF) }
    let interest = event?.pointee.events ?? 0
    if operation != EPOLL_CTL_DEL, let code = kernel.faults.take(.epollControl) { return -Int(code) }
    let result = epoll.control(operation, object, at: descriptor, interest, event?.pointee.data.u64 ?? 0)
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
    let result = Int(kernel.open(Door(kernel)) ?? -EMFILE)
    kernel.count(Number.socket.rawValue, Int(family), result)
    return result
}

@_cdecl("simulated_bind")
func simulatedBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EINVAL) }
    return kernel.bind(door, to: port(of: address))
}

@_cdecl("simulated_listen")
func simulatedListen(_ descriptor: Int32, _ backlog: Int32) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EINVAL) }
    return kernel.listen(on: door, backlog: Int(backlog))
}

@_cdecl("simulated_connect")
func simulatedConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int {
    guard let door = kernel.object(descriptor) as? Door else { return -Int(EISCONN) }
    if let code = kernel.faults.take(.connect) { return -Int(code) }
    kernel.calledAddress = CalledAddress(address)
    let result = kernel.connect(door, to: port(of: address))
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
    guard kernel.object(descriptor) is Door || kernel.object(descriptor) is SocketEnd else { return -Int(ENOTSOCK) }
    value.pointee = 0
    if level == SOL_SOCKET, name == SO_ERROR, let end = kernel.object(descriptor) as? SocketEnd {
        value.pointee = end.takeError()
    }
    kernel.count(Number.option.rawValue, Int(descriptor), Int(value.pointee))
    return 0
}

@_cdecl("simulated_set_option")
func simulatedSetOption(
    _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer, _ length: socklen_t
) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    switch object {
    case let end as SocketEnd: if level == SOL_SOCKET, name == SO_LINGER { end.resetsOnClose = true }
    case let door as Door: if level == SOL_SOCKET, name == SO_REUSEADDR { door.sharesAddress = true }
    default: return -Int(ENOTSOCK)
    }
    return 0
}

@_cdecl("simulated_shutdown")
func simulatedShutdown(_ descriptor: Int32, _ how: Int32) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    let result = object.shutDown()
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
    switch kernel.object(descriptor) {
    case nil: return -Int(EBADF)
    // FIONREAD and SIOCOUTQ of <asm/ioctls.h>.
    case let end as SocketEnd:
        count.pointee = Int32(clamping: request == 0x541B ? end.inbox.unread : end.unacknowledged)
    case let door as Door where !door.isListening: count.pointee = 0
    case is Door: return -Int(EINVAL)
    default: return -Int(ENOTTY)
    }
    kernel.count(Number.count.rawValue, Int(descriptor), Int(count.pointee))
    return 0
}

@_cdecl("simulated_signals")
func simulatedSignals() -> Int {
    Int(kernel.open(kernel.signals) ?? -EMFILE)
}

@_cdecl("simulated_duplicate")
func simulatedDuplicate(_ descriptor: Int32) -> Int {
    guard let object = kernel.object(descriptor) else { return -Int(EBADF) }
    if let code = kernel.faults.take(.duplicate) { return -Int(code) }
    let result = Int(kernel.open(object) ?? -EMFILE)
    if result >= 0 { kernel.noteProgress() }
    kernel.count(Number.duplicate.rawValue, Int(descriptor), result)
    return result
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
