import CZlib

/// Expands compressed data, a whole piece at a time; one context for all of them.
///
/// It takes about 7 KB, and 32 KB more from the first piece on whose result did not fit at once.
@safe
package struct Inflater: ~Copyable {
    /// zlib keeps a pointer to it, so it stays where it is.
    @safe private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when there is no memory.
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

    /// Appends what `input` expands to: all of it, or nothing when an error is thrown.
    ///
    /// Of gzip data one member may follow the other (RFC 1952 §2.2); anything else behind the end is `trailingData`.
    ///
    /// - Parameter limit: the most bytes that may be appended. Never more than about twice as much memory is taken,
    ///   whatever the input claims.
    package mutating func inflate(
        _ input: Span<UInt8>, as format: DeflateFormat, limit: Int, into output: inout [UInt8]
    ) throws(DeflateError) {
        guard let length = uInt(exactly: input.count) else { throw .tooLarge }
        let start = output.count
        do throws(DeflateError) {
            guard unsafe inflateReset2(stream, format.windowBits(Self.window)) == Z_OK else { throw .outOfMemory }
            try unsafe input.withUnsafeBufferPointer { bytes throws(DeflateError) in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe stream.pointee.avail_in = length
                try inflateMembers(of: format, limit: max(0, limit), into: &output)
            }
        } catch {
            output.removeSubrange(start...)
            throw error
        }
    }

    private mutating func inflateMembers(
        of format: DeflateFormat, limit: Int, into output: inout [UInt8]
    ) throws(DeflateError) {
        let start = output.count
        var room = unsafe max(Self.leastRoom, Int(stream.pointee.avail_in) * 4)
        while true {
            // One byte more than allowed tells a result that is too large from one that fits exactly.
            let allowed = limit - (output.count - start)
            // With Z_FINISH a result that fits at once needs no window.
            let status = unsafe append(
                to: &output, room: uInt(clamping: min(room, allowed == Int.max ? allowed : allowed + 1)), from: stream
            ) { unsafe CZlib.inflate($0, Z_FINISH) }
            guard output.count - start <= limit else { throw .tooLarge }
            switch status {
            case Z_STREAM_END:
                guard unsafe stream.pointee.avail_in > 0 else { return }
                try beginNextMember(of: format)
            case Z_OK, Z_BUF_ERROR:
                guard unsafe stream.pointee.avail_out == 0 else { throw .truncated }
                room = max(room, output.count - start)
            case Z_MEM_ERROR:
                throw .outOfMemory
            default:
                throw .corrupt
            }
        }
    }

    /// Something stands behind the end: another member of gzip data, or what does not belong there.
    private mutating func beginNextMember(of format: DeflateFormat) throws(DeflateError) {
        guard format == .gzip, let next = unsafe stream.pointee.next_in, unsafe next[0] == 0x1F,
            unsafe stream.pointee.avail_in == 1 || next[1] == 0x8B
        else { throw .trailingData }
        guard unsafe inflateReset(stream) == Z_OK else { throw .outOfMemory }
    }

    /// The largest window there is: the sender chose it.
    private static let window: Int32 = 15
    private static let leastRoom = 1024
}
