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
}
