import CLinux
import Glibc

/// How the C library takes memory from the kernel and returns it.
extension Syscalls {
    /// Gives allocations of at least `pages` bytes their own pages, returns free memory at the end of the heap once it
    /// is `trim` bytes, and keeps at most `arenas` heaps. The sizes then no longer adapt.
    static func setAllocator(pagesFrom pages: Int32, trimFrom trim: Int32, arenas: Int32) {
        _ = mallopt(M_MMAP_THRESHOLD, pages)
        _ = mallopt(M_TRIM_THRESHOLD, trim)
        _ = mallopt(M_ARENA_MAX, arenas)
    }

    /// Returns free pages, even those between used ones.
    static func trimHeap() {
        _ = malloc_trim(0)
    }

    /// The number of memory pages of the machine, and the size of one in bytes; -1 for an unknown value.
    static func machinePages() -> (count: Int, size: Int) {
        (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
    }
}
