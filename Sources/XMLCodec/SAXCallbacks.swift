import CLibXML2

/// The namespace declarations of one start tag; valid only inside its callback.
@safe struct SAXDeclarations {
    /// libxml2's array.
    let base: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    /// The number of declarations.
    let count: Int

    /// The prefix; none for the default namespace.
    func prefix(_ index: Int) -> InternedName { unsafe InternedName(base?[index * 2]) }
    /// The namespace.
    func uri(_ index: Int) -> InternedName { unsafe InternedName(base?[index * 2 + 1]) }
}

extension ElementReader {
    /// A namespace declaration in scope.
    struct Declaration {
        /// The prefix, none for the default namespace.
        let prefix: InternedName
        /// The namespace.
        let uri: InternedName
        /// The depth of the element that declares it.
        let depth: Int
    }
}

/// The attributes of one start tag, values decoded; valid only inside its callback.
@safe struct SAXAttributes {
    /// libxml2's array.
    let base: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    /// The number of attributes.
    let count: Int

    /// The name without prefix.
    func local(_ index: Int) -> InternedName { unsafe InternedName(base?[index * 5]) }
    /// The prefix; none for most.
    func prefix(_ index: Int) -> InternedName { unsafe InternedName(base?[index * 5 + 1]) }
    /// The prefix's namespace; none without a prefix.
    func uri(_ index: Int) -> InternedName { unsafe InternedName(base?[index * 5 + 2]) }
    /// The value.
    func value(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        guard let start = unsafe base?[index * 5 + 3], let end = unsafe base?[index * 5 + 4] else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeBufferPointer(start: start, count: max(end - start, 0))
    }
}

extension ElementReader {
    /// The reader behind a callback's first argument.
    private static func of(_ user: UnsafeMutableRawPointer?) -> ElementReader? {
        guard let user = unsafe user else { return nil }
        return unsafe Unmanaged<ElementReader>.fromOpaque(user).takeUnretainedValue()
    }

    /// Sets the callbacks. Constructs without a callback are ignored, but libxml2 still checks them.
    private static func installCallbacks(_ handler: inout xmlSAXHandler) {
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { user, local, prefix, uri, declared, namespaces, count, _, attributes in
            guard let reader = unsafe ElementReader.of(user) else { return }
            unsafe reader.elementStarted(
                local: InternedName(local), prefix: InternedName(prefix), uri: InternedName(uri),
                declarations: SAXDeclarations(base: namespaces, count: Int(declared)),
                attributes: SAXAttributes(base: attributes, count: Int(count)))
        }
        unsafe handler.endElementNs = { user, _, _, _ in
            unsafe ElementReader.of(user)?.elementEnded()
        }
        unsafe handler.characters = { user, text, count in
            guard let reader = unsafe ElementReader.of(user), reader.fault == nil else { return }
            unsafe reader.textRead(UnsafeBufferPointer(start: text, count: Int(count)))
        }
        unsafe handler.ignorableWhitespace = unsafe handler.characters
        unsafe handler.cdataBlock = unsafe handler.characters
        unsafe handler.internalSubset = { user, _, _, _ in
            unsafe ElementReader.of(user)?.refuse(.restrictedXML)
        }
        unsafe handler.comment = { user, _ in
            unsafe ElementReader.of(user)?.refuse(.restrictedXML)
        }
        unsafe handler.processingInstruction = { user, _, _ in
            unsafe ElementReader.of(user)?.refuse(.restrictedXML)
        }
        unsafe handler.serror = { user, error in
            guard let error = unsafe error else { return }
            unsafe ElementReader.of(user)?.errorReported(
                domain: error.pointee.domain, code: error.pointee.code,
                isWarning: error.pointee.level.rawValue <= XML_ERR_WARNING.rawValue,
                namesAttribute: error.pointee.str3 != nil)
        }
    }

    /// Sets the callbacks of a SAX handler.
    static func install(in handler: inout xmlSAXHandler) {
        unsafe installCallbacks(&handler)
    }
}
