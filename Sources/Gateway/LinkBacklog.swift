import Deflate
import Primitives
import TLSCodec

/// What a link has read and not handled yet, because the others' turn came or because its client fetches nothing. The
/// link is not read meanwhile, so this is the input of a single read.
final class LinkBacklog {
    /// The bytes as they came from the connection or from TLS.
    var bytes: [UInt8] = []
    var rest: UnhandledBytes
    /// When the bytes were read.
    let readAt: MonotonicInstant

    init(_ rest: UnhandledBytes, readAt: MonotonicInstant) {
        self.rest = rest
        self.readAt = readAt
    }
}

/// How far the handling of bytes that were read has come.
struct UnhandledBytes {
    /// How many of the bytes are used.
    var offset = 0
    /// The latest expanded bytes of a compressed stream, and how many of them are used.
    var expanded: [UInt8] = []
    var expandedOffset = 0
    /// Whether more can be expanded without further input.
    var canExpand = false
    /// The error that the expansion met after the expanded bytes.
    var failure: DeflateError?
    /// How TLS ended after these bytes; nil if it has not ended.
    var ending: ProtectionEnd?

    /// Whether the used bytes yield nothing more.
    var isExpanded: Bool { expandedOffset >= expanded.count && !canExpand && failure == nil }
}

/// How the TLS of a stream ends.
enum ProtectionEnd {
    /// The server has sent the closing message of TLS.
    case closed
    case broken(TLSError)
}
