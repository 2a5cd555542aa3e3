/// The bounds on XML from either side (`N-11`). The size of a whole `<body/>` is bounded by the HTTP layer.
package struct XMLLimits: Sendable, Equatable {
    /// How deep elements may nest, the root (`<body/>`, `<stream:stream>`) counted as one. libxml2 has a bound of its own only
    /// where it builds a tree, or where it is given the whole document.
    package var depth: Int
    /// How many attributes, namespace declarations included, one element may have.
    package var attributes: Int
    /// How many names that were not met before (elements, attributes, prefixes, namespaces) one body or one stanza may bring.
    package var names: Int
    /// How many namespace declarations may be in scope at one place.
    package var declarations: Int
    /// How many bytes of declarations may be added to the elements of one `<body/>`, and how many a server's stream header may
    /// hold: a long namespace used by many short elements would otherwise grow with each.
    package var declarationBytes: Int
    /// How many first-level elements one `<body/>` may hold.
    package var children: Int
    /// How many elements one document may hold, at any depth.
    package var elements: Int
    /// How many namespace declarations of one document may name what is no URI.
    package var oddNamespaces: Int
    /// The most bytes of one element from the server; at most 8 MiB, because libxml2 refuses 10 MB.
    package var elementSize: Int
    /// The most bytes of one element that is skipped for having passed another limit.
    package var skippedSize: Int

    /// How deep a skipped element may nest: libxml2 keeps some 40 bytes for each level. A server that takes stanzas of
    /// 512 KiB, as usual, has room for fewer: `<a></a>` has seven bytes.
    static let skippedDepth = 100_000
    /// With how many attributes in one tag libxml2 may be left to compare each with each.
    static let comparedAttributes = 4_096

    /// The most bytes of a server's stream header with its XML declaration: nobody has logged in when it comes, and an honest
    /// one has some 200.
    package var headerSize: Int { min(elementSize, 16_384) }

    /// Limits; what is not given has its default.
    package init(
        depth: Int = 64, attributes: Int = 64, names: Int = 2048, declarations: Int = 128,
        declarationBytes: Int = 16_384, children: Int = 1024, elements: Int = .max, oddNamespaces: Int = .max,
        elementSize: Int = 1_048_576, skippedSize: Int = 64 * 1_048_576
    ) {
        self.depth = min(max(depth, 2), Self.skippedDepth)
        self.attributes = min(max(attributes, 1), 16_384)
        self.names = max(names, 1)
        self.declarations = max(declarations, 1)
        self.declarationBytes = max(declarationBytes, 256)
        self.children = max(children, 1)
        self.elements = max(elements, 1)
        self.oddNamespaces = max(oddNamespaces, 1)
        self.elementSize = min(max(elementSize, 1), 8 * 1_048_576)
        self.skippedSize = max(skippedSize, self.elementSize)
    }
}

/// One of the bounds in `XMLLimits`, by the name it has in a log line.
package enum XMLLimit: String, Sendable, CaseIterable {
    /// `XMLLimits.depth`.
    case depth
    /// `XMLLimits.attributes`.
    case attributes
    /// `XMLLimits.names`.
    case names
    /// `XMLLimits.declarations`.
    case declarations
    /// `XMLLimits.declarationBytes`.
    case declarationBytes = "declaration-bytes"
    /// `XMLLimits.children`.
    case children
    /// `XMLLimits.elements`.
    case elements
    /// `XMLLimits.oddNamespaces`.
    case oddNamespaces = "odd-namespaces"
    /// `XMLLimits.elementSize`.
    case elementSize = "element-size"
    /// `XMLLimits.headerSize`.
    case headerSize = "header-size"
    /// `XMLLimits.skippedSize`.
    case skippedSize = "skipped-size"
    /// How many elements are skipped at the same time.
    case skips
}

/// Why XML was refused. Nothing of what was refused is handed out.
package enum XMLFault: Error, Sendable, Equatable {
    /// Not well-formed or not namespace-well-formed (`N-04`).
    case malformed
    /// A DTD, processing instruction, comment, or an entity that is not one of the five (`N-02`).
    case restrictedXML
    /// Not UTF-8, another declared encoding, or a character that XML 1.0 forbids (`N-08`, `N-09`).
    case encoding
    /// The root is not the element it has to be, or not in its namespace (`N-01`).
    case invalidRoot
    /// Text between first-level elements (`N-03`).
    case text
    /// A first-level element that belongs to the connection manager alone: in the streams, STARTTLS or compression namespace,
    /// or one that would log in by the connection manager's certificate.
    case forbiddenElement
    /// A limit was passed.
    case limit(XMLLimit)
}

/// Why a `<body/>` was refused: `bad-request` (XEP-0124 §17.2), whichever it is.
package typealias BodyFault = XMLFault
