import Primitives

/// What the next supervisor of running workers is given: one part of it.
///
/// A supervisor that executes another version of the program writes all parts into a piece of memory. A worker whose
/// supervisor has died sends its own parts to the one that asks for them. `program` or `worker` is the first part,
/// `complete` the last one. A part that the receiver does not know is skipped.
package enum Bequest: Sendable, Equatable {
    /// Which program leaves this, and the tag of the next worker.
    case program(version: String, nextTag: UInt32)
    /// A worker.
    case worker(WorkerRecord)
    /// Comes with a listening socket, its number, and its address as it was written.
    case listener(number: UInt32, address: String)
    /// Comes with the counter page of the worker with this tag.
    case page(tag: UInt32)
    /// Comes with the connection to the worker with this tag.
    case link(tag: UInt32)
    /// Comes with the page of the counters of workers that have ended.
    case past
    /// Comes with the socket on which commands are taken.
    case control
    /// Comes with the connection of whoever has asked for this upgrade.
    case asker
    /// A child process that is no worker, and whose end is to be collected.
    case child(processID: UInt32)
    /// All parts have come.
    case complete

    /// Reads a part.
    ///
    /// - Throws: `MessageFault.unknownKind` or `.malformed`.
    package init(_ frame: Frame) throws(MessageFault) {
        var reader = PayloadReader(frame.payload)
        switch Kind(rawValue: frame.kind) {
        case .program:
            self = .program(
                version: try reader.text(atMost: Self.longestText), nextTag: try reader.number32())
        case .worker: self = .worker(try WorkerRecord(reading: &reader))
        case .listener:
            self = .listener(number: try reader.number32(), address: try reader.text(atMost: Self.longestText))
        case .page: self = .page(tag: try reader.number32())
        case .link: self = .link(tag: try reader.number32())
        case .past: self = .past
        case .control: self = .control
        case .asker: self = .asker
        case .child: self = .child(processID: try reader.number32())
        case .complete: self = .complete
        case nil: throw .unknownKind(frame.kind)
        }
    }

    /// The most bytes of a text.
    private static let longestText = 4_096

    /// The numbers never change their meaning. Those of 0x80 and above carry a descriptor.
    private enum Kind: UInt8 {
        case program = 0x41
        case worker = 0x42
        case child = 0x43
        case complete = 0x44
        case listener = 0xC1
        case page = 0xC2
        case link = 0xC3
        case past = 0xC4
        case control = 0xC5
        case asker = 0xC6
    }
}

extension Bequest: FramedMessage {
    var kind: UInt8 {
        let kind: Kind =
            switch self {
            case .program: .program
            case .worker: .worker
            case .listener: .listener
            case .page: .page
            case .link: .link
            case .past: .past
            case .control: .control
            case .asker: .asker
            case .child: .child
            case .complete: .complete
            }
        return kind.rawValue
    }

    func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .program(let version, let nextTag):
            bytes.append(counted: version)
            bytes.append(bigEndian: nextTag)
        case .worker(let record): record.append(to: &bytes)
        case .listener(let number, let address):
            bytes.append(bigEndian: number)
            bytes.append(counted: address)
        case .page(let number), .link(let number), .child(let number): bytes.append(bigEndian: number)
        case .past, .control, .asker, .complete: break
        }
    }
}

/// A worker as the next supervisor of it has to know it.
package struct WorkerRecord: Sendable, Equatable {
    /// What the worker was told before it served.
    package var plan: WorkerPlan
    /// The number of its process, 1 or more.
    package var processID: UInt32
    /// Whether it takes no new sessions.
    package var isRetired: Bool
    /// The tags of the other workers that it knows.
    package var fellows: [UInt32]

    /// A record made of its parts.
    package init(plan: WorkerPlan, processID: UInt32, isRetired: Bool, fellows: [UInt32] = []) {
        self.plan = plan
        self.processID = processID
        self.isRetired = isRetired
        self.fellows = fellows
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: processID)
        bytes.append(flag: isRetired)
        bytes.append(numbers: fellows)
        plan.append(to: &bytes)
    }

    init(reading reader: inout PayloadReader) throws(MessageFault) {
        processID = try reader.number32()
        isRetired = try reader.flag()
        fellows = try reader.numbers()
        plan = try WorkerPlan(reading: &reader)
        guard processID > 0, processID <= UInt32(Int32.max) else { throw .malformed }
    }
}
