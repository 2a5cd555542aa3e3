import Testing

@testable import XMLCodec

@Suite("CharacterCheck (N-08, N-09)")
struct CharacterCheckTests {
    private func accepts(_ bytes: [UInt8]) -> Bool {
        CharacterCheck.validPrefix(of: bytes.span) == bytes.count
    }

    private func isAllowed(_ value: UInt32) -> Bool {
        value == 0x9 || value == 0xA || value == 0xD || (0x20...0xD7FF).contains(value)
            || (0xE000...0xFFFD).contains(value) || (0x10000...0x10FFFF).contains(value)
    }

    @Test("every Unicode scalar is judged as XML 1.0 §2.2 says")
    func everyScalar() {
        var wrong: [UInt32] = []
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            if accepts(Array(String(scalar).utf8)) != isAllowed(value) { wrong.append(value) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("every sequence of two bytes, and the critical ones of three and four")
    func everySequence() {
        var wrong: [[UInt8]] = []
        func check(_ bytes: [UInt8]) {
            let text = String(validating: bytes, as: UTF8.self)
            let isRight = text.map { $0.unicodeScalars.allSatisfy { isAllowed($0.value) } } ?? false
            if accepts(bytes) != isRight { wrong.append(bytes) }
        }
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max { check([first, second]) }
        }
        let edges: [UInt8] = [
            0x00, 0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBD, 0xBE, 0xBF, 0xC0, 0xC2, 0xED, 0xEF, 0xFF,
        ]
        for first in UInt8(0xC0)...0xFF {
            for second in edges {
                for third in edges {
                    check([first, second, third])
                    for fourth in edges { check([first, second, third, fourth]) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test("the valid prefix ends exactly in front of what is wrong, wherever that stands")
    func prefix() {
        for position in 0..<40 {
            for bad in [[0x00], [0x1F], [0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF]] as [[UInt8]] {
                let bytes = [UInt8](repeating: 0x61, count: position) + bad
                #expect(CharacterCheck.validPrefix(of: bytes.span) == position)
                #expect(CharacterCheck.validPrefix(of: (bytes + Array("aaaaaaaaaaaa".utf8)).span) == position)
            }
            let good = [UInt8](repeating: 0x61, count: position) + Array("\n€\t😀\u{7F}é".utf8)
            #expect(accepts(good))
        }
    }
}
