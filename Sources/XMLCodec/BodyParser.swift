import BOSHCore
import CLibXML2

/// The result of reading the bytes of a `<body/>`.
package enum BodyParse: Sendable, Equatable {
    /// A whole and valid body. `payload` holds its children back to back, as they came, ready for a stream whose
    /// default namespace is `jabber:client`: the namespaces that they took from the body are declared in them, and
    /// stanzas without `xml:lang` have the body's. `stanzas` counts the children.
    case body(BodyAttributes, payload: [UInt8], stanzas: Int)
    /// Not a valid body. `attributes` are there when the start tag could be read; they tell whose fault it is (`T-13`).
    case refused(BodyFault, attributes: BodyAttributes?)
}

/// Reads `<body/>` requests, one after the other, with one libxml2 context. A worker has one.
///
/// Specification: XEP-0124 §6, XEP-0206 §2, RFC 6120 §11.1 (`N-01` to `N-12`, `R-18`).
package final class BodyParser {
    private let reader: BodyReader

    /// A parser with these limits.
    package init(limits: XMLLimits = XMLLimits()) {
        reader = BodyReader(limits: limits)
    }

    /// Reads a whole request body. Returns its content only if all of it is valid.
    package func parse(_ body: Span<UInt8>) -> BodyParse {
        var progress = Progress()
        while true {
            let step = advance(&progress, in: body, budget: .max)
            guard case .goesOn = step else { return outcome(of: step, body) }
        }
    }

    /// The state of reading one body. Three passes follow each other: over its characters, over its frame, over its
    /// XML.
    private struct Progress {
        enum Pass {
            case declaration, characters, frame, content
        }

        var pass = Pass.declaration
        /// The offset after the XML declaration.
        var start = 0
        /// The offset after the root, once its frame is known.
        var end = 0
        /// The offset that the pass has reached; the last pass counts from `start`.
        var offset = 0
        var framer = ElementFramer()
    }

    /// A body that is read step by step.
    private struct Pending {
        let body: [UInt8]
        var progress = Progress()
    }

    private var pending: Pending?

    /// Begins a body that is too long to be read at once; `proceed` continues it.
    package func begin(_ body: [UInt8]) {
        pending = Pending(body: body)
    }

    /// Continues the body, through about `budget` bytes in one of the passes.
    ///
    /// - Returns: the result of `parse` when the body is read; the parser then lets go of it. Nil while there is more
    ///   to do; no other body may be parsed in between.
    package func proceed(budget: Int) -> BodyParse? {
        guard var current = pending else { return .refused(.malformed, attributes: nil) }
        pending = nil
        let body = current.body
        let step = advance(&current.progress, in: body.span, budget: budget)
        guard case .goesOn = step else { return outcome(of: step, body.span) }
        pending = current
        return nil
    }

    /// The result of one step. It is small, because several functions pass it on.
    private enum Step {
        case goesOn
        /// The whole body is valid; the reader has the results.
        case valid
        /// The body was refused before the reader saw any of it.
        case unreadable(BodyFault)
        /// The body was refused for its frame; the bytes up to `end` are valid.
        case misframed(BodyFault, end: Int)
        /// The body was refused by the reader, which has the attributes if it reached them.
        case refused(BodyFault)
    }

    private func outcome(of step: Step, _ body: Span<UInt8>) -> BodyParse {
        switch step {
        case .goesOn, .valid:
            guard let attributes = reader.takeAttributes() else { return .refused(.malformed, attributes: nil) }
            return .body(attributes, payload: reader.takePayload(), stanzas: reader.childCount)
        case .unreadable(let fault):
            return .refused(fault, attributes: nil)
        case .misframed(let fault, let end):
            // The framer looks at the tag first, because libxml2 compares each attribute with each, and this fault may come
            // before the framer has counted them.
            return .refused(fault, attributes: parseStartTag(body.extracting(0..<end)))
        case .refused(let fault):
            return .refused(fault, attributes: reader.takeAttributes())
        }
    }

    /// Does one step.
    private func advance(_ progress: inout Progress, in body: Span<UInt8>, budget: Int) -> Step {
        switch progress.pass {
        case .declaration:
            do {
                progress.start = try XMLDeclaration.skip(in: body)
            } catch {
                return .unreadable(error)
            }
            progress.pass = .characters
            return .goesOn
        case .characters:
            guard checkCharacters(body, budget: budget, &progress) else {
                return .misframed(.encoding, end: progress.offset)
            }
            return .goesOn
        case .frame:
            guard let fault = frame(body, budget: budget, &progress) else { return .goesOn }
            return .misframed(fault, end: progress.offset)
        case .content:
            let document = body.extracting(progress.start..<progress.end)
            let isShort = document.count <= BodyReader.mostInSurroundings
            switch reader.read(document, from: &progress.offset, budget: budget, in: isShort ? .wrapper : .none) {
            case .goesOn: return .goesOn
            case .refused(let fault): return .refused(fault)
            case .inOrder: return .valid
            }
        }
    }

    /// Reads only the start tag of a body whose rest is not to be read. Nil when the bytes do not begin like a body.
    /// The cost does not depend on the size of the rest.
    package func parseStartTag(_ body: Span<UInt8>) -> BodyAttributes? {
        let beginning = body.extracting(first: Self.longestStartTag)
        let start: Int
        do {
            start = try XMLDeclaration.skip(in: beginning)
        } catch {
            return nil
        }
        var framer = ElementFramer()
        var offset = start
        switch framer.scan(beginning, from: &offset, limits: reader.limits) {
        case .rootOpened, .rootClosed: break
        case .needMore, .childClosed, .sectionOpened, .sectionClosed, .wideTag, .fault: return nil
        }
        let tag = beginning.extracting(start..<offset)
        guard CharacterCheck.validPrefix(of: tag) == tag.count else { return nil }
        reader.readRoot(tag)
        return reader.takeAttributes()
    }

    /// The longest start tag, with what stands before it, that `parseStartTag` reads: the same as for a server's
    /// header.
    private static let longestStartTag = 16_384

    /// The number of strings in libxml2's dictionary.
    var nameCount: Int { reader.nameCount }

    /// Returns false when a character is not allowed; the offset is then before it.
    private func checkCharacters(_ body: Span<UInt8>, budget: Int, _ progress: inout Progress) -> Bool {
        guard CharacterCheck.advance(in: body, from: &progress.offset, budget: budget) else { return false }
        if progress.offset == body.count {
            progress.pass = .frame
            progress.offset = progress.start
        }
        return true
    }

    /// Runs the framer over the body: there must be one root, with only white space around it.
    private func frame(_ body: Span<UInt8>, budget: Int, _ progress: inout Progress) -> XMLFault? {
        let end = progress.offset + min(max(budget, 1), body.count - progress.offset)
        let piece = body.extracting(0..<end)
        while true {
            switch progress.framer.scan(piece, from: &progress.offset, limits: reader.limits) {
            case .needMore: return end < body.count ? nil : .malformed
            case .rootOpened, .childClosed, .sectionOpened, .sectionClosed, .wideTag: continue
            case .fault(let fault): return fault
            case .rootClosed:
                progress.end = progress.offset
                progress.offset = body.skippingSpace(from: progress.offset, to: body.count)
                guard progress.offset == body.count else { return .malformed }
                progress.pass = .content
                progress.offset = 0
                return nil
            }
        }
    }
}

