import Glibc

/// The processor time and memory of the process; other work on the machine does not change these.
extension Daemon {
    /// The processor time that it has taken since it started.
    package func processorTime() throws -> Duration {
        // The first number is nanoseconds on a processor, for the process's only thread.
        let text = try Files.read("/proc/\(processID)/schedstat")
        guard let first = text.split(separator: " ").first, let nanoseconds = Int64(first) else {
            throw TestFault("no processor time in \(text)")
        }
        return .nanoseconds(nanoseconds)
    }

    /// The processor time that the daemon uses until it has done `work`.
    package func processorTime(of work: () throws -> Void) throws -> Duration {
        try settle()
        let before = try processorTime()
        try work()
        try settle()
        return try processorTime() - before
    }

    /// The least processor time of three rounds of `work`. What else runs on the machine only adds to the time of a round, by
    /// emptying the caches.
    package func leastProcessorTime(of work: () throws -> Void) throws -> Duration {
        try min(processorTime(of: work), processorTime(of: work), processorTime(of: work))
    }

    /// Makes `peakKilobytes` give the peak from now on.
    package func forgetPeak() throws {
        let file = open("/proc/\(processID)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw TestFault("clear_refs cannot be opened") }
        defer { _ = close(file) }
        guard write(file, "5", 1) == 1 else { throw TestFault("clear_refs cannot be written") }
    }
}
