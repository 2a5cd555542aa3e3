import Effort
import Primitives
import Testing

/// The check against Swift's own decoder, which finds the same errors by another way.
struct UTF8CheckTests {
    private enum Verdict: Equatable {
        case correct
        /// Correct so far, and cut inside a character.
        case cut
        /// Wrong at the byte with this offset.
        case wrong(Int)
    }

    /// What the check says of a text in pieces of one byte.
    private func verdict(_ bytes: [UInt8]) -> Verdict {
        var check = UTF8Check()
        for (offset, byte) in bytes.enumerated() {
            let piece = [byte]
            guard check.accepts(piece.span) else { return .wrong(offset) }
        }
        return check.isComplete ? .correct : .cut
    }

    /// What the check says of a text in the given pieces, without the place.
    private func isCorrect(_ pieces: [[UInt8]]) -> Bool {
        var check = UTF8Check()
        for piece in pieces {
            guard check.accepts(piece.span) else { return false }
        }
        return check.isComplete
    }

    /// Whether Swift takes all of it for UTF-8.
    private func isText(_ bytes: some Collection<UInt8>) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    /// What Swift says of a text: the first byte without which no continuation makes it correct is found by trying.
    private func expected(_ bytes: [UInt8]) -> Verdict {
        for count in 0...bytes.count where !canBecomeText(bytes[..<count]) { return .wrong(count - 1) }
        return isText(bytes) ? .correct : .cut
    }

    private func canBecomeText(_ bytes: ArraySlice<UInt8>) -> Bool {
        // These endings complete every character that can be completed.
        let low: [UInt8] = [0x80, 0x80, 0x80]
        let high: [UInt8] = [0xBF, 0xBF, 0xBF]
        let begun = bytes + []
        return (0...3).contains { isText(begun + low.prefix($0)) || isText(begun + high.prefix($0)) }
    }

    @Test("all sequences of one and of two bytes, and where they fail")
    func twoBytes() {
        for first in UInt8.min...UInt8.max {
            let alone = expected([first])
            #expect(verdict([first]) == alone, "\(first)")
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                let both = alone == .wrong(0) ? alone : expected(bytes)
                // Compared before it is reported, because each report takes more time than the check.
                if verdict(bytes) != both { Issue.record("\(bytes)") }
                if first >= 0x80 { compare(bytes) }
            }
        }
    }

    /// The bytes at which the rules of RFC 3629 §4 change, and their neighbours.
    private static let borders: [UInt8] = [
        0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
        0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF,
    ]

    @Test("three and four bytes: all those at a border together, at every split")
    func borders() {
        for first in Self.borders where first >= 0xBF {
            for second in Self.borders {
                for third in Self.borders {
                    compare([first, second, third])
                    guard first >= 0xEF, (0x7F...0xC0).contains(second), (0x7F...0xC0).contains(third) else { continue }
                    for fourth in Self.borders { compare([first, second, third, fourth]) }
                }
            }
        }
    }

    /// Compares a text alone at every split into two, and between others, where it is checked by words.
    private func compare(_ bytes: [UInt8]) {
        let isText = isText(bytes)
        for split in 0...bytes.count where isCorrect([Array(bytes[..<split]), Array(bytes[split...])]) != isText {
            Issue.record("\(bytes) split at \(split)")
        }
        for before in ["12345678", "12345", "é€"] {
            let piece = Array(before.utf8) + bytes + Array("€12345678".utf8)
            if isCorrect([piece]) != isText { Issue.record("\(bytes) behind \(before)") }
        }
    }

    @Test("every Unicode scalar is accepted, and no surrogate")
    func scalars() {
        var all: [UInt8] = []
        for value in UInt32(0)...0x10_FFFF {
            if let scalar = Unicode.Scalar(value) { all.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
        }
        #expect(isCorrect([all]))
        for value in UInt32(0xD800)...0xDFFF {
            let bytes = [0xED, UInt8(0x80 | value >> 6 & 0x3F), UInt8(0x80 | value & 0x3F)]
            #expect(verdict(bytes) == .wrong(1))
        }
    }

    @Test("W-31: the check fails at the first byte that cannot be right")
    func failsFast() {
        #expect(verdict([0x65, 0xC0]) == .wrong(1))
        #expect(verdict([0xCE, 0xBA, 0xED, 0xA0, 0x80]) == .wrong(3))
        #expect(verdict([0xE0, 0x9F]) == .wrong(1))
        #expect(verdict([0xF4, 0x90, 0x80, 0x80]) == .wrong(1))
        #expect(verdict([0xF0, 0x8F]) == .wrong(1))
        #expect(verdict([0xF5]) == .wrong(0))
        #expect(verdict([0xE2, 0x82, 0x41]) == .wrong(2))
        #expect(verdict([0xE2, 0x82]) == .cut)
    }

    @Test("eight bytes of ASCII with one bad byte among them, wherever the piece begins")
    func words() {
        for length in 0..<40 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: 0x7F, count: length)
                #expect(isCorrect([bytes]))
                bytes[place] = 0x80
                for start in 0...place {
                    #expect(!isCorrect([Array(bytes[..<start]), Array(bytes[start...])]))
                }
            }
        }
    }

    @Test("random bytes, in random pieces")
    func random() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let texts = [
            "a", "0123456789abcdef", "é", "ß€", "𤭢", "\u{10FFFF}", "\u{D7FF}\u{E000}", "\u{0}\u{80}\u{800}\u{10000}",
        ]
        for round in 0..<Effort.cases(20_000, atLeast: 1_000) {
            var bytes: [UInt8] = []
            for _ in 0...generator.below(6) { bytes += Array(texts[generator.below(texts.count)].utf8) }
            if generator.oneIn(2) { bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next()) }
            if generator.oneIn(4) { bytes.removeLast() }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                pieces.append(Array(rest.prefix(generator.below(12))))
                rest = rest.dropFirst(pieces.last?.count ?? 0)
            }
            #expect(isCorrect(pieces) == isText(bytes), "seed \(seed), round \(round): \(bytes)")
        }
    }

    @Test("the check is small, because every connection has one")
    func size() {
        #expect(MemoryLayout<UTF8Check>.size <= 4)
    }
}
