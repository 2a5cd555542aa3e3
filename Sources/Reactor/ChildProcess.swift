/// How a child process ended.
package enum ChildExit: Equatable, Sendable {
    /// It exited with this code, 0...255.
    case exited(Int32)
    /// This signal number ended it.
    case signalled(Int32)
}

/// A child process that shares one descriptor with this one. Dropping this value does not end it: `send` it `kill`,
/// then `reap`.
package struct ChildProcess: ~Copyable {
    /// The number of the shared descriptor in the child.
    package static let inheritedDescriptor: Int32 = 3

    /// The process number.
    package let processID: Int32
    private var isReaped = false

    /// Starts `executable`, a path, with `arguments` (the first is the program's name).
    ///
    /// The child gets `shared` as descriptor 3, this process's 2 for its error messages, `/dev/null` as 0 and 1, and no
    /// other descriptor. It has no blocked signals, the default action for each signal, and this process's environment.
    /// It is always started by exec, never by a bare fork.
    /// - Throws: `posix_spawn` failed, for instance `ENOENT`.
    package init(
        executable: String = ChildProcess.ownExecutable, arguments: [String], sharing shared: borrowing Descriptor
    ) throws(SystemError) {
        let number = shared.number
        processID = try Syscalls.spawn(executable, arguments, sharing: number, as: Self.inheritedDescriptor)
    }

    /// Takes over a process that runs: a child that this process has started before it executed another program, or one
    /// that is no child of it. The end of the latter cannot be collected.
    package init(inheriting processID: Int32) {
        self.processID = processID
    }

    /// The path of the running binary, even while it is replaced on disk.
    package static var ownExecutable: String {
        let path = linkedExecutable
        // After a replacement the link reads "... (deleted)", but opening the link itself still finds the old binary.
        return Syscalls.isExecutable(path) ? path : "/proc/self/exe"
    }

    /// What the kernel says of the running binary's path: ` (deleted)` is appended once it is replaced on disk.
    static var linkedExecutable: String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Syscalls.readLink("/proc/self/exe", $0) }
        guard count > 0 else { return "/proc/self/exe" }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Sends a signal; does nothing once the child was collected.
    package func send(_ signal: Signal) {
        guard !isReaped else { return }
        Syscalls.kill(processID, signal)
    }

    /// Collects the child if it has ended. Nil while it runs, and after it was collected.
    package mutating func reap() -> ChildExit? {
        collect(waits: false)
    }

    /// Waits until the child has ended. Only for a child that was killed or is known to end.
    package mutating func waitUntilEnded() -> ChildExit? {
        collect(waits: true)
    }

    /// Ends the child at once and collects it, for an owner that drops this value right after.
    package func end() {
        guard !isReaped else { return }
        Syscalls.kill(processID, .kill)
        // Nobody needs to know how it ended.
        _ = Syscalls.collect(processID, waits: true)
    }

    private mutating func collect(waits: Bool) -> ChildExit? {
        guard !isReaped, let end = Syscalls.collect(processID, waits: waits) else { return nil }
        isReaped = true
        return end
    }
}
