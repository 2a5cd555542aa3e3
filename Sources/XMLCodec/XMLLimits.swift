/// The limits for XML from either side (`N-11`). HTTP limits the size of a whole `<body/>`.
package struct XMLLimits: Sendable, Equatable {
    /// The greatest depth of elements, with the root (`<body/>`, `<stream:stream>`) as one. libxml2 has its own bound
    /// only where it builds a tree or gets the whole document.
    package var depth: Int
    /// The most attributes, namespace declarations included, of one element.
    package var attributes: Int
    /// The most new names (elements, attributes, prefixes, namespaces) of one body or one stanza.
    package var names: Int
    /// The most namespace declarations in scope at one place.
    package var declarations: Int
    /// The most bytes of declarations that may be added to the elements of one `<body/>`, and that a server's stream
    /// header may have. Without this bound a long namespace would be copied into many short elements.
    package var declarationBytes: Int
    /// The most first-level elements of one `<body/>`.
    package var children: Int
    /// The most elements of one document, at any depth.
    package var elements: Int
    /// The most namespace declarations of one document whose value is not a URI.
    package var oddNamespaces: Int
    /// The most bytes of one element from the server; at most 8 MiB, because libxml2 refuses 10 MB.
    package var elementSize: Int
    /// The most bytes of one element that is skipped because it broke another limit.
    package var skippedSize: Int

    /// The greatest depth of a skipped element: libxml2 keeps some 40 bytes for each level. A server with the usual
    /// limit of 512 KiB a stanza has room for fewer levels, because `<a></a>` has seven bytes.
    static let skippedDepth = 100_000
    /// The most attributes of one tag that libxml2 may compare each with each.
    static let comparedAttributes = 4_096

    /// The most bytes of a server's stream header with its XML declaration: it comes before any login, and a usual one
    /// has some 200.
    package var headerSize: Int { min(elementSize, 16_384) }

    /// Limits; each has a default.
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

/// One of the bounds in `XMLLimits`, by its name in a log line.
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
    /// The number of elements that are skipped at the same time.
    case skips
}

/// Why XML was refused. Nothing of a refused document is used.
package enum XMLFault: Error, Sendable, Equatable {
    /// Not well-formed or not namespace-well-formed (`N-04`).
    case malformed
    /// A DTD, processing instruction, comment, or an entity that is not one of the five (`N-02`).
    case restrictedXML
    /// Not UTF-8, another declared encoding, or a character that XML 1.0 forbids (`N-08`, `N-09`).
    case encoding
    /// The root is not the expected element, or not in its namespace (`N-01`).
    case invalidRoot
    /// Text between first-level elements (`N-03`).
    case text
    /// A first-level element that only the connection manager may send: in the streams, STARTTLS or compression
    /// namespace, or one that would log in by the connection manager's certificate.
    case forbiddenElement
    /// A limit was broken.
    case limit(XMLLimit)
}

/// Why a `<body/>` was refused; each is told as `bad-request` (XEP-0124 §17.2).
package typealias BodyFault = XMLFault
