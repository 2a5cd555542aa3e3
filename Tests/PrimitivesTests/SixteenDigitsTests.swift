import Primitives
import Testing

@Suite struct SixteenDigitsTests {
    @Test(
        "a number is read as it was written",
        arguments: [
            (0, "0000000000000000"), (0xAB, "00000000000000ab"), (UInt64.max, "ffffffffffffffff"),
            (0x0123_4567_89AB_CDEF, "0123456789abcdef"),
        ])
    func roundTrip(_ number: UInt64, _ text: String) {
        #expect(number.sixteenDigits == text)
        #expect(UInt64(sixteenDigits: Array(text.utf8).span) == number)
    }

    @Test(
        "nothing else is one",
        arguments: [
            "", "0", "000000000000000", "00000000000000000", "00000000000000AB", "000000000000000g", "+000000000000000",
            "00000000000000 0",
        ])
    func others(_ text: String) {
        #expect(UInt64(sixteenDigits: Array(text.utf8).span) == nil)
    }

    @Test("any byte at any place is read as its digit, or refused")
    func everyByte() {
        let digits = Array("0123456789abcdef".utf8)
        for place in 0..<16 {
            for byte in UInt8.min ... .max {
                var text = [UInt8](repeating: UInt8(ascii: "0"), count: 16)
                text[place] = byte
                let number = digits.firstIndex(of: byte).map { UInt64($0) << UInt64(60 - 4 * place) }
                #expect(UInt64(sixteenDigits: text.span) == number)
            }
        }
    }
}
