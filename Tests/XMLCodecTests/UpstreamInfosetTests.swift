import StreamCore
import Testing

@testable import XMLCodec

/// The framer and libxml2 have to agree on every border. Where they did not, an element could be hidden from whoever
/// reads the other way.
@Suite("UpstreamXML and infosets")
struct UpstreamInfosetTests {
    private static let body =
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>"

    private struct Stream {
        var header = ""
        var elements: [String] = []
        var whole: String { header + elements.joined(separator: " \n") + "</s:stream>" }
    }

    private func randomStream(_ random: inout RandomXML) -> Stream {
        var stream = Stream()
        stream.header = "<s:stream" + random.declare("", "jabber:client")
        stream.header += random.declare("s", "http://etherx.jabber.org/streams")
        for prefix in ["p", "q", "b"] where random.chance(1, of: 3) {
            stream.header += random.declare(prefix, random.pick(["urn:a", "urn:b&c", "jabber:client"]))
        }
        stream.header += " version='1.0'>"
        for _ in 0..<Int.random(in: 0...3, using: &random.generator) {
            stream.elements.append(
                random.element(depth: 4, uris: [RandomXML.bosh, "jabber:client", "urn:a", "urn:b&c", ""]))
        }
        return stream
    }

    /// The elements for the client as one body; nil when the stream was refused or did not end.
    private func read(_ chunks: [[UInt8]], _ reader: UpstreamReader) -> (document: [UInt8], count: Int)? {
        let all = items(chunks, reader)
        guard case .header? = all.first, case .end? = all.last else { return nil }
        var document = Array(Self.body.utf8)
        for item in all.dropFirst().dropLast() {
            guard case .stanza(let bytes, _, _) = item else { return nil }
            document += bytes
        }
        return (document + Array("</body>".utf8), all.count - 2)
    }

    @Test("random elements keep their meaning, in random pieces (N-10, X-14)")
    func randomStreams() throws {
        let reader = UpstreamReader()
        for seed in UInt64(0)..<2000 {
            var random = RandomXML(seed: seed)
            let stream = randomStream(&random)
            let expected = try #require(
                InfosetTree.children(of: Array(stream.whole.utf8)), "seed \(seed): \(stream.whole)")
            var chunks: [[UInt8]] = []
            var rest = Array(stream.whole.utf8)[...]
            while !rest.isEmpty {
                let length = Int.random(in: 1...40, using: &random.generator)
                chunks.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            let result = try #require(read(chunks, reader), "seed \(seed): \(stream.whole)")
            #expect(result.count == stream.elements.count, "seed \(seed)")
            #expect(InfosetTree.children(of: result.document) == expected, "seed \(seed): \(stream.whole)")
        }
    }

    @Test("mutated streams: what is accepted whole is what libxml2's tree says, element by element")
    func mutatedStreams() {
        let reader = UpstreamReader()
        var accepted = 0
        for seed in UInt64(0)..<6000 {
            var random = RandomXML(seed: seed)
            let bytes = random.mutated(Array(randomStream(&random).whole.utf8))
            let whole = items([bytes], reader)
            #expect(whole == items(bytes.map { [$0] }, reader), "seed \(seed)")
            guard let result = read([bytes], reader) else { continue }
            accepted += 1
            // Bytes after the stream's end are not read.
            let end = whole.isEmpty ? bytes.count : lengthOfStream(bytes, reader)
            let expected = InfosetTree.children(of: Array(bytes[..<end]))
            #expect(
                InfosetTree.children(of: result.document) == expected,
                "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            #expect(expected?.count == result.count, "seed \(seed)")
        }
        #expect(accepted > 100)
    }

    @Test("mutated streams: what libxml2's tree finds in order is refused only for what restricted XML forbids")
    func nothingLegalIsRefused() {
        let reader = UpstreamReader()
        var refused = 0
        for seed in UInt64(20_000)..<26_000 {
            var random = RandomXML(seed: seed)
            let bytes = random.mutated(Array(randomStream(&random).whole.utf8))
            guard case .fault(.malformed)? = items([bytes], reader).last else { continue }
            refused += 1
            guard InfosetTree.children(of: bytes) != nil else { continue }
            // Text between elements is well-formed, but not allowed in XMPP.
            #expect(hasTopLevelText(bytes), "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(refused > 100)
    }

    private func lengthOfStream(_ bytes: [UInt8], _ reader: UpstreamReader) -> Int {
        var stream = UpstreamXML()
        var offset = 0
        while let item = stream.next(bytes.span, offset: &offset, reader: reader) {
            if item == .end { return offset }
        }
        return offset
    }

    private func hasTopLevelText(_ bytes: [UInt8]) -> Bool {
        var framer = ElementFramer(mayDeclare: true)
        var offset = 0
        while true {
            switch framer.scan(bytes.span, from: &offset, limits: XMLLimits()) {
            case .fault(let fault): return fault == .text
            case .needMore, .rootClosed: return false
            case .rootOpened, .childClosed, .sectionOpened, .sectionClosed, .wideTag: continue
            }
        }
    }
}
