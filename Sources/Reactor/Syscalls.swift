import CLinux
import Glibc

/// The system calls of the data path, kernel style: the result when it is 0 or more, otherwise the negated `errno`.
///
/// `errno` belongs to a thread, so each call is a function that is never inlined and reads it before anything else can
/// run. `EINTR` is retried here and nowhere else; `close` is not here because it must never be retried.
enum Syscalls {
    @inline(never)
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        retrying { unsafe Glibc.recv(descriptor, buffer.baseAddress, buffer.count, 0) }
    }

    /// For descriptors that are not sockets.
    @inline(never)
    static func readFile(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        retrying { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    }

    /// Never raises `SIGPIPE`.
    @inline(never)
    static func send(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying { unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Never waits, whatever the socket's owner has set.
    @inline(never)
    static func sendAtOnce(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying {
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// For descriptors that are not sockets.
    @inline(never)
    static func writeFile(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
    }

    @inline(never)
    static func accept(
        _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Int {
        retrying { unsafe Int(accept4(descriptor, address, length, socketFlags)) }
    }

    @inline(never)
    static func wait(
        _ descriptor: Int32, _ events: UnsafeMutableBufferPointer<epoll_event>, milliseconds: Int32
    ) -> Int {
        // Not retried: a signal that is caught ends the wait early, and the caller works out a new timeout anyway.
        let count = unsafe epoll_wait(descriptor, events.baseAddress, Int32(clamping: events.count), milliseconds)
        guard count < 0 else { return Int(count) }
        let code = errno
        return code == EINTR ? 0 : -Int(code)
    }

    /// Runs a call that is not on the data path and turns -1 into the error.
    ///
    /// - Throws: `SystemError` with `name` and `errno`.
    @inline(never) @discardableResult
    static func check(_ name: String, _ body: () -> Int32) throws(SystemError) -> Int32 {
        let value = retrying { Int(body()) }
        guard value >= 0 else { throw SystemError(call: name, code: Int32(clamping: -value)) }
        return Int32(clamping: value)
    }

    /// Flags of every socket made here: never blocking, never inherited.
    static let socketFlags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    @inline(__always)
    private static func retrying(_ body: () -> Int) -> Int {
        while true {
            let value = body()
            guard value < 0 else { return value }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }
}
