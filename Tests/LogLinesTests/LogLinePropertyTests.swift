import Effort
import FoundationEssentials
import Testing

@testable import LogLines

/// Whatever a peer writes, other programs read it back, and no line pretends to be another one.
@Suite struct LogLinePropertyTests {
    /// A text of all that could break a line, and of plain characters.
    private static func text(_ generator: inout SeededGenerator) -> String {
        let pieces: [Unicode.Scalar] = [
            "\"", "\\", "=", " ", "\n", "\r", "\t", "\0", "\u{1B}", "\u{7F}", "\u{85}", "\u{9F}", "\u{A0}", "\u{2028}",
            "\u{2029}", "\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}", "\u{301}", "\u{202E}", "{", "}", ",", ":",
            "a", "u",
            "n", "é", "日", "😀", "<", ">", "/",
        ]
        var text = ""
        for _ in 0..<generator.below(40) {
            let isAny = generator.oneIn(4)
            let any = Unicode.Scalar(UInt32(generator.below(0x11_0000)))
            text.unicodeScalars.append(isAny ? any ?? "?" : pieces[generator.below(pieces.count)])
        }
        return text
    }

    /// A text that looks like a number of JSON, or nearly.
    private static func digits(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "0", "1", "9", "-", "+", ".", "e", "E", "1e5", "0x1", "true", "null", "NaN", "Infinity", "9999999999",
        ]
        return (0..<(1 + generator.below(3))).map { _ in pieces[generator.below(pieces.count)] }.joined()
    }

    /// A value as a program reads it back.
    private enum Value: Decodable, Equatable {
        case text([Unicode.Scalar])
        case number(Int)

        /// Strings are equal in Swift when they only look alike.
        init(_ text: String) { self = .text(Array(text.unicodeScalars)) }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self.init(try container.decode(String.self))
            }
        }

        init(_ generator: inout SeededGenerator) {
            switch generator.below(4) {
            case 0: self = .number(Int(truncatingIfNeeded: generator.next()) >> generator.below(64))
            case 1: self.init(LogLinePropertyTests.digits(&generator))
            default: self.init(LogLinePropertyTests.text(&generator))
            }
        }

        /// The same in a form without types.
        var untyped: [Unicode.Scalar] {
            switch self {
            case .text(let scalars): scalars
            case .number(let number): Array("\(number)".unicodeScalars)
            }
        }
    }

    private struct Case {
        let event: String
        let fields: [(key: String, value: Value)]

        init(_ generator: inout SeededGenerator) {
            event = LogLinePropertyTests.text(&generator)
            fields = (0..<generator.below(5)).map { ("key\($0)", Value(&generator)) }
        }

        func line(_ form: LineStyle.Form) -> [UInt8] {
            var line = LogLine(LineStyle(form), .info, .clients, event, milliseconds: 0, room: 3_800)
            for field in fields {
                switch field.value {
                case .text(let scalars):
                    var text = ""
                    text.unicodeScalars.append(contentsOf: scalars)
                    line.add(field.key, text)
                case .number(let number): line.add(field.key, LoggedNumber(number))
                }
            }
            return line.finished
        }

        /// What has to be read back, in its order.
        var expected: [(key: String, value: Value)] {
            [
                ("ts", Value("1970-01-01T00:00:00.000Z")), ("level", Value("info")), ("event", Value(event)),
                ("subsystem", Value("clients")),
            ] + fields
        }
    }

    private static func cases(_ check: (Case) throws -> Void) rethrows {
        for seed in 0..<Effort.cases(UInt64(5_000)) {
            var generator = SeededGenerator(seed: seed)
            try check(Case(&generator))
        }
    }

    @Test func `a line of JSON is an object that gives every text back as a text, and every number as a number`() throws
    {
        try Self.cases { sample in
            let line = sample.line(.json)
            let object = try JSONDecoder().decode([String: Value].self, from: Data(line))
            #expect(object.count == sample.expected.count)
            for (key, value) in sample.expected { #expect(object[key] == value, "\(line)") }
        }
    }

    @Test func `a line of logfmt splits back into every value`() throws {
        try Self.cases { sample in
            let pairs = try Self.split(sample.line(.logfmt))
            #expect(pairs.map(\.key) == sample.expected.map(\.key))
            for (pair, expected) in zip(pairs, sample.expected) {
                #expect(Array(pair.value.unicodeScalars) == expected.value.untyped)
            }
        }
    }

    @Test(arguments: LineStyle.Form.allCases)
    func `no line has a character that ends lines or moves a terminal`(form: LineStyle.Form) {
        Self.cases { sample in
            let line = String(decoding: sample.line(form), as: UTF8.self)
            let isHarmless = line.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x2028 && $0.value != 0x2029
            }
            #expect(isHarmless, "\(line)")
        }
    }

    private struct NoPair: Error {}

    /// Reads logfmt as its common readers do: keys up to `=`, values up to a space or in quotes with JSON's escapes.
    private static func split(_ line: [UInt8]) throws -> [(key: String, value: String)] {
        var rest = line[...]
        var pairs: [(String, String)] = []
        while !rest.isEmpty {
            guard let sign = rest.firstIndex(of: UInt8(ascii: "=")) else { throw NoPair() }
            let key = String(decoding: rest[..<sign], as: UTF8.self)
            rest = rest[(sign + 1)...]
            var end = rest.startIndex
            if rest.first == UInt8(ascii: "\"") {
                end += 1
                while rest[end] != UInt8(ascii: "\"") { end += rest[end] == UInt8(ascii: "\\") ? 2 : 1 }
                end += 1
                pairs.append((key, try JSONDecoder().decode(String.self, from: Data(rest[..<end]))))
            } else {
                end = rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.endIndex
                pairs.append((key, String(decoding: rest[..<end], as: UTF8.self)))
            }
            guard end == rest.endIndex || rest[end] == UInt8(ascii: " ") else { throw NoPair() }
            rest = rest[end...].dropFirst()
        }
        return pairs
    }
}
