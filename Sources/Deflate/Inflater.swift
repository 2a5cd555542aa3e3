import CZlib

/// Expands compressed data, one piece after the other, with one context for all pieces.
///
/// The context takes about 7 KB, and 32 KB more after the first piece whose result did not fit at once.
@safe
package struct Inflater: ~Copyable {
    /// zlib keeps a pointer to it, so it must not move.
    @safe private let stream: UnsafeMutablePointer<z_stream>

    /// An expander; nil when there is no memory.
    package init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe holdfast_inflateInit2(stream, DeflateFormat.zlib.windowBits(Self.window)) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends the expanded `input`: all of it, or nothing when an error is thrown.
    ///
    /// gzip data may have several members (RFC 1952 §2.2). Anything else after the end is `trailingData`.
    ///
    /// - Parameter limit: the most bytes that may be appended. The call takes at most about twice as much memory,
    ///   whatever the input claims.
    package mutating func inflate(
        _ input: Span<UInt8>, as format: DeflateFormat, limit: Int, into output: inout [UInt8]
    ) throws(DeflateError) {
        guard input.count <= Int(uInt.max) else { throw .tooLarge }
        let start = output.count
        do throws(DeflateError) {
            try begin(as: format, limit: limit)
            // A result that fits at once needs no window.
            var room = max(Self.leastRoom, input.count * 4)
            while try !proceed(input, by: input.count, room: room, flush: Z_FINISH, into: &output) {
                room = max(room, output.count - start)
            }
        } catch {
            output.removeSubrange(start...)
            throw error
        }
    }

    /// The state of a piece of data that is being expanded.
    private struct Progress {
        let format: DeflateFormat
        let limit: Int
        var consumed = 0
        var produced = 0
    }

    private var progress = Progress(format: .zlib, limit: 0)

    /// Begins a piece of data that is too long to expand at once; `proceed` continues it.
    package mutating func begin(as format: DeflateFormat, limit: Int) throws(DeflateError) {
        guard unsafe inflateReset2(stream, format.windowBits(Self.window)) == Z_OK else { throw .outOfMemory }
        progress = Progress(format: format, limit: max(0, limit))
    }

    /// Continues the piece: takes up to `step` bytes of `input`, which must be the same in each call, and appends up to
    /// `step` bytes. When an error is thrown, what was appended is worthless.
    ///
    /// - Returns: whether the whole piece has been expanded.
    package mutating func proceed(
        _ input: Span<UInt8>, step: Int, into output: inout [UInt8]
    ) throws(DeflateError) -> Bool {
        let step = max(step, 1)
        return try proceed(input, by: step, room: step, flush: Z_NO_FLUSH, into: &output)
    }

    private mutating func proceed(
        _ input: Span<UInt8>, by step: Int, room: Int, flush: Int32, into output: inout [UInt8]
    ) throws(DeflateError) -> Bool {
        let end = progress.consumed + min(step, input.count - progress.consumed)
        return try unsafe input.withUnsafeBufferPointer { bytes throws(DeflateError) in
            var room = room
            repeat {
                let rest = unsafe UnsafeBufferPointer(rebasing: bytes[progress.consumed..<end])
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: rest.baseAddress)
                unsafe stream.pointee.avail_in = uInt(clamping: rest.count)
                // One byte more than allowed distinguishes a result that is too large from one that fits exactly.
                let allowed = progress.limit - progress.produced
                let before = output.count
                let status = unsafe append(
                    to: &output, room: uInt(clamping: min(room, allowed == Int.max ? allowed : allowed + 1)),
                    from: stream
                ) { unsafe CZlib.inflate($0, flush) }
                room -= output.count - before
                progress.produced += output.count - before
                unsafe progress.consumed = end - Int(stream.pointee.avail_in)
                guard progress.produced <= progress.limit else { throw .tooLarge }
                switch status {
                case Z_STREAM_END:
                    guard progress.consumed < bytes.count else { return true }
                    try unsafe beginNextMember(UnsafeBufferPointer(rebasing: bytes[progress.consumed...]))
                case Z_OK, Z_BUF_ERROR:
                    guard unsafe stream.pointee.avail_out > 0 else { return false }
                    guard end < bytes.count else { throw .truncated }
                case Z_MEM_ERROR:
                    throw .outOfMemory
                default:
                    throw .corrupt
                }
            } while room > 0 && progress.consumed < end
            return false
        }
    }

    /// Bytes follow the end: another member of gzip data, or trailing data.
    private mutating func beginNextMember(_ rest: UnsafeBufferPointer<UInt8>) throws(DeflateError) {
        guard progress.format == .gzip, unsafe rest[0] == 0x1F, unsafe rest.count == 1 || rest[1] == 0x8B
        else { throw .trailingData }
        guard unsafe inflateReset(stream) == Z_OK else { throw .outOfMemory }
    }

    /// The largest window there is, because the sender chose it.
    private static let window: Int32 = 15
    private static let leastRoom = 1024
}
