import BOSHCore
import Bridge
import Testing

@Suite struct MediaTypeTests {
    @Test(
        "H-07 type and charset are read, in any case, with white space and parameters",
        arguments: [
            ("text/xml; charset=utf-8", "text/xml", "utf-8"), ("Text/XML;Charset=\"UTF-8\"", "text/xml", "utf-8"),
            ("text/xml", "text/xml", nil), ("application/xml ; a=b ; charset=latin1", "application/xml", "latin1"),
            ("text/plain;", "text/plain", nil), ("text/plain; ;charset=utf8", "text/plain", "utf8"),
        ] as [(String, String, String?)])
    func reads(text: String, essence: String, charset: String?) throws {
        let type = try #require(MediaType(PeerText(text)))
        #expect(type.essence == essence && type.charset == charset)
    }

    @Test(
        "H-07 what is no media type, or could not stand in a header field, is none",
        arguments: [
            "", "text", "text/", "/xml", "text/xml/x", "te xt/xml", "text/xml; charset", "text/xml; =x", "text/xml; a=",
            "text/xml; a=\"", "text/xml\r\nSet-Cookie: a=b", "text/xml; a=\"b\r\n\"", "text/xml\t", "text/xm\u{EB}",
            "text/xml; a=\"b c\"", String(repeating: "a", count: 65) + "/" + String(repeating: "b", count: 63),
        ])
    func refuses(text: String) {
        #expect(MediaType(PeerText(text)) == nil)
    }

    @Test("N-08 only UTF-8 is written")
    func knowsUTF8() {
        let types = ["text/xml", "text/xml;charset=UTF-8", "text/xml;charset=utf8", "text/xml;charset=utf-16"]
        #expect(types.map { MediaType(PeerText($0))?.isUTF8 } == [true, true, true, false])
        #expect(MediaType(PeerText(MediaType.standard))?.isUTF8 == true)
    }

    @Test("H-06 the longest media type has 128 bytes")
    func boundsLength() {
        let longest = String(repeating: "a", count: 64) + "/" + String(repeating: "b", count: 63)
        #expect(MediaType(PeerText(longest))?.essence == longest)
    }
}
