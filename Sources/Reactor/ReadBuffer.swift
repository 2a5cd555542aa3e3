/// The bytes of the last read. Each worker has one: bytes that must outlive the handling of an event are copied, so
/// that an idle connection owns no buffer.
package struct ReadBuffer: ~Copyable {
    /// The most bytes of one read, by default.
    package static let standardCapacity = 65_536

    private var storage: [UInt8]
    /// The number of bytes from the last read, 0 when it brought none.
    package private(set) var count = 0

    /// - Parameter capacity: the most bytes of one read, at least 1.
    package init(capacity: Int = ReadBuffer.standardCapacity) {
        storage = [UInt8](repeating: 0, count: max(capacity, 1))
    }

    /// The most bytes of one read.
    package var capacity: Int { storage.count }

    /// Calls `body` with the bytes of the last read. Nothing may be read into the buffer meanwhile.
    package func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span.extracting(first: count))
    }

    /// Lets `body` fill the storage; it returns how many bytes it wrote, or a negative number for none.
    mutating func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        let result = unsafe storage.withUnsafeMutableBytes { unsafe body($0) }
        count = min(max(result, 0), storage.count)
        return result
    }
}
