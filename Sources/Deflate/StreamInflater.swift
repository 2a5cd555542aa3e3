import CZlib

/// Expands what one XML stream brings, in pieces of any size, as one zlib stream (XEP-0138 §5, RFC 1950).
///
/// It takes 7 KB, and from the first bytes on the window that the server's header asks for: 32 KB as a rule. With a
/// `StreamDeflater` that is 57 KB of heap for a compressed stream that rests, 36 to 48 KB of them touched (zlib 1.2.13).
@safe
package struct StreamInflater: ~Copyable {
    /// zlib keeps a pointer to it, so it stays where it is.
    @safe private let stream: UnsafeMutablePointer<z_stream>
    /// Why the stream is over; it stays so.
    private var failure: DeflateError?
    /// Whether the zlib stream has ended, with a check that holds. No byte may follow.
    package private(set) var isAtEnd = false

    /// Nil when there is no memory.
    package init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe holdfast_inflateInit2(stream, Self.windowOfHeader) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends what `input` expands to: all that can be known by now, or nothing when an error is thrown.
    ///
    /// - Parameter limit: the most bytes that one call may append; memory for no more than about twice as much is taken.
    /// - Throws: `.corrupt`, `.tooLarge`, `.trailingData` for bytes behind the end of the zlib stream, `.outOfMemory`.
    ///   Every later call throws the same.
    package mutating func inflate(
        _ input: Span<UInt8>, limit: Int, into output: inout [UInt8]
    ) throws(DeflateError) {
        if let failure { throw failure }
        guard !input.isEmpty else { return }
        let start = output.count
        do throws(DeflateError) {
            guard let length = uInt(exactly: input.count) else { throw .tooLarge }
            try unsafe input.withUnsafeBufferPointer { bytes throws(DeflateError) in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe stream.pointee.avail_in = length
                try expand(limit: max(0, limit), into: &output)
            }
        } catch {
            output.removeSubrange(start...)
            failure = error
            throw error
        }
    }

    private mutating func expand(limit: Int, into output: inout [UInt8]) throws(DeflateError) {
        let start = output.count
        var room = unsafe max(Self.leastRoom, Int(stream.pointee.avail_in) * 4)
        while true {
            // One byte more than allowed tells a result that is too large from one that fits exactly.
            let allowed = limit - (output.count - start)
            let status = unsafe append(
                to: &output, room: uInt(clamping: min(room, allowed == Int.max ? allowed : allowed + 1)), from: stream
            ) { unsafe CZlib.inflate($0, Z_SYNC_FLUSH) }
            guard output.count - start <= limit else { throw .tooLarge }
            switch status {
            case Z_STREAM_END:
                isAtEnd = true
                guard unsafe stream.pointee.avail_in == 0 else { throw .trailingData }
                return
            case Z_OK, Z_BUF_ERROR:
                guard unsafe stream.pointee.avail_out == 0 else { return }
                room = max(room, output.count - start)
            case Z_MEM_ERROR:
                throw .outOfMemory
            default:
                throw .corrupt
            }
        }
    }

    /// The window is as large as the stream's own header says, so that a server that asks for less takes less.
    private static let windowOfHeader: Int32 = 0
    private static let leastRoom = 1024
}
