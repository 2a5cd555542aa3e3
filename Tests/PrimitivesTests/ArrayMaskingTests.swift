import Primitives
import Testing

struct ArrayMaskingTests {
    /// RFC 6455 §5.3, byte by byte.
    private func masked(_ bytes: [UInt8], _ key: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { $1 ^ key[$0 % 4] }
    }

    private static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    private static let number: UInt32 = 0x37FA_213D

    @Test("the example of RFC 6455 §5.7, both ways")
    func example() {
        var text: [UInt8] = []
        let masked: [UInt8] = [0x7F, 0x9F, 0x4D, 0x51, 0x58]
        _ = text.append(masking: masked.span, key: Self.number)
        #expect(text == Array("Hello".utf8))
        var again: [UInt8] = []
        _ = again.append(masking: text.span, key: Self.number)
        #expect(again == masked)
    }

    @Test("every length, behind any number of bytes, from any place of the source")
    func lengths() {
        let source = (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for length in 0...70 {
            for before in [0, 1, 7, 9] {
                var bytes = [UInt8](repeating: 1, count: before)
                let piece = source.span.extracting(before..<before + length)
                _ = bytes.append(masking: piece, key: Self.number)
                #expect(
                    bytes == Array(repeating: 1, count: before)
                        + masked(Array(source[before..<before + length]), Self.key))
            }
        }
    }

    @Test("the returned key goes on where the piece ended")
    func pieces() {
        let source = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 91) }
        for first in 0...33 {
            for second in 0...20 {
                var bytes: [UInt8] = []
                var key = bytes.append(masking: source.span.extracting(0..<first), key: Self.number)
                key = bytes.append(masking: source.span.extracting(first..<first + second), key: key)
                _ = bytes.append(masking: source.span.extracting((first + second)...), key: key)
                #expect(bytes == masked(source, Self.key))
            }
        }
    }

    @Test("appending again and again takes time with the number of bytes, not with its square")
    func growsAhead() {
        let source = [UInt8](repeating: 1, count: 10)
        var bytes: [UInt8] = []
        var capacities: Set<Int> = []
        for _ in 0..<1_000 {
            _ = bytes.append(masking: source.span, key: 0)
            capacities.insert(bytes.capacity)
        }
        #expect(bytes.count == 10_000 && capacities.count < 20 && bytes.capacity <= 2 * 10_240)
    }
}
