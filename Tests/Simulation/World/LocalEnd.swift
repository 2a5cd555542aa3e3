import CLinux
import Glibc

/// What befalls messages between processes.
struct PassingFaults {
    /// How many of a thousand messages find the socket full, however little there is in it.
    var full = 0
    /// How many of a thousand descriptors are refused because too many are on their way (`ETOOMANYREFS`).
    var tooMany = 0
}

/// One end of a stream socket between two processes (unix(7)), over which descriptors are passed.
///
/// Nothing is on its way: the other end can read at once what was sent. A read brings the descriptors of one message at most,
/// and ends behind it.
final class LocalEnd: KernelObject {
    private struct Message {
        var bytes: ArraySlice<UInt8>
        var passed: [KernelObject]
    }

    private unowned let kernel: Kernel
    private weak var peer: LocalEnd?
    private var messages: [Message] = []
    private var unread = 0
    /// How many unread bytes the other end holds at most.
    private let capacity: Int
    private var hasPeerClosed = false
    private var error: Int32 = 0
    /// Whether the socket seems full for a while.
    private var isStalled = false
    /// Tells the inhabitant that owns this end of changes; nil for a worker's end.
    var notify: (() -> Void)?

    private init(_ kernel: Kernel, capacity: Int) {
        self.kernel = kernel
        self.capacity = capacity
    }

    /// How many bytes a socket of this machine holds when nobody has chosen another number.
    static let standardCapacity = 212_992

    /// Two ends that nobody has yet.
    static func pair(_ kernel: Kernel, capacity: Int) -> (LocalEnd, LocalEnd) {
        let (one, other) = (LocalEnd(kernel, capacity: capacity), LocalEnd(kernel, capacity: capacity))
        one.peer = other
        other.peer = one
        return (one, other)
    }

    override var events: UInt32 {
        var events: UInt32 = 0
        if unread > 0 || hasPeerClosed { events |= EPOLLIN.rawValue }
        // The kernel reports room only when most of it is free.
        if hasPeerClosed || !isStalled && (peer?.unread ?? 0) * 4 <= capacity { events |= EPOLLOUT.rawValue }
        if hasPeerClosed { events |= EPOLLRDHUP.rawValue | EPOLLHUP.rawValue }
        if error != 0 { events |= EPOLLERR.rawValue }
        return events
    }

    private func changed() {
        if let notify { notify() } else { kernel.poke(self) }
    }

    // MARK: What goes out

    /// Sends bytes, and descriptors with the first of them.
    func send(_ bytes: UnsafeRawBufferPointer, passing passed: [KernelObject]) -> Int {
        guard !hasPeerClosed, let peer else { return -Int(EPIPE) }
        guard !isStalled, peer.unread < capacity else { return -Int(EAGAIN) }
        if kernel.chance.below(1_000) < kernel.passing.full {
            isStalled = true
            kernel.after(kernel.chance.time(.microseconds(1)...(.milliseconds(20)))) { [weak self] in
                self?.isStalled = false
                self?.changed()
            }
            return -Int(EAGAIN)
        }
        if !passed.isEmpty, kernel.chance.below(1_000) < kernel.passing.tooMany { return -Int(ETOOMANYREFS) }
        // A long message goes in parts, and the descriptors with the first of them.
        let count = kernel.shortened(min(bytes.count, max(capacity / 2, 1)))
        transmit(Array(bytes.prefix(count)), passing: passed)
        return count
    }

    /// Sends bytes, whatever room there is.
    func transmit(_ bytes: [UInt8], passing passed: [KernelObject] = []) {
        guard !hasPeerClosed, let peer else { return }
        for object in passed { kernel.retain(object) }
        peer.messages.append(Message(bytes: bytes[...], passed: passed))
        peer.unread += bytes.count
        kernel.noteProgress()
        peer.changed()
    }

    // MARK: What comes in

