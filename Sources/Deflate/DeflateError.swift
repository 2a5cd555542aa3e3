/// Why compressed data could not be expanded.
package enum DeflateError: Error, Equatable, Sendable, CaseIterable {
    /// The data is not of its format, its check does not match, or it asks for a preset dictionary.
    case corrupt
    /// The data ends before its format says so.
    case truncated
    /// The result is longer than the caller allows.
    case tooLarge
    /// Bytes follow the end of the data.
    case trailingData
    /// zlib got no memory: nobody's fault.
    case outOfMemory
}
