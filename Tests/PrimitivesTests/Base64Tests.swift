import Primitives
import Testing

struct Base64Tests {
    private func encoded(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encode(bytes.span), as: UTF8.self)
    }

    private func decoded(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        return Base64.decode(characters.span)
    }

    @Test(
        "the examples of RFC 4648 §10, both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func examples(_ plain: String, _ text: String) {
        #expect(encoded(Array(plain.utf8)) == text)
        #expect(decoded(text) == Array(plain.utf8))
    }

    @Test("the whole alphabet stands in its order")
    func alphabet() {
        var bytes: [UInt8] = []
        // The values 0 to 63 are written in six bits each.
        for first in stride(from: UInt32(0), to: 64, by: 4) {
            let four = (first << 18) | (first + 1) << 12 | (first + 2) << 6 | (first + 3)
            bytes += [16, 8, 0].map { UInt8(truncatingIfNeeded: four >> UInt32($0)) }
        }
        #expect(encoded(bytes) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        #expect(decoded("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == bytes)
    }

    @Test("every byte in every place comes back", arguments: 0..<6)
    func everyByte(_ place: Int) {
        for byte in UInt8.min...UInt8.max {
            for length in (place + 1)...7 {
                var bytes = [UInt8](repeating: 0xA5, count: length)
                bytes[place] = byte
                let text = Base64.encode(bytes.span)
                #expect(text.count == (length + 2) / 3 * 4)
                #expect(Base64.decode(text.span) == bytes)
            }
        }
    }

    @Test(
        "anything that is not written so is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "Zm8", "=", "==", "===", "====", "A===", "Zm9v====", "Zm9v=", "Zg==Zg==", "Z=g=",
            "Zm=v", "Zm8=Zm8=", "Zm9v\n", "Zm9v\r\n", " Zm9v", "Zm 9v", "Zm9-", "Zm9_", "Zm9\u{0}", "Zmé=",
            "Zm9v, Zm9v",
        ])
    func refused(_ text: String) {
        #expect(decoded(text) == nil)
    }

    @Test("unused bits that are not 0 are refused, so that no two texts have the same bytes")
    func unusedBits() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let afterOne = alphabet.filter { decoded("Z\(Character(Unicode.Scalar($0)))==") != nil }
        #expect(String(decoding: afterOne, as: UTF8.self) == "AQgw")
        let afterTwo = alphabet.filter { decoded("Zm\(Character(Unicode.Scalar($0)))=") != nil }
        #expect(String(decoding: afterTwo, as: UTF8.self) == "AEIMQUYcgkosw048")
    }
}
