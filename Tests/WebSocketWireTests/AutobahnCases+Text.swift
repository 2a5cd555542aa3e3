/// Cases 6: UTF-8. The groups from 6.5 on follow Markus Kuhn's list of sequences that decoders must take or refuse.
extension AutobahnCase {
    static let text =
        fragmentedText
        + groups.flatMap { group in
            group.texts.enumerated().map { index, text in
                let bytes = bytes(of: text.hexadecimal)
                return AutobahnCase(
                    "6.\(group.number).\(index + 1)", [.text(bytes)], [text.isValid ? .text(bytes) : .fault(.notUTF8)])
            }
        }

    /// The bytes of hexadecimal digits.
    private static func bytes(of hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.compactMap(\.hexDigit)
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Five Greek letters in eleven bytes.
    private static let kosme = bytes(of: "ceba e1bdb9 cf83 cebc ceb5")
    private static let edited = Array("edited".utf8)
    private static let german = Array("Hello-µ@ßöäüàá-UTF-8!!".utf8)

    private static let fragmentedText: [AutobahnCase] = {
        let surrogate = kosme + [0xED, 0xA0, 0x80] + edited
        let tooHigh = kosme + [0xF4, 0x90, 0x80, 0x80] + edited
        let first = ClientFrame.text(kosme, isFinal: false)
        let cut = ClientFrame.text(Array(tooHigh[..<12]), isFinal: false)
        return [
            AutobahnCase("6.1.1", [.text("")], [.text("")]),
            AutobahnCase(
                "6.1.2", [.text("", isFinal: false), .continuation(""), .continuation("", isFinal: true)], [.text("")]),
            AutobahnCase(
                "6.1.3",
                [
                    .text("", isFinal: false), .continuation("middle frame payload"), .continuation("", isFinal: true),
                ],
                [.text("middle frame payload")]),
            AutobahnCase("6.2.1", [.text(german)], [.text(german)]),
            AutobahnCase("6.2.2", ClientFrame.fragments(of: german, size: 12), [.text(german)]),
            AutobahnCase("6.2.3", ClientFrame.fragments(of: german, size: 1), [.text(german)]),
            AutobahnCase("6.2.4", ClientFrame.fragments(of: kosme, size: 1), [.text(kosme)]),
            AutobahnCase("6.3.1", [.text(surrogate)], [.fault(.notUTF8)], decided: 6 + 13),
            AutobahnCase(
                "6.3.2", ClientFrame.fragments(of: surrogate, size: 1), [.fault(.notUTF8)], decided: 13 * 7),
            // Fail-fast: the fault comes with the byte that makes the text wrong, in a fragment and in a chop of one frame.
            AutobahnCase(
                "6.4.1",
                [first, .continuation([0xF4, 0x90, 0x80, 0x80]), .continuation(edited, isFinal: true)],
                [.fault(.notUTF8)], decided: first.bytes.count + 6 + 2),
            AutobahnCase(
                "6.4.2", [cut, .continuation([0x90]), .continuation(Array(tooHigh[13...]), isFinal: true)],
                [.fault(.notUTF8)], decided: cut.bytes.count + 6 + 1),
            AutobahnCase("6.4.3", [.text(tooHigh)], [.fault(.notUTF8)], decided: 6 + 13),
            AutobahnCase("6.4.4", [.text(tooHigh)], [.fault(.notUTF8)], decided: 6 + 13),
        ]
    }()

    private struct Text: Sendable {
        var hexadecimal: String
        var isValid: Bool
    }

    private struct Group: Sendable {
        var number: Int
        var texts: [Text]

        init(_ number: Int, valid: [String] = [], invalid: [String] = []) {
            self.number = number
            texts =
                valid.map { Text(hexadecimal: $0, isValid: true) }
                + invalid.map { Text(hexadecimal: $0, isValid: false) }
        }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Each first byte of a range but its last one, followed by a space.
    private static func lonely(_ first: Range<UInt8>) -> String {
        hexadecimal(first.flatMap { [$0, 0x20] })
    }

    /// Sequences whose last byte is missing.
    private static let incomplete = [
        "c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf",
    ]

    private static let groups: [Group] = [
        // Correct text, and all its beginnings.
        Group(
            5,
            valid: [
                "68656c6c6f 24 776f726c64", "68656c6c6f c2a2 776f726c64", "68656c6c6f e282ac 776f726c64",
                "68656c6c6f f0a4ada2 776f726c64", "ceba e1bdb9 cf83 cebc ceb5",
            ]),
        beginnings,
        // The first and the last sequence of each length, those above U+10FFFF, and other borders.
        Group(7, valid: ["00", "c280", "e0a080", "f0908080"]),
        Group(8, invalid: ["f888808080", "fc8480808080"]),
        Group(9, valid: ["7f", "dfbf", "efbfbf", "f48fbfbf"]),
        Group(10, invalid: ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"]),
        Group(11, valid: ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf"], invalid: ["f4908080"]),
        // Continuation bytes without a first byte, first bytes without continuation.
        Group(
            12,
            invalid: [
                "80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", hexadecimal(0x80..<0xBF),
            ]),
        Group(
            13,
            invalid: [
                lonely(0xC0..<0xDF), lonely(0xE0..<0xEF), lonely(0xF0..<0xF7), lonely(0xF8..<0xFB),
                lonely(0xFC..<0xFD),
            ]),
        Group(14, invalid: incomplete),
        Group(15, invalid: [incomplete.joined()]),
        Group(16, invalid: ["fe", "ff", "fefeffff"]),
        // Forms that are longer than the shortest.
        Group(17, invalid: ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"]),
        Group(18, invalid: ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"]),
        Group(19, invalid: ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"]),
        // Surrogates, alone and in pairs.
        Group(20, invalid: ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"]),
        Group(
            21,
            invalid: ["eda080", "edadbf", "edae80", "edafbf"].flatMap { high in
                ["edb080", "edbfbf"].map { high + $0 }
            }),
        // What Unicode calls no characters is UTF-8 all the same. XML refuses some of it later.
        nonCharacters,
        Group(23, valid: ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"]),
    ]

    private static let beginnings: Group = {
        var group = Group(6)
        group.texts = (1...kosme.count).map { count in
            Text(hexadecimal: hexadecimal(kosme.prefix(count)), isValid: [2, 5, 7, 9, 11].contains(count))
        }
        return group
    }()

    private static let nonCharacters: Group = {
        let planes = (0...16).flatMap { plane in
            [0xFFFE, 0xFFFF].compactMap { Unicode.Scalar(UInt32(plane << 16 | $0)) }
        }
        return Group(22, valid: planes.map { hexadecimal(Array(String(Character($0)).utf8)) })
    }()
}

extension UInt8 {
    /// The value of a hexadecimal digit in lower case.
    fileprivate var hexDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}
