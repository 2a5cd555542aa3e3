import StreamCore

/// A whole first-level element from a server that is too long to be read in one turn of the loop.
///
/// Releasing the element ends its reading and frees all that this takes.
final class LargeElement {
    /// The element inside its stream's root.
    fileprivate let document: [UInt8]
    fileprivate let range: Range<Int>
    /// Whether its characters were checked.
    fileprivate var isChecked = false
    fileprivate var offset: Int
    /// Its reader, with a libxml2 context of its own; nil until its turn comes.
    fileprivate var stanzas: StanzaReader?

    /// The bytes that it takes.
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

/// Reads the large elements of all streams of a worker, one after the other and each in steps. So the memory that
/// libxml2 needs for one is taken only once, and short elements of other streams are read in between.
final class LargeElementReader {
    private let limits: XMLLimits
    private let largestFromClient: Int
    /// The element whose turn it is; nil as soon as its stream has released it.
    private weak var current: LargeElement?

    init(limits: XMLLimits, largestFromClient: Int) {
        self.limits = limits
        self.largestFromClient = largestFromClient
    }

    /// Continues an element, through about `budget` bytes.
    ///
    /// - Returns: the item, once the element is read; nil while there is more to do or another element is being read.
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

    /// Checks the next characters; false when one is not allowed.
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
