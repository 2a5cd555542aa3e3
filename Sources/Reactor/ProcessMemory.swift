/// The memory that this process may use, and how it is returned to the system.
package enum ProcessMemory {
    /// Configures how memory is taken and returned. To be called before anything large is allocated.
    ///
    /// By default glibc raises the size from which an array has its own pages, up to 32 MiB, each time such an array is
    /// freed. Then the bodies of a flood lie between longer-lived allocations, and their pages are never returned.
    package static func prepare() {
        Syscalls.setAllocator(pagesFrom: 131_072, trimFrom: 1_048_576, arenas: 1)
    }

    /// Returns free pages to the system, even those between used ones.
    package static func giveBack() {
        Syscalls.trimHeap()
    }

    /// The bytes that this process may use: the limit of its control group or the machine's memory, whichever is less.
    package static var available: Int {
        let pages = Syscalls.machinePages()
        let (machine, overflow) = pages.count.multipliedReportingOverflow(by: pages.size)
        let all = overflow || machine <= 0 ? Int.max : machine
        return limitFiles.reduce(all) { least, file in
            guard let limit = number(in: file), limit > 0 else { return least }
            return min(least, limit)
        }
    }

    /// The files with a control group's limit: for version 2 the group's own file and the one that a container sees,
    /// and the file of version 1. Missing files are ignored.
    private static var limitFiles: [String] {
        ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
            + TextFile.ownControlGroup.map { "\($0)/memory.max" }
    }

    private static func number(in file: String) -> Int? {
        TextFile.text(of: file).flatMap { $0.split(separator: "\n").first }.flatMap { Int($0) }
    }
}
