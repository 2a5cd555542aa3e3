import Testing

@testable import XMLCodec

@Suite("ElementFramer")
struct ElementFramerTests {
    /// The events with their end offsets.
    private func events(
        _ chunks: [[UInt8]], mayDeclare: Bool = false, limits: XMLLimits = XMLLimits()
    ) -> [(ElementFramer.Event, Int)] {
        var framer = ElementFramer(mayDeclare: mayDeclare)
        var result: [(ElementFramer.Event, Int)] = []
        var before = 0
        for chunk in chunks {
            var offset = 0
            while true {
                let event = framer.scan(chunk.span, from: &offset, limits: limits)
                if event == .needMore {
                    #expect(offset == chunk.count)
                    break
                }
                result.append((event, before + offset))
                if case .fault = event { return result }
            }
            before += chunk.count
        }
        return result
    }

    private func check(_ text: String, mayDeclare: Bool = false, _ expected: [(ElementFramer.Event, Int)]) {
        let bytes = Array(text.utf8)
        for chunks in [[bytes], bytes.map { [$0] }] {
            let found = events(chunks, mayDeclare: mayDeclare)
            #expect(found.map(\.0) == expected.map(\.0), "\(text)")
            #expect(found.map(\.1) == expected.map(\.1), "\(text)")
        }
        for point in 0...bytes.count {
            let found = events([Array(bytes[..<point]), Array(bytes[point...])], mayDeclare: mayDeclare)
            #expect(found.map(\.1) == expected.map(\.1), "\(text) at \(point)")
        }
    }

    @Test("borders, however the bytes are split")
    func borders() {
        check("<r/>", [(.rootClosed, 4)])
        check("<r></r>", [(.rootOpened, 3), (.rootClosed, 7)])
        check(
            " <r a='>'><b c=\"/>'\"/>\n<d>></d></r> ",
            [(.rootOpened, 10), (.childClosed, 22), (.childClosed, 31), (.rootClosed, 35)])
        check("<r><a><a/><a></a></a></r>", [(.rootOpened, 3), (.childClosed, 21), (.rootClosed, 25)])
        check("<r><a><![CDATA[</a>]]]></a></r>", [(.rootOpened, 3), (.childClosed, 27), (.rootClosed, 31)])
        check("<r><a><![CDATA[]]]]>]]></a></r>", [(.rootOpened, 3), (.childClosed, 27), (.rootClosed, 31)])
        check("<?xml version='1.0'?> <r>", mayDeclare: true, [(.rootOpened, 25)])
        check("<?xml <r", mayDeclare: true, [])
        check("", [])
    }

    @Test("what no restricted XML can hold is refused at its first byte")
    func faults() {
        check("x", [(.fault(.malformed), 0)])
        check("<?xml?>", [(.fault(.restrictedXML), 1)])
        check("<?xml?><?xml?>", mayDeclare: true, [(.fault(.restrictedXML), 8)])
        check("<!DOCTYPE", [(.fault(.restrictedXML), 2)])
        check("<r><!-", [(.rootOpened, 3), (.fault(.restrictedXML), 5)])
        check("<r><![cdata[", [(.rootOpened, 3), (.fault(.text), 5)])
        check("<r><a><![cdata[", [(.rootOpened, 3), (.fault(.restrictedXML), 9)])
        check("<r>x", [(.rootOpened, 3), (.fault(.text), 3)])
        check("</r>", [(.fault(.malformed), 1)])
        check("<r/></r>", [(.rootClosed, 4), (.fault(.malformed), 5)])
        check("<r a='<'", [(.fault(.malformed), 6)])
        check("<r <", [(.fault(.malformed), 3)])
        check("<r/ >", [(.fault(.malformed), 3)])
        check("<r></r<", [(.rootOpened, 3), (.fault(.malformed), 6)])
        for byte in [">", "<", "=", "&", "'", "\"", " ", "\t", "\n", "\r"] {
            check("<\(byte)", [(.fault(.malformed), 1)])
        }
    }

    @Test("the whole state is a few bytes")
    func size() {
        #expect(MemoryLayout<ElementFramer>.size <= 8)
    }
}
