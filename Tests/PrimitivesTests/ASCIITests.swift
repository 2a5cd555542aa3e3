import Primitives
import Testing

/// What is asked about bytes, against the sets that are meant, for all 256 of them.
@Suite struct ASCIITests {
    private static let digits = "0123456789"
    private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    private func members(_ isMember: (UInt8) -> Bool) -> Set<UInt8> {
        Set((UInt8.min...UInt8.max).filter(isMember))
    }

    @Test("digits, letters, and what a token may have (RFC 9110 §5.6.2)")
    func classes() {
        #expect(members(\.isASCIIDigit) == Set(Self.digits.utf8))
        #expect(members(\.isASCIILetter) == Set(Self.letters.utf8))
        #expect(members(\.isTokenByte) == Set("!#$%&'*+-.^_`|~\(Self.digits)\(Self.letters)".utf8))
    }

    @Test("a set is one bit for each byte of ASCII, and has none beyond")
    func sets() {
        #expect(members { $0.isMember(low: 1, high: 1 << 63) } == [0, 127])
        #expect(members { $0.isMember(low: .max, high: .max) } == Set(0...127))
    }

    @Test("only capital letters of ASCII have a small one")
    func lowercase() {
        for byte in UInt8.min...UInt8.max {
            let scalar = UnicodeScalar(byte)
            let expected = scalar.isASCII ? Array(String(scalar).lowercased().utf8) : [byte]
            #expect([byte.asciiLowercased] == expected)
        }
    }

    @Test("hexadecimal digits in either case have a value")
    func hexadecimal() {
        for byte in UInt8.min...UInt8.max {
            let text = String(UnicodeScalar(byte))
            let expected = text.utf8.count == 1 && text != "+" && text != "-" ? UInt8(text, radix: 16) : nil
            #expect(byte.hexadecimalValue == expected)
        }
    }

    @Test(
        "spaces and tabs are taken off both ends",
        arguments: [
            ("", 0..<0), ("a", 0..<1), (" \ta b\t ", 2..<5), ("\t \t", 3..<3), ("a\n ", 0..<2),
        ])
    func trims(_ text: String, _ kept: Range<Int>) {
        let bytes = Array(text.utf8)
        let found = bytes.span.trimmed(0..<bytes.count)
        #expect(found == kept)
        // What stands outside of the range is not looked at.
        let framed = [0x20] + bytes + [0x20]
        let inside = framed.span.trimmed(1..<bytes.count + 1)
        #expect(inside == kept.lowerBound + 1..<kept.upperBound + 1)
    }
}
