import CLibXML2

/// Reads a document whose root has first-level elements, and gives each of these out as the bytes that came.
///
/// Both directions have this shape: a `<body/>` from the client, and an element from the server inside a root with its
/// stream's declarations. A subclass checks the root and decides what becomes of its children. This class drives
/// libxml2, applies the limits, and finds which of the root's declarations a child uses without declaring them itself.
///
/// The caller has checked the bytes with `CharacterCheck` and cut them with `ElementFramer`. Not thread-safe; a worker
/// has its own.
///
/// Properties that each element touches are `@exclusivity(unchecked)`, because the runtime checks took a third of an
/// element's time. Overlapping accesses cannot happen: `feed` is called on a context that was read before, and each
/// callback finishes its changes before it returns or calls a subclass.
///
/// The class is in one file, because only libxml2's events may change its private state.
@safe class ElementReader {
    /// The limits for the first-level elements and everything in them.
    let limits: XMLLimits

    /// The root's declarations, at most 64.
    @safe @exclusivity(unchecked) private(set) var rootScope: [Declaration] = []
    /// The declarations inside the current child, outermost first.
    @safe @exclusivity(unchecked) private(set) var childScope: [Declaration] = []
    @safe @exclusivity(unchecked) var child = Child()
    @safe @exclusivity(unchecked) private(set) var childCount = 0
    @safe @exclusivity(unchecked) private var elementCount = 0
    /// The number of namespaces that are not URIs.
    @safe @exclusivity(unchecked) private var oddNamespaces = 0
    /// The number of declarations that libxml2 had to compare for the names of a document in pieces.
    @safe @exclusivity(unchecked) private var lookups = 0
    /// The offset in the document at which the size of its names was last checked.
    private var namesWeighedAt = 0
    /// The depth of the current element: 1 for the root.
    @safe @exclusivity(unchecked) private(set) var depth = 0
    /// The greatest depth so far, in a document in pieces.
    @safe @exclusivity(unchecked) private(set) var deepest = 0
    @safe @exclusivity(unchecked) private(set) var fault: XMLFault?
    /// The end of the root's start tag or of its last child.
    @safe @exclusivity(unchecked) private(set) var contentEnd = 0

    @safe @exclusivity(unchecked) private var context: PushContext?
    /// The bytes of the document, while one is read.
    @safe @exclusivity(unchecked) final private(set) var input = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    /// The open document that the context keeps between two pieces; none while a document is read.
    @safe @exclusivity(unchecked) private var kept = Surroundings.none
    /// The surroundings of the piece that is being read.
    @safe @exclusivity(unchecked) private var surroundings = Surroundings.none
    /// Whether libxml2 is reading the start tag of the surroundings.
    @safe @exclusivity(unchecked) private var isOpening = false
    private var isRootOnly = false
    @safe @exclusivity(unchecked) private var isPiecewise = false
    private var hasRootEnded = false
    @safe @exclusivity(unchecked) private var namesBefore = 0

    init(limits: XMLLimits) {
        self.limits = limits
    }

    // MARK: - What a subclass answers

    /// Whether libxml2 is used without its own bounds.
    var takesAnySize: Bool { false }
    /// Looks up the known names in a new dictionary.
    func contextCreated(_ intern: (StaticString) -> InternedName) {}
    /// Handles the root's start tag.
    func rootOpened(local: InternedName, prefix: InternedName, uri: InternedName, attributes: SAXAttributes)
        -> XMLFault?
    { nil }
    /// Handles a child's start tag; `child` holds its name.
    func childOpened(_ attributes: SAXAttributes) -> XMLFault? { nil }
    /// Handles the start tag of an element inside a child.
    func descendantOpened(local: InternedName, uri: InternedName, attributes: SAXAttributes, tagEnd: Int) {}
    /// Handles an attribute with a prefix, of a child or inside one.
    func prefixedAttributeRead(in uri: InternedName) -> XMLFault? { nil }
    /// Handles the end of an element inside a child.
    func descendantClosed(at end: Int) {}
    /// Handles text inside a child.
    func textRead(_ text: UnsafeBufferPointer<UInt8>) {}
    /// Handles a child's end; `child` is complete.
    func childClosed() -> XMLFault? { nil }

    // MARK: - A document

    /// The result of reading a document or a part of it.
    enum Reading: Equatable {
        /// There is more of it to read.
        case goesOn
        /// The whole document was read and is valid.
        case inOrder
        case refused(XMLFault)
    }

    /// A longer piece becomes its own document, because libxml2 keeps the memory for a piece until the next document.
    static let mostInSurroundings = 65_536
    /// The reader begins another document after this many bytes.
    private static let mostInDocument = 1_048_576

