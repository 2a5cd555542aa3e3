/// What the kernel keeps when this process crashes: its memory, with passwords in it that clients log in with.
package enum CoreDump {
    /// Has no core kept of this process and of those that it starts, which inherit the limits. The hard limit falls too, so
    /// that nothing raises it again.
    ///
    /// The limit is one byte and not none: a core that goes to a program is not bounded by the limit, but the kernel starts no
    /// program for a process with this one (fs/coredump.c); and no core file is as small. The process stays dumpable in the
    /// sense of prctl(2): otherwise its `/proc` would belong to root, and its own user could not look at it any more.
    ///
    /// - Throws: the error of setrlimit(2), for instance where the limit was lower already.
    package static func forbid() throws(SystemError) {
        var limit = ResourceLimit(soft: 1, hard: 1)
        do throws(SystemError) {
            let before = try Syscalls.limit(of: .coreSize)
            // Nobody but root may raise it, by one byte either.
            if before.hard == 0 { limit = ResourceLimit(soft: 0, hard: 0) }
        } catch {
            // Without knowing it, it is set as usual.
        }
        try Syscalls.setLimit(of: .coreSize, to: limit)
    }
}
