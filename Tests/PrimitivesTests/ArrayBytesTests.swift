import Primitives
import Testing

@Suite struct ArrayBytesTests {
    @Test("bytes are copied behind those that are there", arguments: [0, 1, 7, 1_000])
    func copies(_ count: Int) {
        let source = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var bytes: [UInt8] = [9]
        bytes.append(copying: source.span)
        #expect(bytes == [9] + source)
        let whole = [UInt8](copying: source.span)
        #expect(whole == source)
        let part = [UInt8](copying: source.span.extracting(last: count / 2))
        #expect(part == source.suffix(count / 2))
    }

    @Test("appending again and again takes time with the number of bytes, not with its square")
    func growsAhead() {
        let source = [UInt8](repeating: 1, count: 10)
        var bytes: [UInt8] = []
        var capacities: Set<Int> = []
        for _ in 0..<1_000 {
            bytes.append(copying: source.span)
            capacities.insert(bytes.capacity)
        }
        #expect(bytes.count == 10_000 && capacities.count < 20)
    }

    @Test(
        "decimal numbers, with zeros in front where they have a width",
        arguments: [
            (0, 1, "0"), (7, 1, "7"), (7, 2, "07"), (10, 1, "10"), (255, 2, "255"), (1994, 4, "1994"), (5, 0, "5"),
            (Int.max, 1, "9223372036854775807"),
        ])
    func decimal(_ number: Int, _ width: Int, _ text: String) {
        var bytes = Array("x".utf8)
        bytes.append(decimal: number, width: width)
        #expect(bytes == Array("x\(text)".utf8))
    }

    @Test(
        "texts of every length, and what is not ASCII",
        arguments: ["", "a", "a text of more than fifteen bytes", "grün", "\u{1F600}", "\r\n"])
    func text(_ text: String) {
        var bytes: [UInt8] = [0]
        bytes.append(text: text)
        bytes.append(text: String(text.dropFirst()))
        #expect(bytes == [0] + Array(text.utf8) + Array(text.dropFirst().utf8))
    }

    @Test("the highest byte of a number comes first")
    func bigEndian() {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: 0x12 as UInt8)
        bytes.append(bigEndian: 0x1234 as UInt16)
        bytes.append(bigEndian: 0x1234_5678 as UInt32)
        bytes.append(bigEndian: -2 as Int16)
        bytes.append(bigEndian: 1 as UInt128)
        #expect(bytes == [0x12, 0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 0xFF, 0xFE] + Array(repeating: 0, count: 15) + [1])
    }
}
