import Deflate
import TLSCodec

/// What a link has read and not handled, because it was the others' turn or because its client fetches nothing. The link is
/// not read meanwhile, so that this is what one read brought.
final class LinkBacklog {
    /// As the bytes came from the connection or from TLS.
    var bytes: [UInt8] = []
    var rest: UnhandledBytes

    init(_ rest: UnhandledBytes) {
        self.rest = rest
    }
}

/// How far the handling of bytes that were read has come.
struct UnhandledBytes {
    /// How many of them are used.
    var offset = 0
    /// What those became that were expanded last, where the stream is compressed, and how much of it is used.
    var expanded: [UInt8] = []
    var expandedOffset = 0
    /// Whether more can be expanded without another byte.
    var canExpand = false
    /// What was found wrong behind what was expanded.
    var failure: DeflateError?
    /// How TLS has ended behind them; nil while it goes on.
    var ending: ProtectionEnd?

    /// Whether nothing more comes of bytes that are used.
    var isExpanded: Bool { expandedOffset >= expanded.count && !canExpand && failure == nil }
}

/// How the TLS of a stream ends.
enum ProtectionEnd {
    /// The server has said goodbye.
    case closed
    case broken(TLSError)
}
