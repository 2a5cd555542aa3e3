@testable import XMLCodec

/// Writes random elements that are legal in their place.
struct RandomXML {
    var generator: SeededGenerator
    /// The declarations in scope, innermost last.
    private(set) var scope: [(prefix: String, uri: String)] = []

    static let bosh = "http://jabber.org/protocol/httpbind"

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func chance(_ part: Int, of whole: Int) -> Bool { Int.random(in: 0..<whole, using: &generator) < part }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &generator)] }

    /// The namespace of a prefix here; nil when it has none.
    func namespace(of prefix: String) -> String? {
        scope.last { $0.prefix == prefix }?.uri
    }

    /// Brings a declaration into scope and writes it.
    mutating func declare(_ prefix: String, _ uri: String) -> String {
        scope.append((prefix, uri))
        let quote = pick(["'", "\""])
        let space = pick(["", "", "", " "])
        let value = uri.replacing("&", with: pick(["&amp;", "&#38;"])).replacing("'", with: pick(["&apos;", "&#x27;"]))
        return pick([" ", "\n", "  "]) + (prefix.isEmpty ? "xmlns" : "xmlns:" + prefix) + space + "=" + space + quote
            + value + quote
    }

    /// Some declarations with different prefixes.
    mutating func declarations(uris: [String], chance part: Int) -> String {
        var result = ""
        for prefix in ["", "p", "q", "b"] where chance(part, of: 8) {
            let uri = pick(uris)
            if uri.isEmpty && !prefix.isEmpty { continue }
            result += declare(prefix, uri)
        }
        return result
    }

    /// An element with all its content.
    mutating func element(depth: Int, uris: [String]) -> String {
        let outside = scope.count
        let declared = declarations(uris: uris, chance: 2)
        let prefixes = ["", "p", "q", "b"].filter { $0.isEmpty || namespace(of: $0) != nil }
        let prefix = pick(prefixes)
        let name = (prefix.isEmpty ? "" : prefix + ":") + pick(["message", "body", "x", "ä-1", "_.y"])
        var attributes: [String] = []
        var used: Set<String> = []
        for local in ["to", "id", "ü"] where chance(1, of: 4) {
            let prefix = pick(prefixes)
            let uri = prefix.isEmpty ? "" : namespace(of: prefix) ?? ""
            guard uri != Self.bosh, used.insert(uri + "|" + local).inserted else { continue }
            let quote = pick(["'", "\""])
            let value = text(in: quote)
            attributes.append(
                pick([" ", "\n\t"]) + (prefix.isEmpty ? "" : prefix + ":") + local + "=" + quote + value + quote)
        }
        if chance(1, of: 6) { attributes.append(" xml:lang='de'") }
        let all = chance(1, of: 2) ? declared + attributes.joined() : attributes.joined() + declared
        var result = "<" + name + all + pick(["", "", " ", "\n"])
        if depth == 0 || chance(1, of: 5) {
            result += chance(1, of: 2) ? "/>" : "></" + name + pick(["", " "]) + ">"
        } else {
            result += ">"
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                result += chance(1, of: 3) ? text(in: nil) : element(depth: depth - 1, uris: uris)
            }
            result += "</" + name + pick(["", "\t"]) + ">"
        }
        scope.removeLast(scope.count - outside)
        return result
    }

    /// Text in all spellings; `quote` is set when it is in an attribute.
    mutating func text(in quote: String?) -> String {
        var result = ""
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            result += pick([
                "a", "é", "€", "😀", "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#9;", "&#10;", "&#13;", "&#x1F600;",
                " ",
                "\n", "]]", "]]&gt;", "/>", "</", "'", "\"", "<![CDATA[<a b='c'>]]]>", "=", "xmlns='u'", "&#x3C;",
            ])
        }
        if let quote {
            result = result.replacing("<![CDATA[<a b='c'>]]]>", with: "").replacing("</", with: "").replacing(
                quote, with: "")
        } else {
            result = result.replacing("</", with: "").replacing("]]/>", with: "").replacing("]]>", with: "")
            result = result.replacing("<![CDATA[<a b='c'>]", with: "<![CDATA[<a b='c'>]]]>")
        }
        return result
    }

    /// The bytes with one to three random changes.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let alphabet = Array("<>/='\"&;:! \n\u{0}abp?-[]x#".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = pick(alphabet)
            case 1: bytes.insert(pick(alphabet), at: index)
            case 2: bytes.remove(at: index)
            case 3: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &generator))
            default:
                let end = min(bytes.count, index + Int.random(in: 1...12, using: &generator))
                let target = Int.random(in: 0..<bytes.count, using: &generator)
                bytes.insert(contentsOf: Array(bytes[index..<end]), at: target)
            }
        }
        return bytes
    }
}
