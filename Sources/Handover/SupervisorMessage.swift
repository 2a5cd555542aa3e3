import Primitives

/// What the supervisor tells a worker.
///
/// `begin` is the first. Then come the listeners and the worker's own page, until `started`. When the worker is ready, it
/// is told of the others: their pages and mailboxes come, and then `serve`. Later pages, mailboxes and news of other
/// workers come as these come and go.
package enum SupervisorMessage: Sendable, Equatable {
    case begin(WorkerPlan)
    /// Comes with a listening socket, the one of this number in `WorkerPlan.listeners`.
    case listener(number: UInt32)
    /// Comes with the socket on which the supervisor listens for commands. The worker accepts there when the supervisor
    /// has died, so that the next one finds it.
    case control
    /// Comes with the counter page of the worker with this tag.
    case page(tag: UInt32, isOwn: Bool)
    /// Comes with the page of memory for `Receipts` that this worker shares with the one with this tag. The mailbox
    /// follows.
    case receipts(tag: UInt32)
    /// Comes with one end of a stream socket whose other end the worker with this tag has.
    case mailbox(tag: UInt32)
    /// Comes with a connection to the process of this tag that looks up names. It takes the place of an earlier one at this
    /// place in the list of all such processes.
    case resolver(place: UInt32, tag: UInt32)
    /// All that the worker needs to become ready has come.
    case started
    /// All serving workers are known to this one: it accepts connections from now on.
    case serve
    /// These are the rules of all living generations together.
    case rules(SharedRules)
    /// Take no new sessions, and end once the last session has ended. Leave the connections at the listeners of these
    /// numbers to other workers, and accept at all others.
    case retire(leaving: [UInt32])
    /// Why the last reload or upgrade was refused, one fault a line; empty when the last one was carried out.
    case refusal(String)
    /// Comes with the file of the access log, which takes the place of an earlier one.
    case accessLog
    /// Log from these levels on, which are written as in the settings.
    case logLevels(String)
    /// The worker with this tag takes no new sessions.
    case retired(tag: UInt32)
    /// The worker with this tag has died; its page stays.
    case gone(tag: UInt32)
    /// Take no new sessions, end the present ones, and end.
    case drain

    /// Reads a message.
    ///
    /// - Throws: `MessageFault.unknownKind` or `.malformed`.
    package init(_ frame: Frame) throws(MessageFault) {
        var reader = PayloadReader(frame.payload)
        switch Kind(rawValue: frame.kind) {
        case .begin: self = .begin(try WorkerPlan(reading: &reader))
        case .listener: self = .listener(number: try reader.number32())
        case .control: self = .control
        case .serve: self = .serve
        case .retire: self = .retire(leaving: try reader.numbers())
        case .rules: self = .rules(try SharedRules(reading: &reader))
        case .refusal: self = .refusal(try reader.text(atMost: Self.longestRefusal))
        case .accessLog: self = .accessLog
        case .logLevels: self = .logLevels(try reader.text(atMost: ControlMessage.longestLevels))
        case .page: self = .page(tag: try reader.number32(), isOwn: try reader.flag())
        case .receipts: self = .receipts(tag: try reader.number32())
        case .mailbox: self = .mailbox(tag: try reader.number32())
        case .resolver: self = .resolver(place: try reader.number32(), tag: try reader.number32())
        case .started: self = .started
        case .retired: self = .retired(tag: try reader.number32())
        case .gone: self = .gone(tag: try reader.number32())
        case .drain: self = .drain
        case nil: throw .unknownKind(frame.kind)
        }
    }

    /// The most bytes of a refusal.
    private static let longestRefusal = 1 << 20

    /// The numbers never change their meaning. Those of 0x80 and above carry a descriptor.
    private enum Kind: UInt8 {
        case begin = 0x01
        case started = 0x02
        case retired = 0x03
        case gone = 0x04
        case drain = 0x05
        case serve = 0x06
        case retire = 0x07
        case rules = 0x08
        case refusal = 0x09
        case logLevels = 0x0A
        case listener = 0x81
        case page = 0x82
        case mailbox = 0x83
        case receipts = 0x84
        case resolver = 0x85
        case control = 0x86
        case accessLog = 0x87
    }
}

extension SupervisorMessage: FramedMessage {
    var kind: UInt8 {
        let kind: Kind =
            switch self {
            case .begin: .begin
            case .listener: .listener
            case .control: .control
            case .serve: .serve
            case .retire: .retire
            case .rules: .rules
            case .refusal: .refusal
            case .logLevels: .logLevels
            case .accessLog: .accessLog
            case .page: .page
            case .receipts: .receipts
            case .mailbox: .mailbox
            case .resolver: .resolver
            case .started: .started
            case .retired: .retired
            case .gone: .gone
            case .drain: .drain
            }
        return kind.rawValue
    }

    func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .begin(let plan): plan.append(to: &bytes)
        case .page(let tag, let isOwn):
            bytes.append(bigEndian: tag)
            bytes.append(flag: isOwn)
        case .resolver(let place, let tag):
            bytes.append(bigEndian: place)
            bytes.append(bigEndian: tag)
        case .listener(let number), .receipts(let number), .mailbox(let number), .retired(let number),
            .gone(let number):
            bytes.append(bigEndian: number)
        case .retire(let numbers): bytes.append(numbers: numbers)
        case .rules(let rules): rules.append(to: &bytes)
        case .refusal(let text), .logLevels(let text): bytes.append(counted: text)
        case .started, .serve, .drain, .control, .accessLog: break
        }
    }
}
