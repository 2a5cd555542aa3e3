/// Why compressed data could not be expanded.
package enum DeflateError: Error, Equatable, Sendable, CaseIterable {
    /// The data does not have its format, its check does not match, or it needs a preset dictionary.
    case corrupt
    /// The data ends too early for its format.
    case truncated
    /// The result is longer than the caller allows.
    case tooLarge
    /// Bytes follow the end of the data.
    case trailingData
    /// zlib got no memory; the peer is not at fault.
    case outOfMemory
}