/// Reads `<body/>` as a root: its attributes, and its children as bytes for the server.
private final class BodyReader: ElementReader {
    @safe @exclusivity(unchecked) private var names = BodyNames()
    private var attributes: BodyAttributes?
    @safe @exclusivity(unchecked) private var payload: [UInt8] = []
    /// The bytes of declarations added to the children so far.
    @safe @exclusivity(unchecked) private var addedBytes = 0
    /// Whether the child's own start tag declares the BOSH namespace.
    @safe @exclusivity(unchecked) private var declaresBOSH = false
    /// The body's `xml:lang`, as text for a stanza's start tag; empty when stanzas take none from the body.
    @safe @exclusivity(unchecked) private var language: [UInt8] = []
    /// The body's declarations as text for a child's start tag, each made when a child first needs it.
    @safe @exclusivity(unchecked) private var declarationTexts: [[UInt8]?] = []
    /// Whether the child is a stanza that takes its language from the body.
    @safe @exclusivity(unchecked) private var inheritsLanguage = false

    func takeAttributes() -> BodyAttributes? {
        defer { attributes = nil }
        return attributes
    }

    /// The payload, without the room that was reserved for white space between elements: it may wait for long.
    func takePayload() -> [UInt8] {
        defer { payload = [] }
        let isLoose = payload.capacity - payload.count > 64 + payload.count / 8
        guard isLoose else { return payload }
        var tight: [UInt8] = []
        tight.reserveCapacity(payload.count)
        tight.append(contentsOf: payload)
        return tight
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = BodyNames(intern)
    }

