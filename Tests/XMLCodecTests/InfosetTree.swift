import CLibXML2

/// The meaning of an element, independent of prefixes, quotes, CDATA and the place of declarations. It comes from
/// libxml2's tree, which the code under test does not use.
enum InfosetTree {
    /// The children of the document's root; nil when it is not well-formed or not namespace-well-formed.
    ///
    /// `client` replaces the BOSH namespace if the root or the child itself declares that, and it is the namespace of
    /// children that are in none because nothing declares one.
    static func children(of document: [UInt8], client: String? = nil) -> [String]? {
        guard let context = xmlNewParserCtxt() else { return nil }
        defer { xmlFreeParserCtxt(context) }
        context.pointee.sax.pointee.serror = { user, error in
            guard let user, let error, error.pointee.level.rawValue > XML_ERR_WARNING.rawValue else { return }
            // A namespace that is not a URI is still a name.
            guard error.pointee.code != XML_WAR_NS_URI.rawValue else { return }
            user.assumingMemoryBound(to: xmlParserCtxt.self).pointee._private = user
        }
        let options = XML_PARSE_NONET.rawValue
        let tree = document.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                xmlCtxtReadMemory(context, chars.baseAddress, Int32(chars.count), nil, nil, Int32(options))
            }
        }
        guard let tree else { return nil }
        defer { xmlFreeDoc(tree) }
        guard context.pointee.wellFormed == 1, context.pointee._private == nil else { return nil }
        guard let root = xmlDocGetRootElement(tree) else { return nil }
        var result: [String] = []
        var node = root.pointee.children
        while let current = node {
            if current.pointee.type == XML_ELEMENT_NODE {
                let mapping = client.map { Mapping(root: root, child: current, client: $0) }
                result.append(text(of: current, mapping))
            }
            node = current.pointee.next
        }
        return result
    }

    private struct Mapping {
        let root: xmlNodePtr
        let child: xmlNodePtr
        let client: String

        /// The namespace of an element inside the child, as the server sees it.
        func namespace(of node: xmlNodePtr) -> String {
            guard let namespace = node.pointee.ns else {
                var ancestor = node
                while ancestor != root {
                    if declares(ancestor, nil) { return "" }
                    guard let parent = ancestor.pointee.parent else { return "" }
                    ancestor = parent
                }
                return client
            }
            let name = string(namespace.pointee.href)
            guard name == "http://jabber.org/protocol/httpbind" else { return name }
            for owner in [root, child] {
                var declaration = owner.pointee.nsDef
                while let current = declaration {
                    if current == namespace { return client }
                    declaration = current.pointee.next
                }
            }
            return name
        }

        private func declares(_ node: xmlNodePtr, _ prefix: String?) -> Bool {
            var declaration = node.pointee.nsDef
            while let current = declaration {
                if current.pointee.prefix == nil, prefix == nil { return true }
                declaration = current.pointee.next
            }
            return false
        }
    }

    private static func text(of node: xmlNodePtr, _ mapping: Mapping?) -> String {
        var result = "<{" + (mapping?.namespace(of: node) ?? string(node.pointee.ns?.pointee.href)) + "}"
        result += string(node.pointee.name)
        var attributes: [String] = []
        var property = node.pointee.properties
        while let current = property {
            var value = ""
            var part = current.pointee.children
            while let text = part {
                value += string(text.pointee.content)
                part = text.pointee.next
            }
            let namespace = string(current.pointee.ns?.pointee.href)
            attributes.append(" {\(namespace)}\(string(current.pointee.name))=\(escaped(value))")
            property = current.pointee.next
        }
        result += attributes.sorted().joined() + ">"
        var child = node.pointee.children
        while let current = child {
            switch current.pointee.type {
            case XML_ELEMENT_NODE: result += text(of: current, mapping)
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE: result += escaped(string(current.pointee.content))
            default: result += "[node \(current.pointee.type.rawValue)]"
            }
            child = current.pointee.next
        }
        return result + "</>"
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "<", ">", "{", "}", "=", " ", "\t", "\r", "\n", "%": "%\(scalar.value);"
            default: String(scalar)
            }
        }.joined()
    }
}

private func string(_ text: UnsafePointer<xmlChar>?) -> String {
    guard let text else { return "" }
    return String(cString: text)
}

private func string(_ text: UnsafeMutablePointer<xmlChar>?) -> String {
    guard let text else { return "" }
    return String(cString: text)
}
