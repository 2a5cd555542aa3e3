import CLibXML2

/// The first-level elements of a document in libxml2's Exclusive XML Canonicalization, each by itself.
///
/// The form contains everything of an element that Canonical XML keeps: names with their prefixes, the declarations of
/// the prefixes in use, attributes by value, and text in whatever spelling. So two elements with the same canonical
/// form mean the same to any XML processor. The code under test uses other parts of libxml2.
enum CanonicalForm {
    /// The canonical forms of the root's children; nil when the document is not well-formed.
    ///
    /// With `adapts` the root is a `<body/>` and the forms are those for the server. The BOSH namespace becomes
    /// `jabber:client` if the root or the child itself declares it. No namespace becomes `jabber:client` if nothing
    /// declares one. Stanzas without `xml:lang` get that of the root.
    static func children(of document: [UInt8], adapts: Bool = false) -> [String]? {
        let options = Int32(
            XML_PARSE_NONET.rawValue | XML_PARSE_NOENT.rawValue | XML_PARSE_NOERROR.rawValue
                | XML_PARSE_NOWARNING.rawValue)
        let tree = document.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                xmlReadMemory(chars.baseAddress, Int32(chars.count), nil, nil, options)
            }
        }
        guard let tree else { return nil }
        defer { xmlFreeDoc(tree) }
        guard let root = xmlDocGetRootElement(tree) else { return nil }
        let elements = elements(in: root)
        if adapts { adapt(root, elements) }
        var result: [String] = []
        for element in elements {
            guard let form = form(of: element, in: tree) else { return nil }
            result.append(form)
        }
        return result
    }

    /// The form of one element, as if nothing surrounded it.
    private static func form(of element: xmlNodePtr, in tree: xmlDocPtr) -> String? {
        guard let buffer = xmlAllocOutputBuffer(nil) else { return nil }
        defer { xmlOutputBufferClose(buffer) }
        let status = xmlC14NExecute(
            tree,
            { user, node, parent in
                // A namespace node has no parent.
                var current = node?.pointee.type == XML_NAMESPACE_DECL ? parent : node
                while let ancestor = current {
                    if UnsafeMutableRawPointer(ancestor) == user { return 1 }
                    current = ancestor.pointee.parent
                }
                return 0
            },
            element, Int32(XML_C14N_EXCLUSIVE_1_0.rawValue), nil, 1, buffer)
        guard status >= 0, let start = xmlOutputBufferGetContent(buffer) else { return nil }
        return String(
            decoding: UnsafeBufferPointer(start: start, count: Int(xmlOutputBufferGetSize(buffer))), as: UTF8.self)
    }

    private static func elements(in parent: xmlNodePtr) -> [xmlNodePtr] {
        var result: [xmlNodePtr] = []
        var node = parent.pointee.children
        while let current = node {
            if current.pointee.type == XML_ELEMENT_NODE { result.append(current) }
            node = current.pointee.next
        }
        return result
    }

    private static func adapt(_ root: xmlNodePtr, _ elements: [xmlNodePtr]) {
        let language = xmlGetNsProp(root, "lang", xmlNamespace)
        defer { free(language) }
        for owner in [root] + elements {
            for declaration in declarations(of: owner) where text(declaration.pointee.href) == RandomXML.bosh {
                rename(declaration)
            }
        }
        if let declared = declarations(of: root).first(where: { $0.pointee.prefix == nil }) {
            if text(declared.pointee.href).isEmpty { rename(declared) }
        } else {
            xmlNewNs(root, client, nil)
        }
        guard let own = xmlSearchNs(root.pointee.doc, root, nil) else { return }
        for element in elements {
            if text(own.pointee.href) == client { claim(element, own) }
            guard let language, text(element.pointee.ns?.pointee.href) == client,
                ["message", "presence", "iq"].contains(text(element.pointee.name)),
                xmlHasNsProp(element, "lang", xmlNamespace) == nil
            else { continue }
            xmlNodeSetLang(element, language)
        }
    }

    /// Puts elements without namespace into the root's default namespace, unless a declaration in between prevents it.
    private static func claim(_ element: xmlNodePtr, _ own: xmlNsPtr) {
        guard !declarations(of: element).contains(where: { $0.pointee.prefix == nil }) else { return }
        if element.pointee.ns == nil { element.pointee.ns = own }
        for child in elements(in: element) { claim(child, own) }
    }

    private static func rename(_ declaration: xmlNsPtr) {
        // The name of the other namespace is freed together with it.
        guard let other = xmlNewNs(nil, client, nil) else { return }
        (declaration.pointee.href, other.pointee.href) = (other.pointee.href, declaration.pointee.href)
        xmlFreeNs(other)
    }

    private static func declarations(of node: xmlNodePtr) -> [xmlNsPtr] {
        var result: [xmlNsPtr] = []
        var declaration = node.pointee.nsDef
        while let current = declaration {
            result.append(current)
            declaration = current.pointee.next
        }
        return result
    }

    private static let client = "jabber:client"
    private static let xmlNamespace = "http://www.w3.org/XML/1998/namespace"

    private static func text(_ bytes: UnsafePointer<xmlChar>?) -> String {
        guard let bytes else { return "" }
        return String(cString: bytes)
    }
}
