// For the bits of an event and its layout in memory, which the kernel defines: events are read in place.
import CLinux
import Primitives

/// What a registered descriptor is watched for. The kernel always reports broken connections and those closed both
/// ways.
package struct Interest: OptionSet, Sendable {
    /// The `EPOLL*` bits, without those that are always set.
    package let rawValue: UInt32

    /// Bits of `<sys/epoll.h>`; use the constants below.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// All of these together. The standard library's own way is not specialised, and takes 1,900 instructions.
    package init(arrayLiteral elements: Interest...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    /// Bytes to read, a connection to accept, or the end of the stream.
    package static let readable = Interest(rawValue: EPOLLIN.rawValue)
    /// Room to write, or a finished `connect`.
    package static let writable = Interest(rawValue: EPOLLOUT.rawValue)
    /// The end of the peer's side (`EPOLLRDHUP`), even while nothing is to be read.
    package static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
}

/// What happened to one registered descriptor.
package struct PollEvent: Sendable, Equatable {
    /// The token with which the descriptor was registered.
    package let token: UInt64
    fileprivate let bits: UInt32

    /// Reading will not block: there are bytes, an end of stream or an error.
    package var isReadable: Bool { bits & EPOLLIN.rawValue != 0 }
    /// Writing will not block.
    package var isWritable: Bool { bits & EPOLLOUT.rawValue != 0 }
    /// Both directions are closed or the socket is in error; reported whether asked for or not.
    package var isHangup: Bool { bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    /// The peer has closed its writing side (`EPOLLRDHUP`); there may still be bytes to read before the end.
    package var isPeerClosed: Bool { bits & EPOLLRDHUP.rawValue != 0 }
}

/// One epoll instance. It is level-triggered: an event is reported again until its cause is gone.
///
/// The owner chooses the token. It should contain a generation besides the slot: when a descriptor is closed while a
/// batch is handled, the same batch may contain another event of it.
@safe package struct Poller: ~Copyable {
    private let descriptor: Descriptor
    private var buffer: [epoll_event]

    /// - Parameter capacity: the most events of one `wait`, 1...65,536.
    /// - Throws: `epoll_create1` failed.
    package init(capacity: Int = 512) throws(SystemError) {
        descriptor = Descriptor(owning: try Syscalls.makeEpoll())
        unsafe buffer = [epoll_event](repeating: epoll_event(), count: min(max(capacity, 1), 65_536))
    }

    /// Begins to watch `target`. A closed descriptor is removed by the kernel.
    ///
    /// - Throws: `epoll_ctl` failed: `EEXIST` when it is watched already, `EPERM` for a regular file.
    package func register(
        _ target: borrowing Descriptor, token: UInt64, interest: Interest
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, target.number, token, interest)
    }

    /// Changes token and interest of a watched descriptor.
    ///
    /// - Throws: `epoll_ctl` failed: `ENOENT` when it is not watched.
    package func modify(_ target: borrowing Descriptor, token: UInt64, interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, target.number, token, interest)
    }

    /// Stops watching. Needed only for a descriptor that stays open or was passed to another process.
    ///
    /// - Throws: `epoll_ctl` failed: `ENOENT` when it is not watched.
    package func deregister(_ target: borrowing Descriptor) throws(SystemError) {
        try control(EPOLL_CTL_DEL, target.number, 0, [])
    }

    /// Waits for events and returns their number; read them with the subscript before the next call.
    ///
    /// - Parameter timeout: the longest wait, rounded up to whole milliseconds, so that a deadline has passed when the
    ///   wait ends. Zero or less returns at once; nil waits without limit.
    /// - Returns: 0 after the timeout or a signal.
    /// - Throws: `epoll_wait` failed, which only a fault of this program can cause.
    package mutating func wait(timeout: Duration?) throws(SystemError) -> Int {
        let milliseconds = timeout.map(Self.milliseconds) ?? -1
        let number = descriptor.number
        let count = unsafe buffer.withUnsafeMutableBufferPointer { events in
            unsafe Syscalls.wait(number, events, milliseconds: milliseconds)
        }
        guard count >= 0 else { throw SystemError(call: "epoll_wait", result: count) }
        return count
    }

    /// The event at `index`, which must be below the result of the last `wait`.
    package subscript(index: Int) -> PollEvent {
        let event = unsafe buffer[index]
        return unsafe PollEvent(token: event.data.u64, bits: event.events)
    }

    static func milliseconds(_ timeout: Duration) -> Int32 {
        Int32(clamping: timeout.millisecondsRoundedUp)
    }

    private func control(
        _ operation: Int32, _ target: Int32, _ token: UInt64, _ interest: Interest
    ) throws(SystemError) {
        var event = unsafe epoll_event()
        unsafe event.events = interest.rawValue
        unsafe event.data.u64 = token
        let result = unsafe Syscalls.control(descriptor.number, operation, target, &event)
        guard result >= 0 else { throw SystemError(call: "epoll_ctl", result: result) }
    }
}
