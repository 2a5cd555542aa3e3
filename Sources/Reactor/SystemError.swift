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

    /// Whether this process or the machine has no descriptor left (`EMFILE`, `ENFILE`).
    package var isDescriptorsExhausted: Bool { code == EMFILE || code == ENFILE }
}
