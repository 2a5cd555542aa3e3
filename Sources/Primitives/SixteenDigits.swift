/// The form of 64-bit numbers in names that nobody may guess: always sixteen hexadecimal digits, in lower case.
extension UInt64 {
    /// Reads sixteen digits; nil for anything that `sixteenDigits` does not write.
    @inlinable package init?(sixteenDigits text: Span<UInt8>) {
        guard text.count == 16 else { return nil }
        self = 0
        for index in text.indices {
            switch text[index] {
            case 0x30...0x39: self = self << 4 | UInt64(text[index] &- 0x30)
            case 0x61...0x66: self = self << 4 | UInt64(text[index] &- 0x57)
            default: return nil
            }
        }
    }

    /// The number as sixteen digits.
    package var sixteenDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
