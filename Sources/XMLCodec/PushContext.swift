import CLibXML2

/// A string in libxml2's dictionary, compared by its address: equal strings of one dictionary have one address.
struct InternedName: Equatable {
    /// No name: no prefix, no namespace.
    static let none = InternedName()

    private let address: UInt

    private init() { address = 0 }

    /// The name that libxml2 passed to a callback.
    init(_ pointer: UnsafePointer<xmlChar>?) {
        address = UInt(bitPattern: pointer)
    }

    /// Whether this is no name.
    var isNone: Bool { address == 0 }

    /// The name's bytes. The name must come from the current parse, because the dictionary owns the memory.
    var bytes: [UInt8] {
        guard let start = unsafe UnsafePointer<xmlChar>(bitPattern: address) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: strlen(start)))
    }

    /// Whether the name begins with `text`.
    func hasPrefix(_ text: StaticString) -> Bool {
        guard let start = unsafe UnsafePointer<xmlChar>(bitPattern: address) else { return false }
        return unsafe strncmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// The number of bytes in the name.
    var count: Int {
        guard let start = unsafe UnsafePointer<xmlChar>(bitPattern: address) else { return 0 }
        return unsafe strlen(start)
    }
}

/// One libxml2 push parser, reset and used again for each document.
///
/// SAX2 only: no tree, no DTD, no network, and only the five predefined entities.
@safe final class PushContext {
    /// When the dictionary has grown past either bound, the context is replaced: a reset keeps the dictionary, and a
    /// full one makes every further new name fail.
    private static let mostNames = 4096
    private static let mostNameBytes = 256 * 1024

    @safe private let context: xmlParserCtxtPtr
    /// How many bytes the parser got since the reset, and how many of them come before the position that offsets count
    /// from.
    private(set) var fedCount = 0
    private var origin = 0

    /// A parser that calls `reader`, which must live at least as long; nil when memory is out. `takesAnySize`: without
    /// libxml2's own bounds on names, tags and the dictionary.
    init?(reader: ElementReader, takesAnySize: Bool = false) {
        var handler = unsafe xmlSAXHandler()
        unsafe ElementReader.install(in: &handler)
        let user = unsafe Unmanaged.passUnretained(reader).toOpaque()
        guard let context = unsafe xmlCreatePushParserCtxt(&handler, user, nil, 0, nil) else { return nil }
        self.context = unsafe context
        var options = Int32(XML_PARSE_NONET.rawValue)
        if takesAnySize { options |= Int32(XML_PARSE_HUGE.rawValue) }
        _ = unsafe xmlCtxtUseOptions(context, options)
        // Nobody reads warnings, and formatting the one about a relative namespace takes longer than reading its
        // element.
        holdfast_xml_omit_warnings()
    }

    deinit {
        unsafe xmlFreeParserCtxt(context)
    }

    /// Forgets the last document; false when memory is out.
    func reset() -> Bool {
        fedCount = 0
        origin = 0
        return unsafe xmlCtxtResetPush(context, nil, 0, nil, nil) == 0
    }

    /// From now on offsets count from the bytes that are fed next.
    func countFromHere() { origin = fedCount }

    /// Parses `bytes`; `isWhole` says that the document ends with them.
    func feed(_ bytes: UnsafeBufferPointer<UInt8>, isWhole: Bool) {
        guard let start = bytes.baseAddress else { return }
        fedCount += bytes.count
        unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
            _ = unsafe xmlParseChunk(context, start, Int32(clamping: bytes.count), isWhole ? 1 : 0)
        }
    }

    /// Stops the current parse; no further callback comes.
    func stop() {
        unsafe xmlStopParser(context)
    }

    /// Ends the parse as soon as possible, from inside an error report: no further callback comes, and no further error
    /// is formatted. Unlike `stop()` it frees no buffer that a function of libxml2 is using.
    func endHere() {
        unsafe context.pointee.disableSAX = 1
        unsafe context.pointee.instate = XML_PARSER_EOF
    }

    /// The number of bytes that the parser has consumed since `countFromHere` or the reset. Inside a start tag's callback
    /// this is at the `>` or `/>`, inside an end tag's one past the `>`.
    var offset: Int { unsafe holdfast_xml_offset(context) - origin }

    /// Whether the document was well-formed as far as it was read. Stays true after `stop()`.
    var isWellFormed: Bool { unsafe context.pointee.wellFormed == 1 && context.pointee.disableSAX == 0 }

    /// Whether namespaces were used as Namespaces in XML demands.
    var isNamespaceWellFormed: Bool { unsafe context.pointee.nsWellFormed == 1 }

    /// The number of strings in the dictionary.
    var nameCount: Int { unsafe Int(xmlDictSize(context.pointee.dict)) }

    /// The bytes that the dictionary takes for its strings.
    var nameBytes: Int { unsafe Int(xmlDictGetUsage(context.pointee.dict)) }

    /// Whether the dictionary has grown so far that the context has to be replaced.
    var isWornOut: Bool {
        nameCount > Self.mostNames || nameBytes > Self.mostNameBytes
    }

    /// The name of `text` in this context's dictionary.
    func intern(_ text: StaticString) -> InternedName {
        unsafe InternedName(xmlDictLookup(context.pointee.dict, text.utf8Start, Int32(text.utf8CodeUnitCount)))
    }
}
