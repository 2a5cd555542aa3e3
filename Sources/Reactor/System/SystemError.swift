import Glibc

/// A system call that failed: which one, and the kernel's reason.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name of the call as its manual page has it (`bind`, `epoll_ctl`).
    package let call: String
    /// The `errno` value, above 0.
    package let code: Int32

    /// - Parameters: `call` the name of the manual page; `code` the `errno` value.
    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// - Parameters: `result` what `Syscalls` returned, a negated `errno`.
    init(call: String, result: Int) {
        self.init(call: call, code: Int32(clamping: -result))
    }

    /// The kernel's reason alone, in the C locale's words: `Address already in use`.
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

    /// Whether a call that does not wait would have had to (`EAGAIN`).
    var isWouldBlock: Bool { code == EAGAIN }

    /// Whether nothing is wrong with a socket whose `recv` or `send` failed: it would have had to wait, or the kernel had no
    /// memory for it at that moment (`ENOMEM`, `ENOBUFS`). Level-triggered, its readiness is reported again.
    var isPassing: Bool { isWouldBlock || code == ENOMEM || code == ENOBUFS }

    /// Whether a connection was begun and is not there yet (`EINPROGRESS`).
    var isInProgress: Bool { code == EINPROGRESS }

    /// Whether it is one that was pending on the socket which `accept4` would have returned, accept(2): it says nothing of the
    /// next one.
    var isOfAccepted: Bool {
        switch code {
        case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH: true
        default: false
        }
    }

    /// Whether it says that this process or its machine has too little of something, or does not allow the call: ports,
    /// descriptors, memory, places in a queue. The other side had no part in it then.
    package var isShortage: Bool {
        switch code {
        case EADDRNOTAVAIL, EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EPERM, EACCES, ENOSPC: true
        default: false
        }
    }

    /// Whether there is no local address or port for a connection (`EADDRNOTAVAIL`).
    package var isAddressUnavailable: Bool { code == EADDRNOTAVAIL }

    /// Whether this process or the machine has no descriptor left (`EMFILE`, `ENFILE`).
    package var isDescriptorsExhausted: Bool { code == EMFILE || code == ENFILE }
}