    /// Reads a whole document, or a piece of one; returns nil when it is valid.
    final func read(_ bytes: Span<UInt8>, in surroundings: Surroundings = .none) -> XMLFault? {
        var offset = 0
        guard case .refused(let fault) = read(bytes, from: &offset, budget: .max, in: surroundings) else { return nil }
        return fault
    }

    /// Reads a document on from `offset`, which begins as 0, through up to `budget` bytes.
    ///
    /// Until the document ends, the reader reads nothing else, and the caller passes the same bytes each time.
    final func read(
        _ bytes: Span<UInt8>, from offset: inout Int, budget: Int, in surroundings: Surroundings = .none
    ) -> Reading {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            if offset == 0 {
                guard unsafe begin(bytes, in: surroundings) else { return .refused(.malformed) }
            } else {
                input = unsafe bytes
            }
            let end = offset + min(max(budget, 1), bytes.count - offset)
            let isWhole = end == bytes.count && surroundings == .none
            unsafe context?.feed(UnsafeBufferPointer(rebasing: bytes[offset..<end]), isWhole: isWhole)
            offset = end
            guard end == bytes.count || fault != nil else {
                input = unsafe UnsafeBufferPointer(start: nil, count: 0)
                return .goesOn
            }
            let fault = verdict()
            finish()
            return fault.map(Reading.refused) ?? .inOrder
        }
    }

    /// Reads the beginning of a refused document, up to the end of the root's start tag.
    final func readRoot(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard unsafe begin(bytes) else { return }
            isRootOnly = true
            unsafe context?.feed(bytes, isWhole: false)
            finish()
        }
    }

    /// Reads the beginning of a document; false when it is wrong. A missing end is not wrong.
    final func readBeginning(_ bytes: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard unsafe begin(bytes) else { return false }
            unsafe context?.feed(bytes, isWhole: false)
            let isInOrder = fault == nil && context?.isWellFormed == true
            finish()
            return isInOrder
        }
    }

    // MARK: - A document in pieces

    /// Begins a document that comes in pieces and is only judged: of the subclass's functions only `childOpened` is
    /// called, and the document's bytes are not available. False when memory is out.
    final func beginPieces() -> Bool {
        guard unsafe begin(UnsafeBufferPointer(start: nil, count: 0)) else { return false }
        isPiecewise = true
        return true
    }

    /// Reads the next piece; returns what is wrong so far.
    final func readPiece(_ piece: Span<UInt8>) -> XMLFault? {
        unsafe piece.withUnsafeBufferPointer { piece in
            unsafe context?.feed(piece, isWhole: false)
        }
        return fault ?? (context?.isWellFormed == true ? nil : .malformed)
    }

    /// Reads the last piece; returns what is wrong with the document.
    final func readLastPiece(_ piece: Span<UInt8>) -> XMLFault? {
        unsafe piece.withUnsafeBufferPointer { piece in
            unsafe context?.feed(piece, isWhole: true)
        }
        defer { finish() }
        return verdict()
    }

    /// The number of bytes of the pieces that libxml2 has consumed.
    final var consumedCount: Int { context?.offset ?? 0 }

    private func begin(_ bytes: UnsafeBufferPointer<UInt8>, in surroundings: Surroundings = .none) -> Bool {
        guard bytes.count <= Int(Int32.max) else { return false }
        let isOpen = surroundings != .none && surroundings == kept
        kept = .none
        self.surroundings = surroundings
        oddNamespaces = 0
        if !isOpen, !open(surroundings) { return false }
        input = unsafe bytes
        childScope.removeAll(keepingCapacity: true)
        context?.countFromHere()
        contentEnd = 0
        reset()
        if case .stream = surroundings {
            depth = 1
            elementCount = 1
        } else {
            rootScope.removeAll(keepingCapacity: true)
        }
        return true
    }

    /// Begins a document, and reads the start tag that surrounds the next piece.
    private func open(_ surroundings: Surroundings) -> Bool {
        if context == nil {
            context = PushContext(reader: self, takesAnySize: takesAnySize)
            contextCreated { [unowned self] name in context?.intern(name) ?? .none }
        }
        guard let context, context.reset() else { return false }
        let startTag: [UInt8]
        switch surroundings {
        case .none: return true
        case .wrapper: startTag = Self.wrapper
        case .stream(let scope): startTag = scope.bytes
        }
        rootScope.removeAll(keepingCapacity: true)
        reset()
        isOpening = true
        defer { isOpening = false }
        unsafe startTag.withUnsafeBufferPointer { startTag in
            input = unsafe startTag
            unsafe context.feed(startTag, isWhole: false)
            input = unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return fault == nil && context.isWellFormed && context.offset == startTag.count
    }

    private static let wrapper = Array("<pieces>".utf8)

    private func reset() {
        depth = 0
        childCount = 0
        deepest = 0
        fault = nil
        isRootOnly = false
        isPiecewise = false
        hasRootEnded = false
        elementCount = 0
        lookups = 0
        namesWeighedAt = 0
        namesBefore = nameCount
    }

    /// The number of strings in libxml2's dictionary.
    final var nameCount: Int { context?.nameCount ?? 0 }

    /// The bytes that the dictionary takes for its strings.
    final var nameBytes: Int { context?.nameBytes ?? 0 }

    private func verdict() -> XMLFault? {
        if let fault { return fault }
        guard let context, context.isWellFormed else { return .malformed }
        guard context.isNamespaceWellFormed || oddNamespaces > 0 else { return .malformed }
        switch surroundings {
        case .none: guard hasRootEnded else { return .malformed }
        // Only after such a piece may the document stay open for the next one.
        case .wrapper: guard hasRootEnded, depth == 0, contentEnd == input.count else { return .malformed }
        case .stream: guard childCount == 1, depth == 1, contentEnd == input.count else { return .malformed }
        }
        // libxml2 never clears its flag for a namespace that is not a URI, so a document with one is not kept.
        if context.isNamespaceWellFormed, context.fedCount < Self.mostInDocument { kept = surroundings }
        return nil
    }

    private func finish() {
        input = unsafe UnsafeBufferPointer(start: nil, count: 0)
        guard context?.isWornOut == true else { return }
        context = nil
        kept = .none
    }

    /// Ends the parse for good.
    final func refuse(_ reason: XMLFault) {
        guard fault == nil else { return }
        fault = reason
        context?.stop()
    }

    // MARK: - libxml2's events

    final func elementStarted(
        local: InternedName, prefix: InternedName, uri: InternedName, declarations: SAXDeclarations,
        attributes: SAXAttributes
    ) {
        guard fault == nil, let context else { return }
        if isOpening, surroundings == .wrapper { return }
        let offset = context.offset
        let tagEnd = offset + (byte(at: offset) == UInt8(ascii: "/") ? 2 : 1)
        depth += 1
        elementCount += 1
        guard elementCount <= limits.elements else { return refuse(.limit(.elements)) }
        guard depth <= limits.depth else { return refuse(.limit(.depth)) }
        guard declarations.count + attributes.count <= limits.attributes else { return refuse(.limit(.attributes)) }
        guard context.nameCount - namesBefore <= limits.names else { return refuse(.limit(.names)) }
        if isPiecewise {
            judgeStart(local: local, uri: uri, declarations, attributes)
            return
        }
        if depth == 1 {
            openRoot(local: local, prefix: prefix, uri: uri, declarations, attributes, tagEnd: tagEnd)
            return
        }
        for index in 0..<declarations.count {
            childScope.append(
                Declaration(prefix: declarations.prefix(index), uri: declarations.uri(index), depth: depth))
        }
        guard rootScope.count + childScope.count <= limits.declarations else { return refuse(.limit(.declarations)) }
        if depth == 2 {
            let isAccepted = openChild(
                local: local, prefix: prefix, uri: uri, attributes, offset: offset, tagEnd: tagEnd)
            guard isAccepted else { return }
        } else {
            noteUse(of: prefix, as: uri)
            descendantOpened(local: local, uri: uri, attributes: attributes, tagEnd: tagEnd)
        }
        for index in 0..<attributes.count where !attributes.prefix(index).isNone {
            noteUse(of: attributes.prefix(index), as: attributes.uri(index))
            if let reason = prefixedAttributeRead(in: attributes.uri(index)) { return refuse(reason) }
        }
    }

    /// Judges a start tag in a document in pieces.
    ///
    /// libxml2 searches all declarations in scope for the namespace of each name. The number of these comparisons is
    /// limited in proportion to the bytes.
    private func judgeStart(
        local: InternedName, uri: InternedName, _ declarations: SAXDeclarations, _ attributes: SAXAttributes
    ) {
        for index in 0..<declarations.count {
            childScope.append(
                Declaration(prefix: declarations.prefix(index), uri: declarations.uri(index), depth: depth))
        }
        deepest = max(deepest, depth)
        lookups += childScope.count * (1 + attributes.count)
        guard lookups <= Self.freeLookups + Self.lookupsByByte * consumedCount else {
            return refuse(.limit(.declarations))
        }
        if consumedCount - namesWeighedAt > Self.mostNameBytes / 8 {
            namesWeighedAt = consumedCount
            guard let context, context.nameBytes <= Self.mostNameBytes else { return refuse(.limit(.names)) }
        }
        guard depth == 2 else { return }
        childCount += 1
        guard childCount == 1 else { return refuse(.malformed) }
        child = Child()
        child.local = local
        child.uri = uri
        if let reason = childOpened(attributes) { refuse(reason) }
    }

    private static let freeLookups = 16_000_000
    private static let lookupsByByte = 64
    /// The most bytes of names that a document in pieces may have: they are kept until its end.
    private static let mostNameBytes = 16 * 1_048_576

    private func openRoot(
        local: InternedName, prefix: InternedName, uri: InternedName, _ declarations: SAXDeclarations,
        _ attributes: SAXAttributes, tagEnd: Int
    ) {
        guard declarations.count <= 64 else { return refuse(.limit(.declarations)) }
        for index in 0..<declarations.count {
            rootScope.append(
                Declaration(prefix: declarations.prefix(index), uri: declarations.uri(index), depth: 1))
        }
        if !isOpening, surroundings == .wrapper {
            let start = tagStart(before: tagEnd - 1)
            guard !hasRootEnded, isBlank(0..<start) else { return refuse(.malformed) }
        }
        contentEnd = tagEnd
        if let reason = rootOpened(local: local, prefix: prefix, uri: uri, attributes: attributes) {
            return refuse(reason)
        }
        if isRootOnly { refuse(.malformed) }
    }

    private func openChild(
        local: InternedName, prefix: InternedName, uri: InternedName, _ attributes: SAXAttributes, offset: Int,
        tagEnd: Int
    ) -> Bool {
        let start = tagStart(before: offset)
        guard start >= contentEnd, isBlank(contentEnd..<start) else {
            refuse(.text)
            return false
        }
        childCount += 1
        guard childCount <= limits.children else {
            refuse(.limit(.children))
            return false
        }
        child = Child()
        child.start = start
        child.nameEnd = start + 1 + (prefix.isNone ? 0 : prefix.count + 1) + local.count
        child.startTagEnd = tagEnd
        child.local = local
        child.prefix = prefix
        child.uri = uri
        if let reason = childOpened(attributes) {
            refuse(reason)
            return false
        }
        if !child.isRenamed { noteUse(of: prefix, as: uri) }
        return true
    }

    /// Notes when a prefix in use gets its meaning from the root.
    private func noteUse(of prefix: InternedName, as uri: InternedName) {
        for index in rootScope.indices where rootScope[index].prefix == prefix {
            guard rootScope[index].uri == uri else { return }
            // The child may have declared the same meaning again.
            for inner in childScope.reversed() where inner.prefix == prefix { return }
            child.used |= 1 << UInt64(index)
            return
        }
    }

    final func elementEnded() {
        guard fault == nil, let context else { return }
        let end = context.offset
        switch depth {
        case 1 where isPiecewise:
            hasRootEnded = true
        case 2 where isPiecewise:
            child.end = end
        case _ where isPiecewise:
            break
        case 0:
            return refuse(.malformed)
        case 1:
            if case .stream = surroundings { return refuse(.malformed) }
            let isEmptyTag = contentEnd == end
            guard isEmptyTag || isBlank(contentEnd..<max(contentEnd, tagStart(before: end))) else {
                return refuse(.text)
            }
            hasRootEnded = true
            contentEnd = end
        case 2:
            child.end = end
            contentEnd = end
            if let reason = childClosed() { return refuse(reason) }
        default:
            descendantClosed(at: end)
        }
        while let last = childScope.last, last.depth == depth { childScope.removeLast() }
        depth -= 1
    }

    final func errorReported(domain: Int32, code: Int32, isWarning: Bool, namesAttribute: Bool) {
        // A namespace that is not a URI by RFC 3986, such as an IRI: names are compared, not dereferenced.
        if domain == Int32(XML_FROM_NAMESPACE.rawValue), code == Int32(XML_WAR_NS_URI.rawValue) {
            // libxml2 formats a report of each one, which takes longer than everything else about the element.
            oddNamespaces += 1
            if oddNamespaces > limits.oddNamespaces { refuseHere(.limit(.oddNamespaces)) }
        } else if code == Int32(XML_ERR_NAME_TOO_LONG.rawValue) {
            refuseHere(.limit(.names))
        } else if code == Int32(XML_ERR_UNDECLARED_ENTITY.rawValue) {
            refuseHere(.restrictedXML)
        } else if depth == 0, code == Int32(XML_NS_ERR_UNDEFINED_NAMESPACE.rawValue), !namesAttribute {
            refuseHere(.invalidRoot)
        } else if !isWarning {
            refuseHere(.malformed)
        }
    }

    /// Ends the parse for good, from inside an error report. After a namespace error libxml2 would continue and format
    /// another report for each attribute, with the whole name in it.
    private func refuseHere(_ reason: XMLFault) {
        fault = fault ?? reason
        context?.endHere()
    }
}
