import Glibc

/// A failed system call: its name, and the kernel's reason.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call's name as in its manual page (`bind`, `epoll_ctl`).
    package let call: String
    /// The `errno` value, above 0.
    package let code: Int32

    /// - Parameters: `call`, the name of the manual page; `code`, the `errno` value.
    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// - Parameters: `result`, a negated `errno` from `Syscalls`.
    init(call: String, result: Int) {
        self.init(call: call, code: Int32(clamping: -result))
    }

    /// Nothing happened in time (`ETIMEDOUT`).
    package static let timedOut = SystemError(call: "epoll_wait", code: ETIMEDOUT)

    /// The kernel's reason, in the C locale's words: `Address already in use`.
    package var reason: String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }

    /// Call and reason, for a log line: `bind: Address already in use`.
    package var description: String { "\(call): \(reason)" }

    /// Whether another socket holds the address (`EADDRINUSE`).
    package var isAddressInUse: Bool { code == EADDRINUSE }

    /// Whether the other side refused the connection at once (`ECONNREFUSED`).
    package var isConnectionRefused: Bool { code == ECONNREFUSED }

    /// Whether there is no such file, or a part of its path is no folder (`ENOENT`, `ENOTDIR`).
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    /// Whether a folder stands where a file was meant (`EISDIR`).
    package var isFolder: Bool { code == EISDIR }

    /// Whether this user may not do it (`EACCES`, `EPERM`).
    package var isNotPermitted: Bool { code == EACCES || code == EPERM }

    /// Whether a call would have had to wait (`EAGAIN`).
    var isWouldBlock: Bool { code == EAGAIN }

    /// Whether a socket is intact although its `recv` or `send` failed: the call would have had to wait, or the kernel
    /// was short of memory (`ENOMEM`, `ENOBUFS`). Polling is level-triggered, so the socket is reported again.
    var isPassing: Bool { isWouldBlock || code == ENOMEM || code == ENOBUFS }

    /// Whether a connection was begun and is not established yet (`EINPROGRESS`).
    var isInProgress: Bool { code == EINPROGRESS }

    /// Whether the error was pending on the socket that `accept4` would have returned (accept(2)). It says nothing
    /// about the next one.
    var isOfAccepted: Bool {
        switch code {
        case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH: true
        default: false
        }
    }

    /// Whether this process or its machine has too little of something, or does not allow the call: ports, descriptors,
    /// memory, places in a queue. The other side is not the cause then.
    package var isShortage: Bool {
        switch code {
        case EADDRNOTAVAIL, EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EPERM, EACCES, ENOSPC: true
        default: false
        }
    }

    /// Whether too many passed descriptors have not been received yet (`ETOOMANYREFS`).
    var isTooManyPassed: Bool { code == ETOOMANYREFS }

    /// Whether there is no local address or port for a connection (`EADDRNOTAVAIL`).
    package var isAddressUnavailable: Bool { code == EADDRNOTAVAIL }

    /// Whether this process or the machine has no descriptor left (`EMFILE`, `ENFILE`).
    package var isDescriptorsExhausted: Bool { code == EMFILE || code == ENFILE }
}
