/// Cases 1 to 5, 10, 12 and 13: sizes, pings, reserved bits, opcodes, fragments, compression that was not agreed on.
extension AutobahnCase {
    static let framing =
        messages + binaryMessages + pings + reservedBits + opcodes + fragmentedControls + fragments
        + otherCases

    private static let hello = ClientFrame.text("Hello, world!")
    private static let helloed = Played.text("Hello, world!")
    private static let sizes = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536]

    /// 1.1: text of each size; the last one comes in chops of 997 bytes.
    private static let messages = sizes.enumerated().map { index, size in
        let text = [UInt8](repeating: 0x2A, count: size)
        return AutobahnCase("1.1.\(index + 1)", [.text(text)], [.text(text)])
    }

    /// 1.2: binary messages of the same sizes. The suite expects an echo, but XMPP is text (W-02): 1003.
    private static let binaryMessages = sizes.enumerated().map { index, size in
        AutobahnCase(
            "1.2.\(index + 1)", [.binary([UInt8](repeating: 0xFE, count: size))], [.fault(.binary)], decided: 1)
    }

    private static let binaryPayload: [UInt8] = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF]
    private static let longestPayload = [UInt8](repeating: 0xFE, count: 125)

    private static let pings: [AutobahnCase] = [
        AutobahnCase("2.1", [.ping()], [.ping("")]),
        AutobahnCase("2.2", [.ping("Hello, world!")], [.ping("Hello, world!")]),
        AutobahnCase("2.3", [.ping(binaryPayload)], [.ping(binaryPayload)]),
        AutobahnCase("2.4, 2.6", [.ping(longestPayload)], [.ping(longestPayload)]),
        AutobahnCase("2.5", [.ping(longestPayload + [0xFE])], [.fault(.controlTooLong)], decided: 2),
        AutobahnCase("2.7", [.pong()], [.pong("")]),
        AutobahnCase("2.8", [.pong("unsolicited pong payload")], [.pong("unsolicited pong payload")]),
        AutobahnCase(
            "2.9", [.pong("unsolicited pong payload"), .ping("ping payload")],
            [.pong("unsolicited pong payload"), .ping("ping payload")]),
        AutobahnCase(
            "2.10, 2.11", (0..<10).map { .ping("payload-\($0)") }, (0..<10).map { .ping("payload-\($0)") }),
    ]

    private static let reservedBits: [AutobahnCase] = [
        AutobahnCase("3.1", [hello.with(reserved: 1)], [.fault(.reservedBits)], decided: 1),
        AutobahnCase("3.2", [hello, hello.with(reserved: 2), .ping()], [helloed, .fault(.reservedBits)]),
        AutobahnCase("3.3", [hello, hello.with(reserved: 3), .ping()], [helloed, .fault(.reservedBits)]),
        AutobahnCase("3.4", [hello, hello.with(reserved: 4), .ping()], [helloed, .fault(.reservedBits)]),
        AutobahnCase(
            "3.5", [ClientFrame.binary(binaryPayload).with(reserved: 5)], [.fault(.reservedBits)], decided: 1),
        AutobahnCase("3.6", [ClientFrame.ping("Hello, world!").with(reserved: 6)], [.fault(.reservedBits)], decided: 1),
        AutobahnCase("3.7", [ClientFrame.close(1000).with(reserved: 7)], [.fault(.reservedBits)], decided: 1),
    ]

    private static func unknown(_ opcode: UInt8, _ payload: String = "") -> ClientFrame {
        ClientFrame(opcode: opcode, payload: Array(payload.utf8))
    }

    private static let opcodes: [AutobahnCase] = [
        AutobahnCase("4.1.1", [unknown(3)], [.fault(.unknownOpcode)], decided: 1),
        AutobahnCase("4.1.2", [unknown(4, "reserved opcode payload")], [.fault(.unknownOpcode)], decided: 1),
        AutobahnCase("4.1.3", [hello, unknown(5), .ping()], [helloed, .fault(.unknownOpcode)]),
        AutobahnCase("4.1.4", [hello, unknown(6, "Hello, world!"), .ping()], [helloed, .fault(.unknownOpcode)]),
        AutobahnCase("4.1.5", [hello, unknown(7, "Hello, world!"), .ping()], [helloed, .fault(.unknownOpcode)]),
        AutobahnCase("4.2.1", [unknown(11)], [.fault(.unknownOpcode)], decided: 1),
        AutobahnCase("4.2.2", [unknown(12, "reserved opcode payload")], [.fault(.unknownOpcode)], decided: 1),
        AutobahnCase("4.2.3", [hello, unknown(13), .ping()], [helloed, .fault(.unknownOpcode)]),
        AutobahnCase("4.2.4", [hello, unknown(14, "Hello, world!"), .ping()], [helloed, .fault(.unknownOpcode)]),
        AutobahnCase("4.2.5", [hello, unknown(15, "Hello, world!"), .ping()], [helloed, .fault(.unknownOpcode)]),
    ]

    private static let fragmentedControls: [AutobahnCase] = [
        AutobahnCase(
            "5.1", [ClientFrame.ping("fragment1").cut, .continuation("fragment2", isFinal: true)],
            [.fault(.fragmentedControl)], decided: 1),
        AutobahnCase(
            "5.2", [ClientFrame.pong("fragment1").cut, .continuation("fragment2", isFinal: true)],
            [.fault(.fragmentedControl)], decided: 1),
    ]

    private static let begin = ClientFrame.text("fragment1", isFinal: false)
    private static let end = ClientFrame.continuation("fragment2", isFinal: true)
    private static let both = Played.text("fragment1fragment2")
    private static let nothing = "non-continuation payload"

    private static let fragments: [AutobahnCase] = [
        AutobahnCase("5.3, 5.4, 5.5", [begin, end], [both]),
        AutobahnCase("5.6, 5.7, 5.8", [begin, .ping("ping payload"), end], [.ping("ping payload"), both]),
        AutobahnCase(
            "5.9, 5.10, 5.11", [.continuation(nothing, isFinal: true), hello], [.fault(.continuationWithoutStart)],
            decided: 1),
        AutobahnCase(
            "5.12, 5.13, 5.14", [.continuation(nothing), hello], [.fault(.continuationWithoutStart)], decided: 1),
        AutobahnCase(
            "5.15", [begin, end, .continuation("fragment3"), .text("fragment4")],
            [both, .fault(.continuationWithoutStart)]),
        AutobahnCase(
            "5.16", [.continuation("fragment1"), .text("fragment2", isFinal: false), .continuation("fragment3")],
            [.fault(.continuationWithoutStart)], decided: 1),
        AutobahnCase(
            "5.17",
            [
                .continuation("fragment1", isFinal: true), .text("fragment2", isFinal: false),
                .continuation("fragment3"),
            ],
            [.fault(.continuationWithoutStart)], decided: 1),
        AutobahnCase(
            "5.18", [begin, .text("fragment2")], [.fault(.dataInsideMessage)], decided: begin.bytes.count + 1),
        AutobahnCase(
            "5.19, 5.20",
            [
                begin, .continuation("fragment2"), .ping("pongme 1!"), .continuation("fragment3"),
                .continuation("fragment4"), .ping("pongme 2!"), .continuation("fragment5", isFinal: true),
            ],
            [.ping("pongme 1!"), .ping("pongme 2!"), .text("fragment1fragment2fragment3fragment4fragment5")]),
    ]

    private static let stars = [UInt8](repeating: 0x2A, count: 65_536)

    private static let otherCases: [AutobahnCase] = [
        AutobahnCase("10.1.1", ClientFrame.fragments(of: stars, size: 1_300), [.text(stars)]),
        // 12 and 13 offer compression in many forms, which is never accepted (W-33). A client that compresses all the
        // same sets RSV1.
        AutobahnCase("12, 13", [hello.with(reserved: 4)], [.fault(.reservedBits)], decided: 1),
        AutobahnCase(
            "12, 13 in fragments", [begin.with(reserved: 4), end], [.fault(.reservedBits)], decided: 1),
    ]
}
