/// Cases 7: Close frames.
extension AutobahnCase {
    static let closing = basics + lengths + validCodes + invalidCodes

    private static let hello = ClientFrame.text("Hello World!")
    private static let closed = Played.close(1000, [])
    private static let large = [UInt8](repeating: 0x42, count: 256 << 10)
    /// Correct up to a surrogate.
    private static let badReason: [UInt8] =
        [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0, 0x80] + Array("edited".utf8)

    private static let basics: [AutobahnCase] = [
        AutobahnCase("7.1.1", [hello, .close(1000)], [.text("Hello World!"), closed]),
        AutobahnCase("7.1.2", [.close(1000), .close(1000)], [closed]),
        AutobahnCase("7.1.3", [.close(1000), .ping()], [closed]),
        AutobahnCase("7.1.4", [.close(1000), hello], [closed]),
        AutobahnCase(
            "7.1.5",
            [.text("fragment1", isFinal: false), .close(1000), .continuation("fragment2", isFinal: true)], [closed]),
        AutobahnCase(
            "7.1.6", [.text(large), hello, .close(1000), .ping()], [.text(large), .text("Hello World!"), closed]),
        AutobahnCase("7.5.1", [.close(1000, badReason)], [.fault(.badClose)]),
    ]

    private static let longest = [UInt8](repeating: 0x2A, count: 123)

    private static let lengths: [AutobahnCase] = [
        AutobahnCase("7.3.1", [.close(payload: [])], [.close(nil, [])]),
        AutobahnCase("7.3.2", [.close(payload: [0x61])], [.fault(.badClose)]),
        AutobahnCase("7.3.3", [.close(1000)], [closed]),
        AutobahnCase("7.3.4", [.close(1000, Array("Hello World!".utf8))], [.close(1000, Array("Hello World!".utf8))]),
        AutobahnCase("7.3.5", [.close(1000, longest)], [.close(1000, longest)]),
        AutobahnCase("7.3.6", [.close(1000, longest + [0x2A])], [.fault(.controlTooLong)], decided: 2),
    ]

    /// 7.7, with the three codes that were registered later.
    private static let validCodes = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014,
    ].enumerated().map { index, code in
        AutobahnCase("7.7.\(index + 1)", [.close(code)], [.close(code, [])])
    }

    /// 7.9, and of 7.13 the two codes above all ranges, of which the suite only reports what becomes of them.
    private static let invalidCodes: [AutobahnCase] =
        [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].enumerated().map { index, code in
            AutobahnCase("7.9.\(index + 1)", [.close(code)], [.fault(.badClose)])
        } + [
            AutobahnCase("7.13.1", [.close(5000)], [.fault(.badClose)]),
            AutobahnCase("7.13.2", [.close(65_535)], [.fault(.badClose)]),
        ]
}
