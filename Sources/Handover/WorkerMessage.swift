/// What a worker tells the supervisor.
package enum WorkerMessage: Sendable, Equatable {
    /// The worker serves. `announcement`: the line that tells a person where, as a single process prints it.
    case ready(announcement: String)
    /// The worker cannot serve and ends. `line`: why, as a single process would report it.
    case failed(line: String)
    /// The worker takes no new sessions.
    case draining
    /// The worker has ended all its sessions and ends.
    case drained
    /// The worker takes no new sessions any more, as it was told.
    case retired
    /// The worker has names to look up, and was given no process that does so.
    case needsResolvers
    /// The worker has no connection to the process of this tag that looks up names, although it was given one.
    case lostResolver(tag: UInt32)

    /// The most bytes of a line; the rest is cut off.
    package static let longestLine = 64 * 1024

    /// Reads a message.
    ///
    /// - Throws: `MessageFault.unknownKind` or `.malformed`.
    package init(_ frame: Frame) throws(MessageFault) {
        var reader = PayloadReader(frame.payload)
        switch Kind(rawValue: frame.kind) {
        case .ready: self = .ready(announcement: try reader.text(atMost: Self.longestLine))
        case .failed: self = .failed(line: try reader.text(atMost: Self.longestLine))
        case .draining: self = .draining
        case .drained: self = .drained
        case .retired: self = .retired
        case .needsResolvers: self = .needsResolvers
        case .lostResolver: self = .lostResolver(tag: try reader.number32())
        case nil: throw .unknownKind(frame.kind)
        }
    }

    /// The numbers never change their meaning.
    private enum Kind: UInt8 {
        case ready = 0x01
        case failed = 0x02
        case draining = 0x03
        case drained = 0x04
        case needsResolvers = 0x05
        case lostResolver = 0x06
        case retired = 0x07
    }
}

extension WorkerMessage: FramedMessage {
    var kind: UInt8 {
        let kind: Kind =
            switch self {
            case .ready: .ready
            case .failed: .failed
            case .draining: .draining
            case .drained: .drained
            case .retired: .retired
            case .needsResolvers: .needsResolvers
            case .lostResolver: .lostResolver
            }
        return kind.rawValue
    }

    func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .ready(let line), .failed(let line): bytes.append(counted: Self.cut(line))
        case .lostResolver(let tag): bytes.append(bigEndian: tag)
        case .draining, .drained, .retired, .needsResolvers: break
        }
    }

    /// As much of a line as may be sent, without a broken character at its end.
    private static func cut(_ line: String) -> String {
        var end = line.utf8.index(line.startIndex, offsetBy: longestLine, limitedBy: line.endIndex) ?? line.endIndex
        while end.samePosition(in: line.unicodeScalars) == nil { end = line.utf8.index(before: end) }
        return String(line.unicodeScalars[..<end])
    }
}
