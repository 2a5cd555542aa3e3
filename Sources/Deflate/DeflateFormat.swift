/// How compressed data is framed. The data between the frame's ends is the same in all three (RFC 1951).
package enum DeflateFormat: Sendable, Equatable, CaseIterable {
    /// RFC 1952, with a CRC-32 and the length at the end: what HTTP calls `gzip`.
    case gzip
    /// RFC 1950, with an Adler-32 at the end: what HTTP calls `deflate` (RFC 9110 §8.4.1.2).
    case zlib
    /// No frame and no check. Some clients send it as `deflate`.
    case raw

    /// What a client that says `deflate` has sent: `zlib`, or `raw` when the first two bytes are no header of RFC 1950 §2.2.
    ///
    /// The two cannot be confused: a raw stream that begins like such a header begins with a stored block whose padding is
    /// not zero, which no encoder writes.
    package init(deflateCoding bytes: Span<UInt8>) {
        guard bytes.count >= 2 else {
            self = .zlib
            return
        }
        let header = Int(bytes[0]) << 8 | Int(bytes[1])
        self = bytes[0] & 0x0F == 8 && bytes[0] >> 4 <= 7 && header % 31 == 0 ? .zlib : .raw
    }

    /// zlib's way to say the format together with the size of the window, 9...15 as a power of two.
    func windowBits(_ window: Int32) -> Int32 {
        switch self {
        case .gzip: window + 16
        case .zlib: window
        case .raw: -window
        }
    }
}
