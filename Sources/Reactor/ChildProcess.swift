import CLinux
import Glibc

/// How a child process ended.
package enum ChildExit: Equatable, Sendable {
    /// It exited with this code, 0...255.
    case exited(Int32)
    /// This signal number ended it.
    case signalled(Int32)
}

/// A child process with one descriptor in common. It is not ended by dropping this value: `kill`, then `reap`.
package struct ChildProcess: ~Copyable {
    /// The number of the common descriptor in the child.
    package static let inheritedDescriptor: Int32 = 3

    /// The process number.
    package let processID: Int32
    private var isReaped = false

    /// Starts `executable`, a path, with `arguments` (the first is the program's name).
    ///
    /// The child gets `shared` as descriptor 3, this process's 2 for what it may have to say when it breaks, `/dev/null` as 0
    /// and 1, and no other, no blocked signals and the default action for each, and this process's environment. Always
    /// exec, never a bare fork.
    /// - Throws: `posix_spawn` failed, for instance `ENOENT`.
    package init(
        executable: String = ChildProcess.ownExecutable, arguments: [String], sharing shared: borrowing Descriptor
    ) throws(SystemError) {
        let number = shared.number
        processID = try Self.spawn(executable, arguments, number)
    }

    /// The path of the running binary, also while it is replaced on disk.
    package static var ownExecutable: String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return unsafe readlink("/proc/self/exe", start, bytes.count)
        }
        guard count > 0 else { return "/proc/self/exe" }
        let path = String(decoding: buffer.prefix(count), as: UTF8.self)
        // After a replacement the link reads "... (deleted)", but opening the link itself still finds the old binary.
        return unsafe access(path, X_OK) == 0 ? path : "/proc/self/exe"
    }

    /// Sends a signal; no effect once the child is reaped.
    package func send(_ signal: Signal) {
        guard !isReaped else { return }
        _ = Glibc.kill(processID, signal.number)
    }

    /// Collects the child if it has ended. Nil while it runs, and after it was collected.
    package mutating func reap() -> ChildExit? {
        collect(WNOHANG)
    }

    /// Waits until the child has ended. Only for a child that was killed or is known to end.
    package mutating func waitUntilEnded() -> ChildExit? {
        collect(0)
    }

    /// Ends the child at once and collects it: for an owner that drops this value right after.
    func end() {
        guard !isReaped else { return }
        let processID = self.processID
        _ = Glibc.kill(processID, SIGKILL)
        var status: Int32 = 0
        _ = try? Syscalls.check("waitpid") { unsafe waitpid(processID, &status, 0) }
    }

    private mutating func collect(_ options: Int32) -> ChildExit? {
        guard !isReaped else { return nil }
        let processID = self.processID
        var status: Int32 = 0
        guard (try? Syscalls.check("waitpid", { unsafe waitpid(processID, &status, options) })) == processID else {
            return nil
        }
        isReaped = true
        return holdfast_exited(status) != 0
            ? .exited(holdfast_exit_code(status)) : .signalled(holdfast_ending_signal(status))
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ number: Int32
    ) throws(SystemError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        _ = unsafe posix_spawnattr_init(&attributes)
        defer {
            _ = unsafe posix_spawn_file_actions_destroy(&actions)
            _ = unsafe posix_spawnattr_destroy(&attributes)
        }
        // Onto its own number dup2 only clears the close-on-exec flag (glibc 2.29 and later).
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, number, inheritedDescriptor)
        // Whoever reads this process's output must see its end, even if a child lives for some seconds longer.
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        _ = unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        // Ours are closed by exec anyway; this is for those that were left open by whoever started this process.
        _ = unsafe posix_spawn_file_actions_addclosefrom_np(&actions, inheritedDescriptor + 1)
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
        let code = unsafe posix_spawn(&processID, executable, &actions, &attributes, &vector, holdfast_environment())
        guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }
        return processID
    }
}
