import Primitives

/// SHA-1 (FIPS 180-4), for the keys of the tests (XEP-0124 §15.3, XEP-0025 "Data Transfer").
package enum SHA1 {
    /// The digest of the text's bytes as 40 lower case hexadecimal digits.
    package static func hex(of text: String) -> String {
        digest(of: text).map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// The digest of the text's bytes in base64.
    package static func base64(of text: String) -> String {
        let bytes = digest(of: text).flatMap { word in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
        return String(decoding: Base64.encode(bytes.span), as: UTF8.self)
    }

    private static func digest(of text: String) -> [UInt32] {
        var message = Array(text.utf8)
        let bits = UInt64(message.count) * 8
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for start in stride(from: 0, to: message.count, by: 64) { compress(message[start..<start + 64], into: &state) }
        return state
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { index in
            block[index..<index + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<80 {
            words.append(rotated(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], by: 1))
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for (index, word) in words.enumerated() {
            let (mixed, constant): (UInt32, UInt32) =
                switch index {
                case ..<20: ((b & c) | (~b & d), 0x5A82_7999)
                case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                case ..<60: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = rotated(a, by: 5) &+ mixed &+ e &+ constant &+ word
            (e, d, c, b, a) = (d, c, rotated(b, by: 30), a, next)
        }
        for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
    }

    private static func rotated(_ word: UInt32, by count: UInt32) -> UInt32 {
        word << count | word >> (32 - count)
    }
}

/// The keys of a dialogue: `a1` is the SHA-1 of `a`, `a2` that of `a1`, and so on.
package enum ChainKey {
    /// The key of a BOSH client by its name, in hexadecimal digits. `A1`, `A2` and so on are the same in upper-case
    /// digits. Any other text stands for itself.
    package static func text(_ name: String) -> String {
        named(name) { key, letter in letter.isUppercase ? SHA1.hex(of: key).uppercased() : SHA1.hex(of: key) }
    }

    /// The key of a client over HTTP polling by its name, in base64. Any other text stands for itself.
    package static func base64(_ name: String) -> String {
        named(name) { key, _ in SHA1.base64(of: key) }
    }

    private static func named(_ name: String, _ next: (String, Character) -> String) -> String {
        guard let letter = name.first, letter.isASCII, letter.isLetter, let steps = Int(name.dropFirst()),
            (1...1000).contains(steps)
        else { return name }
        return (0..<steps).reduce(String(letter)) { key, _ in next(key, letter) }
    }
}
