/// An open file descriptor with exactly one owner. It is closed when the owner goes away.
package struct Descriptor: ~Copyable, Sendable {
    /// The number, 0 or more, valid while this value lives.
    package let number: Int32

    /// Takes over `number`, which nobody else may close afterwards.
    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        Syscalls.close(number)
    }

    /// Gives the number away without closing it.
    package consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// A connected pair of Unix stream sockets, not blocking and closed on exec.
    ///
    /// - Throws: `socketpair` failed, usually because descriptors have run out.
    package static func socketPair() throws(SystemError) -> DescriptorPair {
        let numbers = try Syscalls.socketPair()
        return DescriptorPair(first: Descriptor(owning: numbers.0), second: Descriptor(owning: numbers.1))
    }

    /// Another descriptor for the same open file, closed on exec.
    ///
    /// - Throws: descriptors have run out.
    package func copy() throws(SystemError) -> Descriptor {
        Descriptor(owning: try Syscalls.duplicate(number))
    }

    /// Turns blocking on or off (`O_NONBLOCK`).
    ///
    /// - Throws: `fcntl` failed.
    package func setBlocking(_ blocking: Bool) throws(SystemError) {
        try Syscalls.setBlocking(number, blocking)
    }
}

/// Both ends of `Descriptor.socketPair()`.
@frozen package struct DescriptorPair: ~Copyable, Sendable {
    /// One end.
    package let first: Descriptor
    /// The other end.
    package let second: Descriptor
}
