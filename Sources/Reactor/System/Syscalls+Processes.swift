import CLinux
import Glibc

/// A kernel limit for this process and those it starts.
struct ResourceLimit {
    /// The limited resource.
    enum Resource {
        case coreSize, descriptors
    }

    /// The limit in effect, at most the hard one.
    var soft: UInt
    /// The limit that only a privileged process may raise.
    var hard: UInt
}

/// This process, its limits, and its children.
extension Syscalls {
    /// The number of this process.
    static var processID: Int32 { getpid() }

    /// The number of the process that started this one, or of the one that adopted it.
    static var parentProcessID: Int32 { getppid() }

    /// The number of processors on which this process may run; -1 when the kernel does not say.
    static func usableProcessors() -> Int {
        Int(holdfast_processors())
    }

    /// Ends this process without running anything else.
    static func exit(_ code: Int32) -> Never {
        _exit(code)
    }

    static func limit(of resource: ResourceLimit.Resource) throws(SystemError) -> ResourceLimit {
        var limit = rlimit()
        try check("getrlimit", retrying { unsafe Int(getrlimit(number(of: resource), &limit)) })
        return ResourceLimit(soft: UInt(limit.rlim_cur), hard: UInt(limit.rlim_max))
    }

    static func setLimit(of resource: ResourceLimit.Resource, to limit: ResourceLimit) throws(SystemError) {
        var limit = rlimit(rlim_cur: rlim_t(limit.soft), rlim_max: rlim_t(limit.hard))
        try check("setrlimit", retrying { unsafe Int(setrlimit(number(of: resource), &limit)) })
    }

    private static func number(of resource: ResourceLimit.Resource) -> __rlimit_resource_t {
        switch resource {
        case .coreSize: __rlimit_resource_t(RLIMIT_CORE.rawValue)
        case .descriptors: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        }
    }

    /// Sends a signal to a process.
    @discardableResult
    static func kill(_ processID: Int32, _ signal: Signal) -> Int {
        retrying { Int(Glibc.kill(processID, signal.number)) }
    }

    /// Collects a child process; with `waits`, waits until it has ended. Nil while it runs, and when there is no such
    /// child.
    static func collect(_ processID: Int32, waits: Bool) -> ChildExit? {
        var status: Int32 = 0
        let result = retrying { unsafe Int(waitpid(processID, &status, waits ? 0 : WNOHANG)) }
        guard result == Int(processID) else { return nil }
        return holdfast_exited(status) != 0
            ? .exited(holdfast_exit_code(status)) : .signalled(holdfast_ending_signal(status))
    }

    /// Executes another program in this process, which keeps its number, its children and the descriptors that are not
    /// closed on exec. Returns only when that fails.
    static func execute(_ path: String, _ arguments: [String], environment: [String]) -> SystemError {
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe environment.map { unsafe strdup($0) }
        unsafe variables.append(nil)
        defer {
            unsafe vector.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        return SystemError(call: "execve", result: once { unsafe Int(execve(path, vector, variables)) })
    }

    /// The environment of this process, as `NAME=value`.
    static var environment: [String] {
        guard var place = unsafe holdfast_environment() else { return [] }
        var variables: [String] = []
        while let variable = unsafe place.pointee {
            unsafe variables.append(String(cString: variable))
            unsafe place += 1
        }
        return variables
    }

    /// Removes a variable from the environment of this process.
    static func removeVariable(_ name: String) {
        // The call fails only for a name that is none.
        _ = unsafe unsetenv(name)
    }

    /// Starts `executable` with `shared` as its descriptor `number`, this process's 2, `/dev/null` as 0 and 1, and no
    /// other descriptor. It has no blocked signals, the default action for each signal, and this process's environment.
    ///
    /// - Returns: the process number.
    static func spawn(
        _ executable: String, _ arguments: [String], sharing shared: Int32, as number: Int32
    ) throws(SystemError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        _ = unsafe posix_spawnattr_init(&attributes)
        defer {
            _ = unsafe posix_spawn_file_actions_destroy(&actions)
            _ = unsafe posix_spawnattr_destroy(&attributes)
        }
        // dup2 onto the same number only clears the close-on-exec flag (glibc 2.29 and later).
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, shared, number)
        // A reader of this process's output must see its end, even if a child lives some seconds longer.
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        // exec closes this process's own descriptors anyway. This closes those that its parent left open.
        _ = unsafe posix_spawn_file_actions_addclosefrom_np(&actions, number + 1)
        var mask = sigset_t()
        _ = unsafe sigemptyset(&mask)
        _ = unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        var defaults = sigset_t()
        _ = unsafe sigfillset(&defaults)
        _ = unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        _ = unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { unsafe vector.forEach { unsafe free($0) } }
        var processID: pid_t = 0
        // posix_spawn returns the error and does not set errno.
        let code = unsafe posix_spawn(&processID, executable, &actions, &attributes, &vector, holdfast_environment())
        try check("posix_spawn", -Int(code))
        return processID
    }
}
