/// What one worker tells another over their mailbox.
///
/// `connection` frames are numbered by their sender, from 0 on; `refused` has the number of the connection that it
/// answers. Connections that leave together are sent together: their descriptors go with the first byte of the first frame.
/// All their frames but the last say so (`isFollowed`), so the receiver knows which connections have lost their descriptor
/// if it had room for some of them only.
///
/// The sender keeps its own descriptor of a connection until it was refused, or taken as `Receipts` shows. When the mailbox
/// ends before, the owner has died, and the sender answers the request itself.
package enum PeerMessage: Sendable, Equatable {
    /// Comes with a client's connection, which the receiver serves from now on.
    case connection(Envelope)
    /// The receiver cannot take the connection: it has got no descriptor, has no room, or does not know the purpose. The
    /// sender answers 503.
    case refused
    /// Asks for what does not stand in a page of counters.
    case question(OperatorQuestion)
    /// Answers a question.
    case answer(OperatorAnswer)

    /// Reads a message. The number is the frame's.
    ///
    /// - Throws: `MessageFault`. Whatever the fault is, a frame that carries a descriptor and is no connection that the
    ///   receiver can take is answered by `refused`.
    package init(_ frame: Frame) throws(MessageFault) {
        var reader = PayloadReader(frame.payload)
        switch Kind(rawValue: frame.kind) {
        case .connection, .followed: self = .connection(try Envelope(reading: &reader))
        case .refused: self = .refused
        case .question: self = .question(try OperatorQuestion(reading: &reader))
        case .answer: self = .answer(try OperatorAnswer(reading: &reader))
        case nil: throw .unknownKind(frame.kind)
        }
    }

    /// Whether a frame has a connection behind which another one comes whose descriptor was sent at the same time.
    package static func isFollowed(_ frame: Frame) -> Bool { frame.kind == followedKind }

    /// The kind of a frame with a connection, and that of one behind which another one comes.
    static let connectionKind = Kind.connection.rawValue
    static let followedKind = Kind.followed.rawValue

    /// The numbers never change their meaning. Those of 0x80 and above carry a descriptor.
    private enum Kind: UInt8 {
        case refused = 0x01
        case question = 0x02
        case answer = 0x03
        case connection = 0x81
        case followed = 0x82
    }
}

extension PeerMessage: FramedMessage {
    var kind: UInt8 {
        let kind: Kind =
            switch self {
            case .connection: .connection
            case .refused: .refused
            case .question: .question
            case .answer: .answer
            }
        return kind.rawValue
    }

    var payloadSize: Int {
        if case .connection(let envelope) = self { envelope.size } else { 0 }
    }

    func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .connection(let envelope): envelope.append(to: &bytes)
        case .question(let question): question.append(to: &bytes)
        case .answer(let answer): answer.append(to: &bytes)
        case .refused: break
        }
    }
}
