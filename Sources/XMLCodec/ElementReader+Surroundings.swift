extension ElementReader {
    /// What libxml2 has read before a piece, and of which it does not come to the end.
    ///
    /// Beginning a document costs libxml2 five allocations, and each declaration of a namespace four. So short pieces are read
    /// one after the other in one document. It is left open only behind a piece that was in order and has closed all that it
    /// opened; whatever else happens, the next piece begins a new document.
    enum Surroundings: Equatable {
        /// Nothing: the piece is a document.
        case none
        /// An element without meaning. The piece is the root that the subclass is asked about, and ends with its end tag.
        case wrapper
        /// The root of a stream. The piece is one child of it and nothing else.
        case stream(StreamScope)
    }
}
