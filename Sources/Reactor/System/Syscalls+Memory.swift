import CLinux
import Glibc

/// How the C library takes memory from the kernel and gives it back.
extension Syscalls {
    /// Has an allocation from `pages` bytes on take pages of its own, gives back what is free at the end of the heap once that
    /// is `trim` bytes, and keeps at most `arenas` heaps. The sizes do not adapt by themselves then.
    static func setAllocator(pagesFrom pages: Int32, trimFrom trim: Int32, arenas: Int32) {
        _ = mallopt(M_MMAP_THRESHOLD, pages)
        _ = mallopt(M_TRIM_THRESHOLD, trim)
        _ = mallopt(M_ARENA_MAX, arenas)
    }

    /// Gives free pages back, those between used ones too.
    static func trimHeap() {
        _ = malloc_trim(0)
    }

    /// How many pages of memory the machine has, and the bytes of one; -1 for what is not known.
    static func machinePages() -> (count: Int, size: Int) {
        (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
    }
}
