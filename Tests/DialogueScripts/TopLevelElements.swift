/// The top-level elements of well-formed XML without comments and CDATA, each as its text.
package func topLevelElements(_ xml: String) -> [String] {
    var elements: [String] = []
    var depth = 0
    var current = ""
    for tag in xml.split(separator: "<") {
        guard let end = tag.lastIndex(of: ">") else { continue }
        current += "<" + tag
        if tag.hasPrefix("/") {
            depth -= 1
        } else if !tag[..<end].hasSuffix("/") {
            depth += 1
        }
        if depth == 0 {
            elements.append(current)
            current = ""
        }
    }
    return elements
}

/// The names that a script uses for the top-level elements: their `id`, or else their element name.
package func topLevelNames(_ xml: String) -> [String] {
    topLevelElements(xml).map { element in
        let tag = element.dropFirst().prefix { $0 != ">" }
        let mark = " id='"
        var rest = tag
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return String(rest.dropFirst(mark.count).prefix { $0 != "'" }) }
            rest.removeFirst()
        }
        return String(tag.prefix { !" /".contains($0) })
    }
}
