import Primitives

/// What is said on the control socket: a command, and its answer. One connection is for one command.
package enum ControlMessage: Sendable, Equatable {
    /// Read the configuration again and start a new generation of workers with it.
    case reload
    /// Replace the running program by the one that its path names now.
    case upgrade
    /// From now on log from these levels on, written as in the settings, until the configuration is read again. Empty: say
    /// what is in force.
    case log(levels: String)
    /// Open the file of the access log again.
    case reopen
    /// A new supervisor, which is this process, asks who is there. A supervisor answers `running`, a worker without one answers with its
    /// `Bequest` and takes the connection for that to its supervisor from then on.
    case takeOver(processID: UInt32)
    /// The command was carried out. `line`: what came of it.
    case done(line: String)
    /// The command was not carried out, and nothing has changed. `lines`: why, one fault a line.
    case refused(lines: String)
    /// A supervisor lives, in this process.
    case running(processID: UInt32)

    /// Reads a message.
    ///
    /// - Throws: `MessageFault.unknownKind` or `.malformed`.
    package init(_ frame: Frame) throws(MessageFault) {
        var reader = PayloadReader(frame.payload)
        switch Kind(rawValue: frame.kind) {
        case .reload: self = .reload
        case .upgrade: self = .upgrade
        case .takeOver: self = .takeOver(processID: try reader.number32())
        case .reopen: self = .reopen
        case .log: self = .log(levels: try reader.text(atMost: Self.longestLevels))
        case .done: self = .done(line: try reader.text(atMost: Self.longestText))
        case .refused: self = .refused(lines: try reader.text(atMost: Self.longestText))
        case .running: self = .running(processID: try reader.number32())
        case nil: throw .unknownKind(frame.kind)
        }
    }

    /// The most bytes of a text.
    private static let longestText = 1 << 20
    /// The most bytes of the levels of the log.
    package static let longestLevels = 1_024

    /// The numbers never change their meaning.
    private enum Kind: UInt8 {
        case reload = 0x01
        case upgrade = 0x02
        case takeOver = 0x03
        case log = 0x04
        case reopen = 0x05
        case done = 0x11
        case refused = 0x12
        case running = 0x13
    }
}

extension ControlMessage: FramedMessage {
    var kind: UInt8 {
        let kind: Kind =
            switch self {
            case .reload: .reload
            case .upgrade: .upgrade
            case .takeOver: .takeOver
            case .log: .log
            case .reopen: .reopen
            case .done: .done
            case .refused: .refused
            case .running: .running
            }
        return kind.rawValue
    }

    func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .done(let text), .refused(let text), .log(let text): bytes.append(counted: text)
        case .running(let processID), .takeOver(let processID): bytes.append(bigEndian: processID)
        case .reload, .upgrade, .reopen: break
        }
    }
}
