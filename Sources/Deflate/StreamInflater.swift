import CZlib

/// Expands one XML stream, in pieces of any size, as one zlib stream (XEP-0138 §5, RFC 1950).
///
/// The context takes 7 KB, and from the first bytes on also the window that the server's header asks for, usually 32
/// KB. With a `StreamDeflater` an idle compressed stream has 57 KB of heap, 36 to 48 KB of them touched (zlib 1.2.13).
@safe
package struct StreamInflater: ~Copyable {
    /// zlib keeps a pointer to it, so it must not move.
    @safe private let stream: UnsafeMutablePointer<z_stream>
    /// Why the stream failed; this is final.
    private var failure: DeflateError?
    /// Whether the zlib stream has ended with a correct check. No byte may follow.
    package private(set) var isAtEnd = false

    /// An expander; nil when there is no memory.
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

    /// Expands `input` from `offset` on, appends up to `room` bytes, and moves `offset` past what was used.
    ///
    /// A small input can expand to a thousand times its size, so the caller decides after each call whether it wants
    /// more. zlib keeps the bytes that it has expanded but not handed out, at most one window of them.
    ///
    /// - Parameter room: 1 or more; the call takes no more memory than that.
    /// - Returns: whether more will come without further input. Then call again, with the rest of the input if any is
    ///   left.
    /// - Throws: `.corrupt`, `.outOfMemory`, or `.trailingData` for bytes after the end of the zlib stream. What was
    ///   expanded before the fault is appended all the same. Every later call throws the same error.
    package mutating func inflate(
        _ input: Span<UInt8>, offset: inout Int, room: Int, into output: inout [UInt8]
    ) throws(DeflateError) -> Bool {
        if let failure { throw failure }
        let rest = input.extracting(droppingFirst: min(max(offset, 0), input.count))
        var status = Z_STREAM_ERROR
        unsafe rest.withUnsafeBufferPointer { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = uInt(clamping: bytes.count)
            status = unsafe append(to: &output, room: uInt(clamping: max(1, room)), from: stream) {
                unsafe CZlib.inflate($0, Z_SYNC_FLUSH)
            }
        }
        offset = unsafe input.count - Int(stream.pointee.avail_in)
        switch status {
        case Z_STREAM_END:
            isAtEnd = true
            guard offset < input.count else { return false }
            throw end(.trailingData)
        case Z_OK:
            return unsafe stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
        case Z_BUF_ERROR:
            // There is no input, and zlib has kept nothing back.
            return false
        case Z_MEM_ERROR:
            throw end(.outOfMemory)
        default:
            throw end(.corrupt)
        }
    }

    private mutating func end(_ failure: DeflateError) -> DeflateError {
        self.failure = failure
        return failure
    }

    /// The window has the size in the stream's own header, so a server that asks for less costs less.
    private static let windowOfHeader: Int32 = 0
}
