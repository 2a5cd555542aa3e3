@testable import XMLCodec

/// A random root with random first-level elements, kept separately so that the document can be made smaller.
struct RandomDocument {
    /// The root's start tag without its `>`.
    var start: String
    /// The root's declarations and attributes, each with the space before it.
    var attributes: [String]
    var elements: [String]
    /// The text between the elements.
    var space: String
    let end: String

    /// The document.
    var text: String {
        start + attributes.joined() + ">" + elements.map { space + $0 }.joined() + space + end
    }

    private static let languages = ["de", "en-GB", "zh-Hant-TW", "x-1"]
    private static let uris = ["jabber:client", "urn:a", "urn:b&c", "urn:c'd&"]

    /// A `<body/>` of a client.
    static func body(_ random: inout RandomXML) -> RandomDocument {
        let uris = [RandomXML.bosh] + Self.uris + [""]
        let isPrefixed = random.chance(1, of: 3)
        var attributes = [random.declare(isPrefixed ? "w" : "", RandomXML.bosh), " rid='1'"]
        for prefix in isPrefixed ? ["", "p", "q", "b"] : ["p", "q", "b"] where random.chance(1, of: 2) {
            let uri = random.pick(prefix.isEmpty ? uris : uris.dropLast())
            attributes.append(random.declare(prefix, uri))
        }
        if random.chance(1, of: 3) { attributes.append(" xml:lang='\(random.pick(languages))'") }
        attributes.shuffle(using: &random.generator)
        return RandomDocument(
            start: isPrefixed ? "<w:body" : "<body", attributes: attributes, elements: elements(&random, uris),
            space: random.pick(["", " ", "\r\n"]), end: isPrefixed ? "</w:body>" : "</body>")
    }

    /// A stream of a server.
    static func stream(_ random: inout RandomXML) -> RandomDocument {
        let prefix = random.pick(["stream", "s"])
        var attributes = [
            random.declare("", "jabber:client"), random.declare(prefix, "http://etherx.jabber.org/streams"),
            " version='1.0'",
        ]
        for prefix in ["p", "q", "b"] where random.chance(1, of: 2) {
            attributes.append(random.declare(prefix, random.pick([RandomXML.bosh] + uris)))
        }
        if random.chance(1, of: 3) { attributes.append(" xml:lang='\(random.pick(languages))'") }
        attributes.shuffle(using: &random.generator)
        return RandomDocument(
            start: "<\(prefix):stream", attributes: attributes,
            elements: elements(&random, [RandomXML.bosh] + uris + [""]), space: random.pick(["", " ", "\n"]),
            end: "</\(prefix):stream>")
    }

    private static func elements(_ random: inout RandomXML, _ uris: [String]) -> [String] {
        (0..<Int.random(in: 0...3, using: &random.generator)).map { _ in random.element(depth: 4, uris: uris) }
    }

    // MARK: - Cutting down

    /// The smallest document that still `shows` what this one shows, found step by step.
    func shrunk(while shows: (RandomDocument) -> Bool) -> RandomDocument {
        var best = self
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for candidate in best.smaller where shows(candidate) {
                best = candidate
                isSmaller = true
                break
            }
        }
        return best
    }

    /// All documents with one part less.
    private var smaller: [RandomDocument] {
        var result: [RandomDocument] = []
        func add(_ change: (inout RandomDocument) -> Void) {
            var copy = self
            change(&copy)
            result.append(copy)
        }
        for index in elements.indices { add { $0.elements.remove(at: index) } }
        for index in elements.indices {
            for element in Self.smaller(elements[index]) { add { $0.elements[index] = element } }
        }
        for index in attributes.indices { add { $0.attributes.remove(at: index) } }
        if !space.isEmpty { add { $0.space = "" } }
        return result
    }

    /// An element without one of its parts, the largest parts first.
    private static func smaller(_ element: String) -> [String] {
        let pieces = pieces(of: element)
        var result: [String] = []
        for start in pieces.indices {
            guard pieces[start].hasPrefix("<"), !pieces[start].hasPrefix("</"), !pieces[start].hasPrefix("<!") else {
                // Text.
                if !pieces[start].hasPrefix("</") {
                    result.append((pieces[..<start] + pieces[(start + 1)...]).joined())
                }
                continue
            }
            let end = partner(of: start, in: pieces)
            if start > 0 {
                // Everything around the element, or the element alone.
                result.append((pieces[..<start] + pieces[(end + 1)...]).joined())
                result.append(pieces[start...end].joined())
            }
            if end > start {
                let tag = pieces[start].dropLast() + "/>"
                result.append((pieces[..<start] + [String(tag)] + pieces[(end + 1)...]).joined())
            }
            for tag in smallerTags(pieces[start]) {
                result.append((pieces[..<start] + [tag] + pieces[(start + 1)...]).joined())
            }
        }
        return result
    }

    /// The index of the end tag for the start tag at `start`; `start` for an empty element.
    private static func partner(of start: Int, in pieces: [String]) -> Int {
        var depth = 0
        for index in start..<pieces.count where pieces[index].hasPrefix("<") && !pieces[index].hasPrefix("<!") {
            if pieces[index].hasPrefix("</") {
                depth -= 1
            } else if !pieces[index].hasSuffix("/>") {
                depth += 1
            }
            if depth == 0 { return index }
        }
        return start
    }

    /// A start tag without one attribute or declaration.
    private static func smallerTags(_ tag: String) -> [String] {
        let bytes = Array(tag.utf8)
        var cuts: [Range<Int>] = []
        var start: Int?
        var quote: UInt8?
        for (index, byte) in bytes.enumerated() {
            if let open = quote {
                guard byte == open else { continue }
                quote = nil
                if let begin = start { cuts.append(begin..<(index + 1)) }
                start = nil
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte.isXMLSpace, start == nil {
                start = index
            }
        }
        return cuts.map { String(decoding: bytes[..<$0.lowerBound] + bytes[$0.upperBound...], as: UTF8.self) }
    }

    /// Tags, CDATA sections and runs of text.
    private static func pieces(of element: String) -> [String] {
        let bytes = Array(element.utf8)
        var pieces: [String] = []
        var start = 0
        while start < bytes.count {
            var end = start + 1
            if bytes[start...].starts(with: "<![CDATA[".utf8) {
                while end < bytes.count, !bytes[..<end].suffix(3).elementsEqual("]]>".utf8) { end += 1 }
            } else if bytes[start] == UInt8(ascii: "<") {
                end = start + StartTag.end(in: bytes.span.extracting(start..<bytes.count))
            } else {
                while end < bytes.count, bytes[end] != UInt8(ascii: "<") { end += 1 }
            }
            pieces.append(String(decoding: bytes[start..<end], as: UTF8.self))
            start = end
        }
        return pieces
    }
}
