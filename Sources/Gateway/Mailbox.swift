import Handover
import Primitives
import Reactor

/// The link to one other worker, over which connections go both ways.
///
/// Messages leave in order, one write each, and a descriptor goes with the first byte of its message. What the socket
/// does not take now waits here.
final class Mailbox {
    /// Something to tell the other worker.
    enum Outgoing {
        /// It is to take over a connection.
        case connection(Departure)
        /// A connection of its own was taken over. It is served once this was written, so that not both workers answer.
        case receipt(UInt32, of: ClientConnection)
        /// A connection of its own was not taken over.
        case refusal(UInt32)
    }

    /// The other worker.
    let tag: UInt32
    let token: Token
    private var socket: DescriptorSocket
    private var reader = FrameReader(bound: Mailbox.longestFrame)
    private let writer = FrameWriter(bound: Mailbox.longestFrame)
    /// Descriptors that came before the end of their message.
    private var passed: [Passed] = []
    private var queue: [Outgoing] = []
    /// The position of the first unsent message in the queue.
    private var first = 0
    /// The bytes that are being sent, how many of them are sent, and how many messages they are of. Answers go together,
    /// so that the other worker wakes up once for all of them.
    private var bytes: [UInt8] = []
    private var sentCount = 0
    private var batchCount = 0
    /// The connections that the other worker was sent and has not taken yet, by number.
    private var unreceipted: [UInt32: Departure] = [:]
    private var nextNumber: UInt32 = 0

    init(tag: UInt32, token: Token, _ descriptor: consuming Descriptor) {
        self.tag = tag
        self.token = token
        socket = DescriptorSocket(descriptor)
    }

    /// How many messages and connections wait.
    var waitingCount: Int { queue.count - first + unreceipted.count }

    /// Whether a connection waits to be sent, or for the answer of the other worker.
    func isSending(_ connection: ClientConnection) -> Bool {
        unreceipted.values.contains { $0.connection === connection }
            || queue[first...].contains {
                if case .connection(let departure) = $0 { departure.connection === connection } else { false }
            }
    }

    /// Whether the receipt for a connection waits to be sent.
    func isReceipting(_ connection: ClientConnection) -> Bool {
        queue[first...].contains { if case .receipt(_, let taken) = $0 { taken === connection } else { false } }
    }

    /// The socket's number, and what it is watched for.
    var watching: (descriptor: Int32, interest: Interest?) { socket.watching }

    /// The connections that were taken over and whose receipts wait.
    var arriving: [ClientConnection] { queue[first...].compactMap(\.taken) }

    /// Adds a message to those that wait.
    func append(_ message: Outgoing) { queue.append(message) }

    /// Has the socket watched for what is needed now.
    ///
    /// - Throws: the kernel refused.
    func watch(in poller: borrowing Poller) throws(SystemError) {
        try socket.watch(for: first < queue.count ? [.readable, .writable] : .readable, as: token.raw, in: poller)
    }

    // MARK: What goes out

    /// What became of the messages that could be sent.
    enum Sent {
        /// Receipts were written; their connections are to be served.
        case receipts([ClientConnection])
        /// This connection was not sent: the kernel passes no more descriptors now, or its message is too long.
        case unsendable(Departure)
        /// Nothing more can be sent now.
        case nothing
    }

    /// Sends the next message, as far as the socket takes it.
    func sendNext() -> Sent {
        while first < queue.count {
            let message = queue[first]
            guard begin(message) else {
                guard case .connection(let departure)? = finish().first else { continue }
                return .unsendable(departure)
            }
            let passing = sentCount == 0 ? message.descriptor : nil
            switch socket.send(bytes, from: sentCount, passing: passing) {
            case .sent(let count):
                sentCount += count
                guard sentCount == bytes.count else { continue }
                let taken = finish().compactMap(\.taken)
                if !taken.isEmpty { return .receipts(taken) }
            // The end of a broken link is found by reading, behind what the other worker has said last.
            case .wouldBlock, .failed:
                return .nothing
            case .tooManyPassed:
                nextNumber &-= 1
                guard case .connection(let departure)? = finish().first else { continue }
                unreceipted[nextNumber] = nil
                return .unsendable(departure)
            }
        }
        return .nothing
    }