    override func rootOpened(local: InternedName, prefix: InternedName, uri: InternedName, attributes: SAXAttributes)
        -> XMLFault?
    {
        payload = []
        addedBytes = 0
        guard !local.isNone, local == names.body, uri == names.bosh else { return .invalidRoot }
        var result = BodyAttributes()
        var rare = RareBodyAttributes()
        var hasRare = false
        for index in 0..<attributes.count {
            let isRare = unsafe names.read(
                attributes.local(index), attributes.uri(index), attributes.value(index), into: &result, &rare)
            hasRare = hasRare || isRare
        }
        if hasRare { result.rare = rare }
        self.attributes = result
        language = []
        if let tag = rare.language?.bytes, LanguageTag.isOne(tag) {
            AttributeText.append("xml:lang", tag, into: &language)
        }
        declarationTexts.removeAll(keepingCapacity: true)
        return nil
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard !names.forbidden.contains(child.uri), !names.asksForExternal(child, attributes) else {
            return .forbiddenElement
        }
        if payload.isEmpty { payload.reserveCapacity(remainingCount) }
        let bosh = names.bosh
        declaresBOSH = childScope.contains { $0.uri == bosh }
        inheritsLanguage = !language.isEmpty && isStanza && !names.hasLanguage(attributes)
        return nil
    }

    /// Whether the child is a stanza.
    private var isStanza: Bool {
        guard names.stanzas.contains(child.local) else { return false }
        if child.uri.isNone || child.uri == names.empty { return !childScope.contains { $0.prefix.isNone } }
        return child.uri == names.client || child.uri == names.bosh
    }

    /// The BOSH namespace has no attributes. Once renamed, two of them could have the same name (Namespaces in XML
    /// §6.3).
    override func prefixedAttributeRead(in uri: InternedName) -> XMLFault? {
        uri == names.bosh ? .malformed : nil
    }

    override func childClosed() -> XMLFault? {
        unsafe payload.append(contentsOf: slice(child.start..<child.nameEnd))
        let before = payload.count
        appendDeclarations()
        addedBytes += payload.count - before
        guard addedBytes <= limits.declarationBytes else { return .limit(.declarationBytes) }
        if inheritsLanguage { payload.append(contentsOf: language) }
        guard declaresBOSH else {
            unsafe payload.append(contentsOf: slice(child.nameEnd..<child.end))
            return nil
        }
        appendRestWithoutBOSH()
        return nil
    }

    /// Appends the child from the end of its name on, with `jabber:client` in place of the BOSH namespace that it
    /// declares.
    private func appendRestWithoutBOSH() {
        let bosh = childScope.filter { $0.depth == 2 && $0.uri == names.bosh }.map(\.prefix.bytes)
        let tag = unsafe slice(child.start..<child.startTagEnd)
        var copied = child.nameEnd
        for declaration in unsafe StartTag.declarations(in: tag.span) where bosh.contains(declaration.prefix) {
            unsafe payload.append(contentsOf: slice(copied..<(child.start + declaration.value.lowerBound)))
            payload.append(literal: "jabber:client")
            copied = child.start + declaration.value.upperBound
        }
        unsafe payload.append(contentsOf: slice(copied..<child.end))
    }

    /// Declares what the child uses from the body, in the body's order (`N-05`, `N-06`).
    private func appendDeclarations() {
        var used = child.used
        while used != 0 {
            let index = used.trailingZeroBitCount
            used &= used - 1
            payload.append(contentsOf: declarationText(index))
        }
    }

    /// One of the body's declarations, as text for a child's start tag.
    private func declarationText(_ index: Int) -> [UInt8] {
        if declarationTexts.isEmpty { declarationTexts = Array(repeating: nil, count: rootScope.count) }
        if let text = declarationTexts[index] { return text }
        let declaration = rootScope[index]
        let isBOSH = declaration.uri == names.bosh
        var text: [UInt8] = []
        // The stream's default namespace is jabber:client.
        if !declaration.prefix.isNone || !(isBOSH || declaration.uri == names.client || declaration.uri == names.empty)
        {
            let uri = isBOSH ? names.client : declaration.uri
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(uri.bytes), into: &text)
        }
        declarationTexts[index] = text
        return text
    }
}
