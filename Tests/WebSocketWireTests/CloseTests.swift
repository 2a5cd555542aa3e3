import Testing

@testable import WebSocketWire

/// Close frames and their codes (RFC 6455 §5.5.1, §7.4).
struct CloseTests {
    @Test("W-29: every code that a peer may send, and no other one")
    func codes() {
        for number in UInt16.min...UInt16.max {
            let isAllowed =
                (1000...1003).contains(number) || (1007...1014).contains(number) || (3000...4999).contains(number)
            if CloseCode(rawValue: number).mayBeReceived != isAllowed { Issue.record("\(number)") }
        }
    }

    @Test("the named codes may all be sent, and have their numbers")
    func names() {
        let named: [(CloseCode, UInt16)] = [
            (.normal, 1000), (.goingAway, 1001), (.protocolError, 1002), (.unsupportedData, 1003),
            (.invalidPayload, 1007),
            (.policyViolation, 1008), (.messageTooBig, 1009), (.internalError, 1011), (.serviceRestart, 1012),
            (.tryAgainLater, 1013),
        ]
        for (code, number) in named { #expect(code.rawValue == number && code.mayBeReceived) }
    }

    @Test("every fault has the code of its kind")
    func faults() {
        for fault in FrameFault.allCases {
            let code: UInt16 =
                switch fault {
                case .binary: 1003
                case .notUTF8: 1007
                case .tooManyEmptyContinuations: 1008
                case .messageTooLarge: 1009
                default: 1002
                }
            #expect(fault.code.rawValue == code)
        }
    }

    @Test("W-29: a Close frame is empty, or has two bytes of code and a reason")
    func payloads() {
        #expect(FramePlayer.events(of: [.close(payload: [])]) == [.close(nil, [])])
        #expect(FramePlayer.events(of: [.close(payload: [3])]) == [.fault(.badClose)])
        #expect(FramePlayer.events(of: [.close(1000)]) == [.close(1000, [])])
        let longest = Array(String(repeating: "é", count: 61).utf8) + [0x2E]
        #expect(longest.count == 123)
        #expect(FramePlayer.events(of: [.close(4999, longest)]) == [.close(4999, longest)])
        #expect(FramePlayer.events(of: [.close(4999, longest + [0x2E])]) == [.fault(.controlTooLong)])
        for number: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            #expect(FramePlayer.events(of: [.close(number, [0x61])]) == [.fault(.badClose)])
        }
        for reason: [UInt8] in [[0xFF], [0x61, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80]] {
            #expect(FramePlayer.events(of: [.close(1000, reason)]) == [.fault(.badClose)])
        }
    }

    @Test("a Close frame may interrupt a message, and nothing is read behind it")
    func insideAMessage() {
        let frames: [ClientFrame] = [.text("a", isFinal: false), .close(1001), .continuation("b", isFinal: true)]
        #expect(FramePlayer.events(of: frames) == [.close(1001, [])])
    }
}
