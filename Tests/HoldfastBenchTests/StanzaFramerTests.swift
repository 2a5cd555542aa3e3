import Testing

@testable import holdfast_bench

@Suite struct StanzaFramerTests {
    private static let header = "<?xml version='1.0'?><stream:stream to='a>b' xmlns='jabber:client'>"
    private static let stanzas = [
        "<presence/>", "<message to='x'><body>a &lt; b > c</body></message>", "<iq id=\"1'2>\"><a><b/><a/></a></iq>",
    ]
    private static let stream = header + " \n" + stanzas[0] + stanzas[1] + " " + stanzas[2] + "</stream:stream>"

    /// What comes out when the pieces go in one after the other.
    private func pieces(_ parts: [[UInt8]]) -> [String] {
        var framer = StanzaFramer()
        var found: [String] = []
        for part in parts {
            framer.append(part.span)
            while let piece = framer.next() {
                switch piece {
                case .streamHeader: found.append("header")
                case .element(let range): found.append(String(decoding: framer.bytes[range], as: UTF8.self))
                case .streamEnd: found.append("end")
                }
            }
            framer.discardUsed()
        }
        return found
    }

    @Test func `elements are found whole, byte by byte and split at every point`() {
        let bytes = Array(Self.stream.utf8)
        let expected = ["header"] + Self.stanzas + ["end"]
        #expect(pieces([bytes]) == expected)
        #expect(pieces(bytes.map { [$0] }) == expected)
        for point in bytes.indices {
            #expect(pieces([Array(bytes[..<point]), Array(bytes[point...])]) == expected, "split at \(point)")
        }
    }

    @Test func `a restarted stream begins with a header again`() {
        var framer = StanzaFramer()
        framer.append(Array((Self.header + "<auth/>" + Self.header + "<iq/>").utf8).span)
        #expect(framer.next() == .streamHeader)
        guard case .element = framer.next() else {
            Issue.record("no element")
            return
        }
        framer.restart()
        #expect(framer.next() == .streamHeader)
        guard case .element = framer.next() else {
            Issue.record("no element")
            return
        }
        #expect(framer.next() == nil)
    }

    @Test func `an idle stream keeps no bytes and a partial element keeps only its own`() {
        var framer = StanzaFramer()
        framer.append(Array((Self.header + "<message/>").utf8).span)
        while framer.next() != nil {}
        framer.discardUsed()
        #expect(framer.bytes.isEmpty)
        framer.append(Array("<iq/><message><bo".utf8).span)
        while framer.next() != nil {}
        framer.discardUsed()
        #expect(String(decoding: framer.bytes, as: UTF8.self) == "<message><bo")
    }
}
