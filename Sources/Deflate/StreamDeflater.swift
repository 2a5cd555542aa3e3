import CZlib

/// Compresses one XML stream, piece by piece, as one zlib stream without an end (XEP-0138 §5, RFC 1950).
///
/// The other side can expand each piece completely (Z_SYNC_FLUSH).
///
/// The context takes 16 KB while the stream lives, where zlib's default takes 268: what clients send is short and
/// resembles what they sent just before. A window of 1 KB leaves 28 % of such stanzas, 2 KB 19 %, and 32 KB 14 %. A
/// stanza takes about 4 us, at the usual level and at the fastest (zlib 1.2.13).
@safe
package struct StreamDeflater: ~Copyable {
    /// zlib keeps a pointer to it, so it must not move.
    @safe private let stream: UnsafeMutablePointer<z_stream>

    /// A compressor; nil when there is no memory.
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

    /// Appends `input` compressed; nothing for no input.
    ///
    /// - Returns: false when zlib fails or `input` is longer than 4 GB; the stream cannot be used then.
    package mutating func deflate(_ input: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        guard !input.isEmpty else { return true }
        guard let length = uInt(exactly: input.count) else { return false }
        return unsafe input.withUnsafeBufferPointer { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = length
            // Room for all of it at once, usually: an interrupted flush writes its marker twice.
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
    /// 2 KB; zlib keeps twice that, and as much again for its search tables.
    private static let window: Int32 = 11
    /// 2^(memoryLevel + 9) bytes for hash table and symbols.
    private static let memoryLevel: Int32 = 2
    /// At least the bytes with which Z_SYNC_FLUSH ends.
    private static let flushMarker: uLong = 16
}
