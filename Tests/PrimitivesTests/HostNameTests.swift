import Primitives
import Testing

@Suite struct HostNameTests {
    private static let longLabel = String(repeating: "a", count: 63)

    @Test(
        "labels of letters, digits and hyphens with full stops between (RFC 1123 §2.1)",
        arguments: ["a", "A1.b-c.example", "1", "192.0.2.1", "xn--bcher-kva.example", longLabel + ".example"])
    func names(_ name: String) {
        #expect(HostName.isValid(name.utf8))
        #expect(HostName.isValid(Array(name.utf8), underscores: true))
    }

    @Test(
        "no label is empty, longer than 63 bytes, or has a hyphen at an end",
        arguments: [
            "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-", "-", "a b", "a\0", "b\u{FC}cher.example", "a:b",
            longLabel + "a.example",
        ])
    func others(_ name: String) {
        #expect(!HostName.isValid(name.utf8))
        #expect(!HostName.isValid(name.utf8, underscores: true))
    }

    @Test("an underscore is a letter only where it is said so")
    func underscores() {
        #expect(!HostName.isValid("_a.b_c".utf8))
        #expect(HostName.isValid("_a.b_c".utf8, underscores: true))
    }

    @Test("a name has 253 bytes at most")
    func length() {
        let name = Array(repeating: Self.longLabel, count: 4).joined(separator: ".")
        #expect(HostName.isValid(name.utf8.dropFirst(2)))
        #expect(!HostName.isValid(name.utf8.dropFirst(1)))
    }
}
