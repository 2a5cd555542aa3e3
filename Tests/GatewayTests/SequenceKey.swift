import COpenSSL

/// The keys of a client's sequence (XEP-0124 §15.3).
enum SequenceKey {
    /// The SHA-1 of a text as 40 lower case hexadecimal digits.
    static func hash(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        _ = SHA1(bytes, bytes.count, &digest)
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The key that a script names: `a1` is the SHA-1 of `a`, `a2` that of `a1`, and so on; `A1`, `A2` and so on have
    /// upper-case digits. Any other text means itself.
    static func named(_ name: String) -> String {
        guard let letter = name.first, letter.isLetter, let steps = Int(name.dropFirst()), (1...1_000).contains(steps)
        else { return name }
        return (0..<steps).reduce(String(letter)) { key, _ in
            letter.isUppercase ? hash(key).uppercased() : hash(key)
        }
    }
}
