import CLinux
import Glibc

/// How the C library takes memory from the kernel and returns it, and memory that several processes see.
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

    /// Shared memory of `size` zero bytes, whose size nobody can change any more. The descriptor is closed on exec.
    static func makeSharedMemory(size: Int) throws(SystemError) -> Int32 {
        let number = try check(
            "memfd_create", retrying { unsafe Int(memfd_create("holdfast", UInt32(holdfast_sealable))) })
        do throws(SystemError) {
            try check("ftruncate", retrying { Int(ftruncate(number, size)) })
            try check("fcntl", retrying { Int(holdfast_add_seals(number, Int32(holdfast_size_seals))) })
        } catch {
            close(number)
            throw error
        }
        return number
    }

    /// Whether nobody can change the size of the shared memory behind `descriptor`. Reading beyond the end of a file
    /// that has shrunk would end the process.
    static func isSizeSealed(_ descriptor: Int32) -> Bool {
        let wanted = Int(holdfast_size_seals)
        let seals = retrying { Int(holdfast_seals(descriptor)) }
        return seals >= 0 && seals & wanted == wanted
    }

    /// Maps the first `size` bytes behind `descriptor`, shared with every other process that maps them.
    static func map(
        _ descriptor: Int32, size: Int, isWritable: Bool
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        var pointer: UnsafeMutableRawPointer?
        let result = retrying {
            unsafe pointer = mmap(nil, size, isWritable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0)
            return unsafe pointer == MAP_FAILED ? -1 : 0
        }
        try check("mmap", result)
        guard let pointer = unsafe pointer else { throw SystemError(call: "mmap", code: ENOMEM) }
        return unsafe pointer
    }

    /// Ends a mapping.
    static func unmap(_ pointer: UnsafeMutableRawPointer, size: Int) {
        // The call fails only for an address that was not mapped.
        _ = unsafe munmap(pointer, size)
    }

    /// Reads a word that another process may write at the same time.
    @inline(__always)
    static func load(_ word: UnsafePointer<UInt64>) -> UInt64 { unsafe holdfast_load(word) }

    /// Writes a word that other processes may read at the same time.
    @inline(__always)
    static func store(_ value: UInt64, to word: UnsafeMutablePointer<UInt64>) { unsafe holdfast_store(word, value) }
}
