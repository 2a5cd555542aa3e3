/// The form of 64-bit numbers in names that nobody may guess: always sixteen hexadecimal digits, in lower case.
extension UInt64 {
    /// Reads sixteen digits; nil for anything that `sixteenDigits` does not write.
    @inlinable package init?(sixteenDigits text: Span<UInt8>) {
        guard text.count == 16 else { return nil }
        self = 0
        // No branch depends on a digit: in random numbers the processor guesses every second one wrong.
        var others: UInt8 = 0
        for index in 0..<16 {
            let byte = text[index]
            let letter: UInt8 = byte &- UInt8(ascii: "a") < 6 ? 1 : 0
            let digit: UInt8 = byte &- UInt8(ascii: "0") < 10 ? 1 : 0
            others |= 1 ^ (letter | digit)
            self = self << 4 | UInt64((byte & 0x0F) &+ letter &* 9)
        }
        guard others == 0 else { return nil }
    }

    /// The number as sixteen digits.
    package var sixteenDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
