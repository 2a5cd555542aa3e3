/// How a client over WebSocket may break the rules. Each offence ends the session with its condition or code.
enum Offence: Int, CaseIterable {
    case reservedBits = 1
    case unmasked
    case strayContinuation
    case binary
    case tooLarge
    case malformed
    case twoElements
    case documentType
    case external
    case badUTF8
    case tooManyPings
    case badCloseCode
    case restartTwice
    case openTwice
    case notOpened

    var isAtTheBeginning: Bool { self == .openTwice || self == .notOpened }

    /// Whether it is none when the answer to the first half comes before the second half is read.
    var mayBeNone: Bool { self == .openTwice || self == .restartTwice }

    /// The condition of the stream error, or else the code of the Close frame.
    var isTold: String {
        switch self {
        case .reservedBits, .unmasked, .strayContinuation, .notOpened, .badCloseCode: "1002"
        case .binary: "1003"
        case .tooLarge, .external, .restartTwice, .openTwice: "policy-violation"
        case .malformed, .twoElements: "not-well-formed"
        case .documentType: "restricted-xml"
        case .badUTF8: "1007"
        case .tooManyPings: "1008"
        }
    }
}

extension WebSocketClient {
    /// The frames of an offence.
    func offend(_ offence: Offence) -> [UInt8] {
        world.tell("\(name) breaks a rule: \(offence)")
        isOffending = true
        ledger.isClientFaulty = true
        ledger.explain([offence.isTold] + (offence.mayBeNone ? ["connection-timeout"] : []))
        // What came before is read before.
        ledger.allHasToArrive = true
        // A server's message that crosses a restart is none of the new stream, and the rest is lost with it.
        if offence == .restartTwice {
            ledger.serverFails()
            restartedAt = kernel.now
        }
        kernel.after(.seconds(90)) { [self] in
            guard stage == .running, isOffending, !isClosed else { return }
            if plan["serverslow"] > 0 {
                // A client whose server takes nothing is not read either, and is gone now.
                ledger.allHasToArrive = false
            } else if !offence.mayBeNone, !ledger.mayBeLate {
                world.judge.fail("\(name) was not told of its offence")
            }
            depart(.reset)
        }
        func text(_ text: String) -> [UInt8] { ClientSocket.frame(Array(text.utf8), &chance) }
        func changed(_ bytes: [UInt8], _ index: Int, by bits: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[index] ^= bits
            return bytes
        }
        switch offence {
        case .reservedBits: return changed(text("<a xmlns='b'/>"), 0, by: 0x40)
        case .unmasked: return [0x81, 0x02, 0x20, 0x20]
        case .strayContinuation: return ClientSocket.frame([0x20], opcode: 0, &chance)
        case .binary: return ClientSocket.frame([], opcode: 2, isFinal: false, &chance)
        case .tooLarge: return [0x81, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4] + Array(repeating: 5, count: 3_000)
        case .malformed: return text("<a xmlns='b'><b></a></b>")
        case .twoElements: return text("<presence/><presence/>")
        case .documentType: return text("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>")
        case .external:
            return text("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
        case .badUTF8: return ClientSocket.frame([0x3C, 0x61, 0xC3, 0x28], isFinal: false, &chance)
        case .tooManyPings:
            return (0..<130).flatMap { _ in ClientSocket.frame([], opcode: 10, &chance) }
        case .badCloseCode: return ClientSocket.frame([0x03, 0xED], opcode: 8, &chance)
        case .restartTwice, .openTwice:
            return text(Self.opening) + text(Self.opening)
        case .notOpened: return text("<presence xmlns='jabber:client'/>")
        }
    }
}
