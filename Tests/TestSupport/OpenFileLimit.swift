import Glibc

/// The limit on open files of running programs.
package enum OpenFileLimit {
    /// prlimit(2), which the module of the C library does not declare.
    private typealias Call =
        @convention(c) (pid_t, Int32, UnsafePointer<rlimit>?, UnsafeMutablePointer<rlimit>?) -> Int32

    /// The limits that hold for a process, the soft one and the hard one.
    package static func of(_ process: pid_t) throws -> rlimit {
        var limit = rlimit()
        try Sockets.check("prlimit", try call()(process, Int32(RLIMIT_NOFILE.rawValue), nil, &limit))
        return limit
    }

    /// Sets both limits of a process. A test that is not root cannot raise the hard one again.
    package static func set(_ limit: rlimit, of process: pid_t) throws {
        var limit = limit
        try Sockets.check("prlimit", try call()(process, Int32(RLIMIT_NOFILE.rawValue), &limit, nil))
    }

    /// Sets the soft limit such that a process can open so many files more, at least one. Returns the limits that held before.
    package static func leave(_ room: Int, for process: pid_t) throws -> rlimit {
        let before = try of(process)
        var (free, end) = (0, 0)
        // The lowest number that is free is the next one to be used.
        while free < room {
            var status = stat()
            if lstat("/proc/\(process)/fd/\(end)", &status) != 0 { free += 1 }
            end += 1
        }
        try set(rlimit(rlim_cur: rlim_t(end), rlim_max: before.rlim_max), of: process)
        return before
    }

    private static func call() throws -> Call {
        guard let symbol = dlsym(nil, "prlimit") else { throw TestFault("there is no prlimit") }
        return unsafeBitCast(symbol, to: Call.self)
    }
}
