import CLinux
import Glibc

/// What memory this process may use, and how it comes back to the system.
package enum ProcessMemory {
    /// Sets how memory is taken and given back; before anything large is allocated.
    ///
    /// Left alone, glibc raises the size from which on an array has pages of its own each time one is freed, up to 32 MiB:
    /// then the bodies of a flood lie between what stays, and their pages stay too.
    package static func prepare() {
        _ = mallopt(M_MMAP_THRESHOLD, 131_072)
        _ = mallopt(M_TRIM_THRESHOLD, 1_048_576)
        _ = mallopt(M_ARENA_MAX, 1)
    }

    /// Gives free pages back to the system, those between used ones too.
    package static func giveBack() {
        _ = malloc_trim(0)
    }

    /// The bytes that this process may use: what its control group allows, or what the machine has, whichever is less.
    package static var available: Int {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let size = sysconf(Int32(_SC_PAGESIZE))
        let (machine, overflow) = pages.multipliedReportingOverflow(by: size)
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
        let number = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        defer { _ = close(number) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
