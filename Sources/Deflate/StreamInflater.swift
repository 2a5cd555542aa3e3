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

    /// Appends up to `room` bytes of what `input` expands to from `offset` on, and moves `offset` behind what was used.
    ///
    /// However small the input, a stream can expand to a thousand times as much: the caller decides after each call whether
    /// it wants more. Bytes that zlib has used and not given out wait inside of it, at most a window's.
    ///
    /// - Parameter room: 1 or more; no more memory than that is taken.
    /// - Returns: whether there is more to come without further input: call again, with the rest of the input if any is left.
    /// - Throws: `.corrupt`, `.trailingData` for bytes behind the end of the zlib stream, `.outOfMemory`. What was expanded
    ///   before the fault is appended all the same. Every later call throws the same.
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
            // Nothing to do: no input, and nothing waits inside.
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

    /// The window is as large as the stream's own header says, so that a server that asks for less takes less.
    private static let windowOfHeader: Int32 = 0
}
