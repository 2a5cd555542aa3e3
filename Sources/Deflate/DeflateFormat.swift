/// The frame around compressed data. The data inside is the same in all three (RFC 1951).
package enum DeflateFormat: Sendable, Equatable, CaseIterable {
    /// RFC 1952, with a CRC-32 and the length at the end; HTTP calls it `gzip`.
    case gzip
    /// RFC 1950, with an Adler-32 at the end; HTTP calls it `deflate` (RFC 9110 §8.4.1.2).
    case zlib
    /// No frame and no check. Some clients send it as `deflate`.
    case raw

    /// The format of data that a client calls `deflate`: `zlib`, or `raw` when the first two bytes are no header of RFC
    /// 1950 §2.2.
    ///
    /// The two cannot be confused: a raw stream with such a beginning would have a stored block whose padding is not
    /// zero, and no encoder writes that.
    package init(deflateCoding bytes: Span<UInt8>) {
        guard bytes.count >= 2 else {
            self = .zlib
            return
        }
        let header = Int(bytes[0]) << 8 | Int(bytes[1])
        self = bytes[0] & 0x0F == 8 && bytes[0] >> 4 <= 7 && header % 31 == 0 ? .zlib : .raw
    }

    /// zlib's number for the format together with the window size, 9...15 as a power of two.
    func windowBits(_ window: Int32) -> Int32 {
        switch self {
        case .gzip: window + 16
        case .zlib: window
        case .raw: -window
        }
    }
}
