extension ElementReader {
    /// The start of a document that libxml2 has read before a piece, and whose end it never reads.
    ///
    /// To begin a document costs libxml2 five allocations, and each declaration of a namespace four. So short pieces
    /// are read one after the other in one document. The document stays open only after a valid piece that has closed
    /// all its elements; otherwise the next piece begins a new document.
    enum Surroundings: Equatable {
        /// The piece is a whole document.
        case none
        /// An element without meaning. The piece is the root that the subclass checks, and ends with the root's end
        /// tag.
        case wrapper
        /// The root of a stream. The piece is exactly one child of it.
        case stream(StreamScope)
    }
}
