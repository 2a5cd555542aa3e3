import StreamCore

/// Checks the pieces that `UpstreamXML` cut, with one libxml2 context for all streams of a worker, and prepares them
/// for a BOSH response. A worker has one.
///
/// Specification: RFC 6120 §4.8, §11; XEP-0206 §2; `N-10`, `X-06`, `X-14`, `L-12`.
package final class UpstreamReader {
    private let stanzas: StanzaReader
    private let large: LargeElementReader
    /// The contexts for skipped elements.
    let skips: SkipContexts
    /// The document for the reader: a root with the stream's declarations around one piece.
    private var document: [UInt8] = []

    /// A reader with these limits.
    ///
    /// `largestFromClient`: the most bytes of one element that a client can send to the server through this program. A
    /// server that announces more is corrected (XEP-0478 §3). By default announcements stay as they are.
    package init(limits: XMLLimits = XMLLimits(), largestFromClient: Int = .max) {
        stanzas = StanzaReader(limits: limits, largestFromClient: largestFromClient)
        large = LargeElementReader(limits: limits, largestFromClient: largestFromClient)
        skips = SkipContexts(limits: stanzas.limits)
    }

    /// The number of strings in libxml2's dictionary.
    var nameCount: Int { stanzas.nameCount }

    /// The limits, which the framer of each stream shares.
    package var limits: XMLLimits { stanzas.limits }

    /// The most bytes of one element that is delivered while the worker is short of memory; nil otherwise. A larger
    /// element is skipped, even when it has begun to come.
    package var shortageBound: Int?

    /// The most bytes of one element that is delivered now.
    var mostBytes: Int { min(shortageBound ?? .max, limits.elementSize) }

    /// Reads a stream header, from its XML declaration to its `>`. `scope` becomes the stream's.
    func readHeader(_ piece: Span<UInt8>, scope: inout StreamScope) -> UpstreamItem {
        let start: Int
        do {
            start = try XMLDeclaration.skip(in: piece)
        } catch {
            return .fault(error.asStreamFault)
        }
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        document.removeAll(keepingCapacity: true)
        document.appendClosed(piece, from: start)
        stanzas.prepare(for: .header)
        let fault = stanzas.read(document.span)
        trimDocument()
        if let fault { return .fault(fault.asStreamFault) }
        scope = StreamScope(startTag: stanzas.takeScope())
        return .header(stanzas.header)
    }

    /// Reads one first-level element.
    func readElement(_ piece: Span<UInt8>, scope: StreamScope) -> UpstreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        stanzas.prepare(for: .element(0..<piece.count))
        let fault = stanzas.read(piece, in: .stream(scope))
        let item = stanzas.takeItem()
        if let fault { return .fault(fault.asStreamFault) }
        return item ?? .fault(.malformed)
    }

    /// Longer elements are read in steps of this many bytes, so that a step takes at most a millisecond.
    package static let step = 32 * 1_024

    /// Continues a long element by a step; nil until it is read to its end.
    func proceed(_ element: LargeElement) -> UpstreamItem? {
        large.proceed(element, budget: Self.step)
    }

    /// Whose `to` says who the client of the stream is that is read next. A worker sets it before it reads a stream,
    /// because all of its streams share the reader.
    package var addresseeRule: AddresseeRule {
        get { stanzas.addresseeRule }
        set { stanzas.addresseeRule = newValue }
    }

    /// The bare JID of the stream's client, if the element that was read last says it; nil when asked again.
    package func takeUser() -> String? { stanzas.user.take() }

    /// Reads the stream's end tag.
    func readEnd(_ piece: Span<UInt8>, scope: StreamScope) -> UpstreamItem {
        guard CharacterCheck.validPrefix(of: piece) == piece.count else { return .fault(.malformed) }
        document.removeAll(keepingCapacity: true)
        scope.appendStartTag(into: &document)
        document.append(contentsOf: piece, from: 0, to: piece.count)
        stanzas.prepare(for: .end)
        let fault = stanzas.read(document.span)
        trimDocument()
        if let fault { return .fault(fault.asStreamFault) }
        return .end
    }

    /// Releases the memory of a large piece.
    private func trimDocument() {
        if document.capacity > 65_536 { document = [] }
    }
}

extension [UInt8] {
    /// Appends a root's start tag, which follows in `piece` from `start` on, and an end tag for it.
    mutating func appendClosed(_ piece: Span<UInt8>, from start: Int) {
        append(contentsOf: piece, from: start, to: piece.count)
        append(literal: "</")
        let nameStart = piece.skippingSpace(from: start, to: piece.count)
        var nameEnd = nameStart
        while nameEnd < piece.count, !piece[nameEnd].endsName { nameEnd += 1 }
        append(contentsOf: piece, from: Swift.min(nameStart + 1, nameEnd), to: nameEnd)
        append(UInt8(ascii: ">"))
    }
}
