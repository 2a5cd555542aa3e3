/// Words of memory that several processes see: one writes them, the others read them while it does.
///
/// A read finds each word as it was before or after a write, never half of it. Nothing is promised about two words
/// together. No process can change the size, so a mapping stays valid as long as it exists.
@safe package struct SharedPage: ~Copyable {
    /// The memory's descriptor, closed on exec, to be sent to another process.
    package let descriptor: Descriptor
    /// How many words there are, 1...`mostWords`.
    package let count: Int
    /// Whether this process may write.
    package let isWritable: Bool
    private let words: UnsafeMutablePointer<UInt64>

    /// The most words of a page: 1 MiB.
    package static let mostWords = 131_072

    /// Makes a page of `count` words, 1...`mostWords`, all 0, that this process may write.
    ///
    /// - Throws: descriptors or memory have run out.
    package init(count: Int) throws(SystemError) {
        let count = min(max(count, 1), Self.mostWords)
        let memory = Descriptor(owning: try Syscalls.makeSharedMemory(size: count * Self.wordSize))
        try self.init(memory, count: count, isWritable: true)
    }

    /// Maps a page that another process has made.
    ///
    /// - Parameter isWritable: whether this process is the one that writes.
    /// - Throws: an `AdoptionError`; the descriptor is closed then.
    package init(adopting memory: consuming Descriptor, isWritable: Bool) throws(AdoptionError) {
        guard Syscalls.isSizeSealed(memory.number), let size = Syscalls.status(of: memory.number)?.size,
            size > 0, size % Self.wordSize == 0, size / Self.wordSize <= Self.mostWords
        else { throw .notAPage }
        do throws(SystemError) {
            try self.init(memory, count: size / Self.wordSize, isWritable: isWritable)
        } catch {
            throw .failed(error)
        }
    }

    /// Why a descriptor did not become a page.
    package enum AdoptionError: Error, Equatable {
        /// It is not shared memory of a fixed size, whole words, and at most `mostWords` of them.
        case notAPage
        /// The kernel could not map it.
        case failed(SystemError)
    }

    private init(_ memory: consuming Descriptor, count: Int, isWritable: Bool) throws(SystemError) {
        let start = unsafe try Syscalls.map(memory.number, size: count * Self.wordSize, isWritable: isWritable)
        unsafe words = start.assumingMemoryBound(to: UInt64.self)
        self.count = count
        self.isWritable = isWritable
        descriptor = memory
    }

    deinit {
        unsafe Syscalls.unmap(words, size: count * Self.wordSize)
    }

    /// The word at `index`; 0 outside the page. A write outside the page, or without the right to write, does nothing.
    package subscript(index: Int) -> UInt64 {
        get {
            guard index >= 0, index < count else { return 0 }
            return unsafe Syscalls.load(words + index)
        }
        nonmutating set {
            guard isWritable, index >= 0, index < count else { return }
            unsafe Syscalls.store(newValue, to: words + index)
        }
    }

    /// All words, read one after the other.
    package var snapshot: [UInt64] {
        (0..<count).map { unsafe Syscalls.load(words + $0) }
    }

    private static let wordSize = MemoryLayout<UInt64>.size
}
