@testable import Addresses
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
        ("BüCHER.Example.", "xn--bcher-kva.example"),
        ("Bücher.XN--BCHER-KVA", "xn--bcher-kva.xn--bcher-kva"),
        ("правда.example", "xn--80aafi6cg.example"),
        ("ПРАВДА.Example", "xn--80aafi6cg.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ])
    func `A domain has one ASCII form`(domain: String, ascii: String) {
        #expect(DomainName(domain)?.text == ascii)
    }

    /// Letters that IDNA 2003 mapped away and IDNA 2008 does not (RFC 5894 §7.2), and letters with a surprising lower
    /// case.
    @Test(arguments: [
        ("fußball.example", "xn--fuball-cta.example"),
        ("FUẞBALL.example", "xn--fuball-cta.example"),
        ("FUSSBALL.example", "fussball.example"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("βόλοσ.com", "xn--nxasmq6b.com"),
        ("نامه\u{200C}ای.com", "xn--mgba3gch31f060k.com"),
        ("ශ්\u{200D}රී.com", "xn--10cl1a0b660p.com"),
        // The Kelvin sign is a k; the dotted capital I is an i and a dot above it.
        ("\u{212A}.example", "k.example"),
        ("\u{130}.example", "xn--i-9bb.example"),
        ("ﬁ.example", "xn--jm6c.example"),
    ])
    func `Sharp cases`(domain: String, ascii: String) {
        #expect(DomainName(domain)?.text == ascii)
    }

    @Test func `Equal names are equal values`() {
        #expect(DomainName("BÜCHER.example.") == DomainName("xn--bcher-kva.EXAMPLE"))
        #expect(DomainName("bücher.example") != DomainName("bucher.example"))
        #expect(Set([DomainName("a.example"), DomainName("A.EXAMPLE")]).count == 1)
    }

    @Test func `Labels and names have the lengths of DNS`() {
        let label = String(repeating: "a", count: 63)
        #expect(DomainName(label + ".example") != nil)
        #expect(DomainName(label + "a.example") == nil)
        // The encoded form counts: xn--, a hyphen and three more digits.
        #expect(DomainName(String(repeating: "a", count: 55) + "ü")?.text.utf8.count == 63)
        #expect(DomainName(String(repeating: "a", count: 56) + "ü") == nil)
        let whole = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(whole.utf8.count == 253)
        #expect(DomainName(whole)?.text == whole)
        #expect(DomainName(whole + ".")?.text == whole)
        #expect(DomainName(whole + "b") == nil)
    }

    @Test(arguments: [
        "例え。テスト", "a．b", "a｡b", "bü\u{A0}cher", "bü\u{202E}cher", "bü\u{AD}cher", "bü\u{85}cher", "ü\u{FEFF}",
        "ü\u{2028}",
        "ü b", "ü\u{0}", "ü..b",
    ])
    func `Outside ASCII too, dots and what cannot be seen are refused`(text: String) {
        #expect(DomainName(text) == nil)
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