    /// Reads bytes. Descriptors that came with them count as on their way until the caller has opened them.
    func receive(into target: UnsafeMutableRawBufferPointer, passed: inout [KernelObject]) -> Int {
        guard unread > 0 else {
            if error != 0 {
                defer { error = 0 }
                return -Int(error)
            }
            return hasPeerClosed ? 0 : -Int(EAGAIN)
        }
        let limit = kernel.shortened(min(unread, target.count))
        var count = 0
        while count < limit, passed.isEmpty {
            let taken = min(messages[0].bytes.count, limit - count)
            messages[0].bytes.prefix(taken).withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[count..<count + taken]).copyMemory(from: $0)
            }
            passed = messages[0].passed
            messages[0].passed = []
            messages[0].bytes.removeFirst(taken)
            if messages[0].bytes.isEmpty { messages.removeFirst() }
            count += taken
        }
        unread -= count
        kernel.noteProgress()
        peer?.changed()
        return count
    }

    /// Reads all that has come. What was passed stays open: the caller has it now.
    func readAll() -> (bytes: [UInt8], passed: [KernelObject]) {
        let came = (messages.flatMap(\.bytes), messages.flatMap(\.passed))
        guard unread > 0 else { return came }
        messages = []
        unread = 0
        peer?.changed()
        return came
    }

    /// Whether the other end is closed.
    var isBroken: Bool { hasPeerClosed }

    override func close() {
        notify = nil
        let wasRead = unread == 0
        drop()
        guard let peer else { return }
        self.peer = nil
        peer.hasPeerClosed = true
        // What it has sent before can still be read.
        if !wasRead { peer.error = ECONNRESET }
        peer.changed()
    }

    private func drop() {
        let dropped = messages
        messages = []
        unread = 0
        for object in dropped.flatMap(\.passed) { kernel.release(object) }
    }
}

/// Memory that processes share. The others may see later what its owner has written.
final class SharedMemory: KernelObject {
    let size: Int
    private let written: UnsafeMutableRawPointer
    private let seen: UnsafeMutableRawPointer
    /// Whether the others see what was written only after `publish`.
    private let isStale: Bool

    init(_ kernel: Kernel, words: Int, isStale: Bool) {
        self.isStale = isStale
        size = words * 8
        written = .allocate(byteCount: size, alignment: 8)
        seen = .allocate(byteCount: size, alignment: 8)
        written.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        seen.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        super.init()
        // A mapping outlives its descriptor.
        kernel.keep(self)
    }

    deinit {
        written.deallocate()
        seen.deallocate()
    }

    func map(isWritable: Bool) -> UnsafeMutableRawPointer {
        isWritable || !isStale ? written : seen
    }

    func owns(_ pointer: UnsafeMutableRawPointer) -> Bool { pointer == written || pointer == seen }

    /// A word as its owner has written it.
    func word(_ index: Int) -> UInt64 { written.load(fromByteOffset: index * 8, as: UInt64.self) }

    /// Shows the others what was written by now.
    func publish() { seen.copyMemory(from: written, byteCount: size) }
}

// MARK: The calls of passing.c

private var kernel: Kernel {
    guard let kernel = Kernel.current else { fatalError("a call of the model outside of a world") }
    return kernel
}

private enum Number: UInt64 {
    case pass = 96, take
}

@_cdecl("simulated_pass")
func simulatedPass(
    _ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ passed: UnsafePointer<Int32>?, _ passedCount: Int
) -> Int {
    kernel.countMessage()
    guard let end = kernel.object(descriptor) as? LocalEnd else { return -Int(EBADF) }
    var objects: [KernelObject] = []
    for number in UnsafeBufferPointer(start: passed, count: passedCount) {
        guard let object = kernel.object(number) else { return -Int(EBADF) }
        objects.append(object)
    }
    let result = end.send(UnsafeRawBufferPointer(start: bytes, count: count), passing: objects)
    kernel.count(Number.pass.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_take")
func simulatedTake(
    _ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int, _ passed: UnsafeMutablePointer<Int32>,
    _ passedCount: UnsafeMutablePointer<Int>, _ isShort: UnsafeMutablePointer<Int32>
) -> Int {
    kernel.countMessage()
    // See `simulatedEpollControl`.
    if !kernel.process.isAlive, kernel.process.takesTurns { return -Int(EAGAIN) }
    guard let end = kernel.object(descriptor) as? LocalEnd else { return -Int(EBADF) }
    var objects: [KernelObject] = []
    let result = end.receive(into: UnsafeMutableRawBufferPointer(start: bytes, count: count), passed: &objects)
    // The kernel opens as many as there is room for, and drops the others.
    for object in objects {
        if isShort.pointee == 0, let number = kernel.open(object) {
            passed[passedCount.pointee] = number
            passedCount.pointee += 1
        } else {
            isShort.pointee = 1
        }
        kernel.release(object)
    }
    kernel.count(Number.take.rawValue, Int(descriptor), result)
    return result
}

@_cdecl("simulated_size")
func simulatedSize(_ descriptor: Int32) -> Int {
    (kernel.object(descriptor) as? SharedMemory)?.size ?? -Int(EINVAL)
}

@_cdecl("simulated_map")
func simulatedMap(_ descriptor: Int32, _ isWritable: Int32) -> UnsafeMutableRawPointer? {
    (kernel.object(descriptor) as? SharedMemory)?.map(isWritable: isWritable != 0)
}

@_cdecl("simulated_unmap")
func simulatedUnmap(_ memory: UnsafeMutableRawPointer) -> Int32 {
    Kernel.current?.hasMemory(at: memory) == true ? 1 : 0
}
