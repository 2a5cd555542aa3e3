import Glibc
import StreamCore
import Testing

@testable import XMLCodec

/// Random legal XML goes through the codec, and its canonical form by libxml2 before and after is compared. A
/// difference is printed with its seed, in the smallest document that shows it.
///
/// `HOLDFAST_DOCUMENTS` sets how many documents are tested in each direction, and `HOLDFAST_SEED` the first seed.
@Suite("XML fidelity by canonical form")
struct CanonicalFormTests {
    private static let streamStart =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    private static let bodyStart =
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>"

    private static func environment(_ name: String) -> UInt64? {
        // Foundation and libxml2's headers cannot be used together, because both bring definitions of ICU.
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    #if DEBUG
        private static let usualCount: UInt64 = 1_500
    #else
        private static let usualCount: UInt64 = 20_000
    #endif

    /// Each run uses other documents.
    private static func seeds(_ direction: String) -> Range<UInt64> {
        let count = environment("HOLDFAST_DOCUMENTS") ?? usualCount
        let start = environment("HOLDFAST_SEED") ?? UInt64.random(in: 0...1_000_000_000)
        print("XML fidelity: \(count) documents \(direction) from HOLDFAST_SEED=\(start)")
        return start..<start + count
    }

    @Test(
        "from the client: prefixes, languages and values as the server would have had them without BOSH (N-05, N-06, N-07)"
    )
    func fromClients() {
        let parser = BodyParser()
        for seed in Self.seeds("from a client") {
            var random = RandomXML(seed: seed)
            let document = RandomDocument.body(&random)
            #expect(CanonicalForm.children(of: Array(document.text.utf8)) != nil, "seed \(seed): \(document.text)")
            guard let difference = Self.difference(parsing: document, parser) else { continue }
            let smallest = document.shrunk { Self.difference(parsing: $0, parser)?.kind == difference.kind }
            let last = Self.difference(parsing: smallest, parser) ?? difference
            Issue.record("HOLDFAST_SEED=\(seed): \(last.kind): \(last.detail)\nin \(smallest.text)")
            return
        }
    }

    @Test("from the server: what the client gets means what the server sent (N-07, N-10, X-14)")
    func fromServers() {
        let reader = UpstreamReader()
        for seed in Self.seeds("from a server") {
            var random = RandomXML(seed: seed)
            let document = RandomDocument.stream(&random)
            #expect(CanonicalForm.children(of: Array(document.text.utf8)) != nil, "seed \(seed): \(document.text)")
            guard let difference = Self.difference(reading: document, reader) else { continue }
            let smallest = document.shrunk { Self.difference(reading: $0, reader)?.kind == difference.kind }
            let last = Self.difference(reading: smallest, reader) ?? difference
            Issue.record("HOLDFAST_SEED=\(seed): \(last.kind): \(last.detail)\nin \(smallest.text)")
            return
        }
    }

    @Test("the comparison sees what it has to see")
    func comparison() throws {
        func form(_ text: String) -> [String]? { CanonicalForm.children(of: Array(text.utf8)) }
        let first = try #require(
            form("<a xmlns:p='urn:p'><p:m b='&#9;\"' a=\"&amp;\"><![CDATA[<]]>&#x1F600;</p:m></a>"))
        #expect(first == ["<p:m xmlns:p=\"urn:p\" a=\"&amp;\" b=\"&#x9;&quot;\">&lt;😀</p:m>"])
        #expect(form("<a><p:m xmlns:p='urn:p' a='&#38;' b='&#x9;&#34;'>&#60;😀</p:m></a>") == first)
        for other in ["urn:q' a='&#38;' b='&#9;&#34;", "urn:p' a='&#38;' b=' &#34;", "urn:p' a='&#38;' c='&#9;&#34;"] {
            #expect(form("<a><p:m xmlns:p='\(other)'>&#60;😀</p:m></a>") != first)
        }
        #expect(form("<a xml:lang='de'><m/></a>") == ["<m></m>"])
        #expect(form("<a><m>") == nil)
        let adapted = CanonicalForm.children(of: Array(body("xml:lang='de'", "<iq/><x/>").utf8), adapts: true)
        #expect(
            adapted == ["<iq xmlns=\"jabber:client\" xml:lang=\"de\"></iq>", "<x xmlns=\"jabber:client\"></x>"])
    }

    @Test("the documents reach what they are about")
    func reach() {
        var bodies: [String] = []
        var streams: [String] = []
        for seed in UInt64(0)..<300 {
            var random = RandomXML(seed: seed)
            bodies.append(RandomDocument.body(&random).text)
            random = RandomXML(seed: seed)
            streams.append(RandomDocument.stream(&random).text)
        }
        let forms = [
            "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#10;", "&#x1F600;", "😀", "<![CDATA[", "xmlns=''",
            "xmlns:p='",
            "xmlns=\"jabber:client\"", " xml:lang='", "<p:", " q:id=", "]]&gt;", "<message", "ä-1",
        ]
        for (kind, documents) in [("body", bodies), ("stream", streams)] {
            for form in forms { #expect(documents.count { $0.contains(form) } >= 3, "\(form) in a \(kind)") }
            // The same prefix is declared twice.
            #expect(documents.count { $0.split(separator: "xmlns:p=").count > 2 } >= 30)
            #expect(documents.allSatisfy { CanonicalForm.children(of: Array($0.utf8)) != nil })
        }
        #expect(bodies.count { $0.hasPrefix("<w:body") } >= 30)
        #expect(streams.count { $0.hasPrefix("<s:stream") } >= 30)
    }

    @Test("a document that shows a difference is cut down")
    func shrinking() {
        var random = RandomXML(seed: 7)
        var document = RandomDocument.body(&random)
        document.elements = [
            "<a x='1' y=\"2\"><b><c/>text</b><d e='1'>&amp;</d></a>", "<message><wanted a='1'><z/>z</wanted></message>",
            "<c/>",
        ]
        let smallest = document.shrunk { $0.text.contains("<wanted") }
        #expect(smallest.elements == ["<wanted/>"])
    }

    /// A difference that stays the same while its document is made smaller.
    private struct Difference {
        let kind: String
        let detail: String
    }

    /// What is wrong with the children as the server gets them; nil when they are right.
    private static func difference(parsing document: RandomDocument, _ parser: BodyParser) -> Difference? {
        let text = Array(document.text.utf8)
        // A document that became illegal while it was made smaller shows nothing.
        guard InfosetTree.children(of: text) != nil else { return nil }
        let result = parser.parse(text.span)
        guard case .body(let attributes, let payload, let stanzas) = result else {
            return Difference(kind: "refused: \(result)", detail: "")
        }
        return difference(
            String(decoding: payload, as: UTF8.self), stanzas,
            CanonicalForm.children(of: Array(streamStart.utf8) + payload + Array("</stream:stream>".utf8)),
            CanonicalForm.children(of: text, adapts: true), document, language: attributes.rare.language?.text)
    }

    private static func difference(reading document: RandomDocument, _ reader: UpstreamReader) -> Difference? {
        let text = Array(document.text.utf8)
        guard InfosetTree.children(of: text) != nil else { return nil }
        let all = items([text], reader)
        guard case .header? = all.first, case .end? = all.last else {
            return Difference(kind: "refused: \(all.last.map { "\($0)" } ?? "")", detail: "")
        }
        var elements = ""
        for item in all.dropFirst().dropLast() {
            guard case .stanza(let bytes, _, _) = item else {
                return Difference(kind: "another item", detail: "\(item)")
            }
            elements += String(decoding: bytes, as: UTF8.self)
        }
        return difference(
            elements, all.count - 2, CanonicalForm.children(of: Array((bodyStart + elements + "</body>").utf8)),
            CanonicalForm.children(of: text), document, language: nil)
    }

    private static func difference(
        _ forwarded: String, _ count: Int, _ result: [String]?, _ expected: [String]?, _ document: RandomDocument,
        language: String?
    ) -> Difference? {
        guard let expected, count == expected.count else {
            return Difference(kind: "\(count) elements", detail: forwarded)
        }
        guard let result, result == expected else {
            return Difference(kind: "another meaning", detail: "\(forwarded)\n\(result ?? [])\nis not\n\(expected)")
        }
        // After the name and the inserted text, every byte is unchanged.
        guard rest(of: forwarded, document.elements, language: language) == "" else {
            return Difference(kind: "other bytes", detail: forwarded)
        }
        return nil
    }

    /// The rest of `text` after `elements`, each of which may have new declarations after its name, and after
    /// `language`; nil when anything else differs.
    private static func rest(of text: String, _ elements: [String], language: String?) -> String? {
        var text = Array(text.utf8)[...]
        for element in elements {
            let element = Array(element.utf8)
            // An element's own declaration of the BOSH namespace may have changed; the comparison of canonical forms
            // has covered it.
            guard !String(decoding: element, as: UTF8.self).contains(RandomXML.bosh) else { return "" }
            let name = element.prefix { !$0.isXMLSpace && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
            guard text.starts(with: name) else { return nil }
            text = text.dropFirst(name.count)
            let own = element.dropFirst(name.count)
            while text.starts(with: " xmlns".utf8), !text.starts(with: own) {
                guard let quote = text.firstIndex(of: UInt8(ascii: "'")) else { return nil }
                guard let end = text[(quote + 1)...].firstIndex(of: UInt8(ascii: "'")) else { return nil }
                text = text[(end + 1)...]
            }
            if let language, !text.starts(with: own) {
                let added = Array(" xml:lang='\(language)'".utf8)
                guard text.starts(with: added) else { return nil }
                text = text.dropFirst(added.count)
            }
            guard text.starts(with: own) else { return nil }
            text = text.dropFirst(own.count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
