import StreamCore

/// A first-level element from a server that has come whole, and is too long to be read in one turn of the loop.
///
/// Whoever lets go of it ends its reading, and frees all that this takes.
final class LargeElement {
    /// The element inside its stream's root.
    fileprivate let document: [UInt8]
    fileprivate let range: Range<Int>
    /// Whether its characters are known to be some, and how far the pass over them or over its XML has come.
    fileprivate var isChecked = false
    fileprivate var offset: Int
    /// What reads it, with a libxml2 context of its own; nil until its turn comes.
    fileprivate var stanzas: StanzaReader?

    /// How many bytes it takes.
    var byteCount: Int { document.capacity }

    /// The element's own bytes.
    var element: ArraySlice<UInt8> { document[range] }

    init(_ element: Span<UInt8>, scope: StreamScope) {
        var document: [UInt8] = []
        document.reserveCapacity(element.count + 256)
        scope.appendStartTag(into: &document)
        let start = document.count
        document.append(contentsOf: element, from: 0, to: element.count)
        range = start..<document.count
        offset = start
        scope.appendEndTag(into: &document)
        self.document = document
    }
}

/// Reads large elements of all streams of a worker, one after the other and each in steps: what libxml2 takes for one is
/// taken once, and the short elements of other streams are read in between.
final class LargeElementReader {
    private let limits: XMLLimits
    private let largestFromClient: Int
    /// The element whose turn it is; nil as soon as its stream has let go of it.
    private weak var current: LargeElement?

    init(limits: XMLLimits, largestFromClient: Int) {
        self.limits = limits
        self.largestFromClient = largestFromClient
    }

    /// Goes on with an element, through about `budget` bytes of it.
    ///
    /// - Returns: what it is, once it is read; nil while there is more to do or another one is being read.
    func proceed(_ element: LargeElement, budget: Int) -> UpstreamItem? {
        if !element.isChecked {
            guard check(element, budget: budget) else { return .fault(.malformed) }
            return nil
        }
        if current !== element {
            guard current == nil else { return nil }
            current = element
            let stanzas = StanzaReader(limits: limits, largestFromClient: largestFromClient)
            stanzas.prepare(for: .element(element.range))
            element.stanzas = stanzas
        }
        guard let stanzas = element.stanzas else { return .fault(.malformed) }
        let result: UpstreamItem
        let document = element.document
        switch stanzas.read(document.span, from: &element.offset, budget: budget) {
        case .goesOn: return nil
        case .refused(let fault): result = .fault(fault.asStreamFault)
        case .inOrder: result = stanzas.takeItem() ?? .fault(.malformed)
        }
        current = nil
        element.stanzas = nil
        return result
    }

    /// A step over the characters; false when something is none.
    private func check(_ element: LargeElement, budget: Int) -> Bool {
        let document = element.document
        guard CharacterCheck.advance(in: document.span, from: &element.offset, budget: budget) else { return false }
        if element.offset == document.count {
            element.isChecked = true
            element.offset = 0
        }
        return true
    }
}
