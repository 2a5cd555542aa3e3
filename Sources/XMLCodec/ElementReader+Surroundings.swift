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

extension ElementReader {
    /// The start tag of a stream with this prefix, with only its name and its declarations: the surroundings of the
    /// elements in the stream.
    func rootTag(prefix: InternedName) -> [UInt8] {
        var tag: [UInt8] = [UInt8(ascii: "<")]
        if !prefix.isNone {
            tag.append(contentsOf: prefix.bytes)
            tag.append(UInt8(ascii: ":"))
        }
        tag.append(literal: "stream")
        for declaration in rootScope {
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(declaration.uri.bytes), into: &tag)
        }
        tag.append(UInt8(ascii: ">"))
        return tag
    }
}
