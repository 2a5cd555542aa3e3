@testable import TLSCodec
import Testing

@Suite struct DomainNameTests {
    @Test(arguments: [
        ("example.org", "example.org"),
        ("EXAMPLE.Org", "example.org"),
        ("example.org.", "example.org"),
        ("localhost", "localhost"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("münchen.bücher.example", "xn--mnchen-3ya.xn--bcher-kva.example"),
        ("правда.example", "xn--80aafi6cg.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ])
    func `A domain has one ASCII form`(domain: String, ascii: String) {
        #expect(DomainName(domain)?.text == ascii)
    }

    @Test(arguments: ["", ".", "..", "a..b", ".example.org", "example.org..", "a b", "a\tb", "a\u{0}b", "\u{7F}"])
    func `What is no domain has none`(text: String) {
        #expect(DomainName(text) == nil)
    }

    /// The samples of RFC 3492 §7.1 (B, D, I, L, S).
    @Test(arguments: [
        ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
        ("Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"),
        ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
        ("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b"),
        ("-> $1.00 <-", "-> $1.00 <--"),
    ])
    func `Punycode encodes the RFC's samples`(text: String, encoded: String) {
        #expect(Punycode.encode(text.unicodeScalars.map(\.value)) == encoded)
    }

    @Test func `A count that overflows is refused`() {
        #expect(Punycode.encode([0x61, .max, .max - 1]) == nil)
        #expect(Punycode.encode(Array(repeating: 0x61, count: 5000) + [0x10_FFFF]) == nil)
    }
}