    /// Makes the bytes of the first message, and of the answers behind it if it is one, unless that was done before.
    /// Returns false when they are too many.
    private func begin(_ message: Outgoing) -> Bool {
        guard bytes.isEmpty else { return true }
        batchCount = 1
        if case .connection(let departure) = message {
            guard let frame = writer.frame(.connection(departure.envelope), number: nextNumber) else { return false }
            bytes = frame
            unreceipted[nextNumber] = departure
            nextNumber &+= 1
            return true
        }
        bytes = answer(message) ?? []
        while batchCount < Self.mostAnswers, first + batchCount < queue.count,
            let next = answer(queue[first + batchCount])
        {
            bytes += next
            batchCount += 1
        }
        return !bytes.isEmpty
    }

    /// The bytes of an answer; nil for another message.
    private func answer(_ message: Outgoing) -> [UInt8]? {
        switch message {
        case .connection: nil
        case .receipt(let number, _): writer.frame(PeerMessage.receipt, number: number)
        case .refusal(let number): writer.frame(PeerMessage.refused, number: number)
        }
    }

    /// Removes the messages that were sent, or cannot be, from the queue.
    private func finish() -> ArraySlice<Outgoing> {
        let messages = queue[first..<(first + batchCount)]
        bytes = []
        sentCount = 0
        first += batchCount
        if first * 2 >= queue.count {
            queue.removeFirst(first)
            first = 0
        }
        return messages
    }

    // MARK: What comes in

    /// What the other worker says.
    enum Received {
        /// It has sent a connection; the descriptor is nil when this process had no room for it.
        case connection(UInt32, Envelope, PassedDescriptor?)
        case taken(Departure)
        case refused(Departure)
        /// It has sent a connection for a purpose that this worker does not know.
        case unknown(UInt32)
        /// A message that this worker does not know, or an answer that it does not wait for.
        case unexpected
    }

    /// Reads once.
    ///
    /// - Returns: false when the other worker has ended, or what it sends cannot be read any more.
    func read(with buffer: inout ReadBuffer, into received: inout [Received]) -> Bool {
        var came = Passed.nothing
        switch socket.receive(into: &buffer, passed: &came) {
        case .bytes: break
        case .wouldBlock: return true
        case .end, .failed: return false
        }
        if case .nothing = came {} else { passed.append(came) }
        buffer.withBytes { reader.receive($0) }
        do throws(FrameFault) {
            while let frame = try reader.next() { received.append(message(in: frame)) }
            return true
        } catch {
            return false
        }
    }

    private func message(in frame: Frame) -> Received {
        let descriptor = frame.carriesDescriptor ? nextDescriptor() : nil
        do throws(MessageFault) {
            switch try PeerMessage(frame) {
            case .connection(let envelope):
                return .connection(frame.number, envelope, descriptor)
            case .receipt:
                return unreceipted.removeValue(forKey: frame.number).map { .taken($0) } ?? .unexpected
            case .refused:
                return unreceipted.removeValue(forKey: frame.number).map { .refused($0) } ?? .unexpected
            }
        } catch {
            return frame.carriesDescriptor ? .unknown(frame.number) : .unexpected
        }
    }

    private func nextDescriptor() -> PassedDescriptor? {
        guard !passed.isEmpty, case .descriptor(let descriptor) = passed.removeFirst() else { return nil }
        return descriptor
    }

    /// Ends the link. Returns the connections that the other worker has not taken, in the order in which they were
    /// sent, and those whose receipt it does not get any more.
    func close(in poller: borrowing Poller) -> (back: [Departure], taken: [ClientConnection]) {
        socket.unwatch(in: poller)
        var back = unreceipted.sorted { $0.key < $1.key }.map(\.value)
        var taken: [ClientConnection] = []
        // The message that is being sent is among the unreceipted ones.
        let isBegun = !bytes.isEmpty
        for (index, message) in queue[first...].enumerated() {
            switch message {
            case .connection(let departure): if index > 0 || !isBegun { back.append(departure) }
            case .receipt(_, let connection): taken.append(connection)
            case .refusal: break
            }
        }
        queue = []
        first = 0
        unreceipted = [:]
        return (back, taken)
    }

    /// How many answers go together at most.
    private static let mostAnswers = 64

    /// The longest message: a request of the largest size with all its fields, and what came behind it.
    private static let longestFrame = 64 * 1_048_576
}

extension Mailbox.Outgoing {
    /// The connection whose receipt the message is; nil for another message.
    fileprivate var taken: ClientConnection? {
        if case .receipt(_, let connection) = self { connection } else { nil }
    }

    /// The number of the descriptor that goes with the message; nil for none.
    fileprivate var descriptor: Int32? {
        guard case .connection(let departure) = self else { return nil }
        return departure.connection.channel.watching.descriptor
    }
}
