/// What memory this process may use, and how it comes back to the system.
package enum ProcessMemory {
    /// Sets how memory is taken and given back; before anything large is allocated.
    ///
    /// Left alone, glibc raises the size from which on an array has pages of its own each time one is freed, up to 32 MiB:
    /// then the bodies of a flood lie between what stays, and their pages stay too.
    package static func prepare() {
        Syscalls.setAllocator(pagesFrom: 131_072, trimFrom: 1_048_576, arenas: 1)
    }

    /// Gives free pages back to the system, those between used ones too.
    package static func giveBack() {
        Syscalls.trimHeap()
    }

    /// The bytes that this process may use: what its control group allows, or what the machine has, whichever is less.
    package static var available: Int {
        let pages = Syscalls.machinePages()
        let (machine, overflow) = pages.count.multipliedReportingOverflow(by: pages.size)
        let all = overflow || machine <= 0 ? Int.max : machine
        return limitFiles.reduce(all) { least, file in
            guard let limit = number(in: file), limit > 0 else { return least }
            return min(least, limit)
        }
    }

    /// Where the limit of a control group is told: of version 2, in its own place and where a container sees it, and of
    /// version 1. Those that are not there say nothing.
    private static var limitFiles: [String] {
        var files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        for line in (text(of: "/proc/self/cgroup") ?? "").split(separator: "\n") where line.hasPrefix("0::/") {
            files.append("/sys/fs/cgroup\(line.dropFirst(3))/memory.max")
        }
        return files
    }

    private static func number(in file: String) -> Int? {
        text(of: file).flatMap { $0.split(separator: "\n").first }.flatMap { Int($0) }
    }

    private static func text(of file: String) -> String? {
        let opened: Int32
        do throws(SystemError) {
            opened = try Syscalls.openForReading(file)
        } catch {
            return nil
        }
        let descriptor = Descriptor(owning: opened)
        let number = descriptor.number
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Syscalls.readFile(number, $0) }
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
