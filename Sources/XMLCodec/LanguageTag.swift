/// Language tags, as the value of `xml:lang` (BCP 47).
enum LanguageTag {
    /// Whether the text is a language tag as BCP 47 allows it, roughly, and of a length that it expects to be
    /// supported. A server may end a stream over anything else (RFC 6120 §8.1.5, RFC 5646 §4.4.1).
    static func isOne(_ text: [UInt8]) -> Bool {
        guard (1...35).contains(text.count) else { return false }
        return text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
