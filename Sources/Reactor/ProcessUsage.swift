/// What this process has used so far, and uses now.
package enum ProcessUsage {
    /// The processor time of the process: of its own code and of the kernel for it.
    package static var processorTime: Duration {
        let time = Syscalls.processorTime()
        return .seconds(time.seconds) + .nanoseconds(time.nanoseconds)
    }

    /// How many bytes of the process are in the machine's memory; 0 when the kernel does not tell.
    package static var residentBytes: Int {
        // The second number is the count of resident pages.
        guard let text = TextFile.text(of: "/proc/self/statm") else { return 0 }
        let numbers = text.split(separator: " ")
        guard numbers.count > 1, let pages = Int(numbers[1]) else { return 0 }
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: Syscalls.machinePages().size)
        return overflow ? 0 : max(bytes, 0)
    }
}
