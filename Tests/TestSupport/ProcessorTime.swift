import Glibc

/// What a process has taken of the machine: nothing in it depends on how busy the machine is with others.
extension Daemon {
    /// The processor time that it has taken since it started.
    package func processorTime() throws -> Duration {
        // The first number is nanoseconds on a processor, all threads of the process's one.
        let text = try Files.read("/proc/\(processID)/schedstat")
        guard let first = text.split(separator: " ").first, let nanoseconds = Int64(first) else {
            throw TestFault("no processor time in \(text)")
        }
        return .nanoseconds(nanoseconds)
    }

    /// The processor time that it takes for what `work` has it do, until it has done it.
    package func processorTime(of work: () throws -> Void) throws -> Duration {
        try settle()
        let before = try processorTime()
        try work()
        try settle()
        return try processorTime() - before
    }

    /// From now on `peakKilobytes` tells the peak since now.
    package func forgetPeak() throws {
        let file = open("/proc/\(processID)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw TestFault("clear_refs cannot be opened") }
        defer { _ = close(file) }
        guard write(file, "5", 1) == 1 else { throw TestFault("clear_refs cannot be written") }
    }
}
