import BOSHCore
import Testing

@testable import XMLCodec

/// The start tag of a body whose rest is not read.
@Suite struct BodyStartTagTests {
    private let parser = BodyParser()

    private func attributes(_ text: String) -> BodyAttributes? {
        parser.parseStartTag(Array(text.utf8).span)
    }

    @Test(
        "login-body: the start tag says whose request it is, whatever stands behind it",
        arguments: ["", "<a>", "</b>", "\u{1}", "<message/></body>", String(repeating: "<a>", count: 50_000)])
    func rest(of text: String) {
        let start = "<?xml version='1.0'?>\n<body xmlns='http://jabber.org/protocol/httpbind' rid='7' to='example.org'>"
        #expect(attributes(start + text)?.rid == .value(7))
        #expect(attributes(start + text)?.rare.to == "example.org")
        #expect(attributes(start + text)?.sid == .absent)
    }

    @Test(
        "login-body: what does not begin like a body",
        arguments: [
            "", "<body", "<body xmlns='http://jabber.org/protocol/httpbind' rid='7'", "<body rid='7'>", "x<body/>",
            "<!DOCTYPE body><body xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' to='\u{1}'>",
            "<body xmlns='http://jabber.org/protocol/httpbind' to='" + String(repeating: "a", count: 20_000) + "'>",
        ])
    func refused(text: String) {
        #expect(attributes(text) == nil)
    }

    @Test("login-body: a whole body is read by the same parser afterwards")
    func goesOn() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='7'><message xmlns='jabber:client'/></body>"
        #expect(attributes(body)?.rid == .value(7))
        guard case .body(let attributes, let payload, _) = parser.parse(Array(body.utf8).span) else {
            Issue.record("refused")
            return
        }
        #expect(attributes.rid == .value(7))
        #expect(payload == Array("<message xmlns='jabber:client'/>".utf8))
    }
}
