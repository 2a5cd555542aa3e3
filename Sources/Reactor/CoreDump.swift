/// Keeps the kernel from saving this process's memory after a crash: passwords of clients may be in it.
package enum CoreDump {
    /// Forbids core dumps of this process and of those that it starts, which inherit the limits. The hard limit is
    /// lowered too, so that nothing can raise it again.
    ///
    /// The limit is one byte, not zero. The limit does not bound a core that is piped to a program, but with a limit of
    /// one byte the kernel starts no such program (fs/coredump.c). No core file is as small as one byte. The process
    /// stays dumpable in the sense of prctl(2); otherwise its `/proc` would belong to root, and its own user could not
    /// read it.
    ///
    /// - Throws: the error of setrlimit(2), for instance where the limit was lower already.
    package static func forbid() throws(SystemError) {
        var limit = ResourceLimit(soft: 1, hard: 1)
        do throws(SystemError) {
            let before = try Syscalls.limit(of: .coreSize)
            // Only root may raise a hard limit, even by one byte.
            if before.hard == 0 { limit = ResourceLimit(soft: 0, hard: 0) }
        } catch {
            // The old limit is unknown, so the usual one is set.
        }
        try Syscalls.setLimit(of: .coreSize, to: limit)
    }
}
