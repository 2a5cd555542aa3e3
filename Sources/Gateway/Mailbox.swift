import Handover
import Primitives
import Reactor

/// The link to one other worker, over which connections go both ways.
///
/// Messages leave in order. Connections that stand behind each other leave with one write, because the calls for a message
/// cost more than what it holds. What the socket does not take now waits here. Receipts are no messages: the receiver shows
/// them in a page of memory (`Receipts`).
final class Mailbox {
    /// Something to tell the other worker.
    enum Outgoing {
        /// It is to take over a connection.
        case connection(Departure)
        /// A connection of its own was not taken over.
        case refusal(UInt32)
        /// A connection of its own was taken over, behind one that was refused. It is served once this is shown, so that
        /// not both workers answer.
        case receipt(of: ClientConnection)
        /// A question of an operator, or the answer to one.
        case talk(PeerMessage)
    }

    /// The other worker.
    let tag: UInt32
    let token: Token
    private var socket: DescriptorSocket
    private var reader = FrameReader(bound: Mailbox.longestFrame)
    private let writer = FrameWriter(bound: Mailbox.longestFrame)
    /// Descriptors that came before the end of their message. A lost one stands for all further ones of the same write.
    private var passed: [Passed] = []
    private var queue: [Outgoing] = []
    /// The position of the first unsent message in the queue.
    private var first = 0
    /// The bytes of the messages that are being sent, how many messages these are, the descriptors that go with their first
    /// byte, and how many bytes are sent.
    private var bytes: [UInt8] = []
    private var begunCount = 0
    private var descriptors: [Int32] = []
    private var sentCount = 0
    /// Where both workers show what they have taken over.
    private let page: ReceiptPage
    /// What this worker has shown, and the refusals in the queue, behind which receipts have to wait.
    private var receipts = Receipts()
    private var waitingRefusals = 0
    /// The connections whose fate is not known yet, in the order in which they were sent, and the number of the first.
    private var unreceipted: [Departure] = []
    private var firstUnreceipted: UInt32 = 0
    /// How many connections the other worker has refused.
    private var refusals: UInt32 = 0

    init(tag: UInt32, token: Token, _ descriptor: consuming Descriptor, _ page: ReceiptPage) {
        self.tag = tag
        self.token = token
        self.page = page
        socket = DescriptorSocket(descriptor)
    }

    /// How many messages and connections wait.
    var waitingCount: Int { queue.count - first + unreceipted.count }

    /// Whether a connection waits to be sent, or for the answer of the other worker.
    func isSending(_ connection: ClientConnection) -> Bool {
        unreceipted.contains { $0.connection === connection }
            || queue[first...].contains {
                if case .connection(let departure) = $0 { departure.connection === connection } else { false }
            }
    }

    /// Whether the receipt for a connection waits to be shown.
    func isReceipting(_ connection: ClientConnection) -> Bool {
        queue[first...].contains { if case .receipt(let taken) = $0 { taken === connection } else { false } }
    }

    /// The socket's number, and what it is watched for.
    var watching: (descriptor: Int32, interest: Interest?) { socket.watching }

    /// The connections that were taken over and whose receipts wait.
    var arriving: [ClientConnection] {
        guard first < queue.count else { return [] }
        return queue[first...].compactMap { if case .receipt(let connection) = $0 { connection } else { nil } }
    }

    /// Sends a connection when its turn has come.
    func append(_ departure: Departure) { queue.append(.connection(departure)) }

    /// Says something when its turn has come.
    func append(_ message: PeerMessage) { queue.append(.talk(message)) }

    /// Notes that the next connection of the other worker was not taken.
    func refuse(_ number: UInt32) {
        queue.append(.refusal(number))
        waitingRefusals += 1
    }

    /// Shows that the next connection of the other worker was taken. Returns false when that has to wait; then `sendNext`
    /// names the connection later.
    func receipt(_ connection: ClientConnection) -> Bool {
        guard waitingRefusals == 0 else {
            queue.append(.receipt(of: connection))
            return false
        }
        receipts.take()
        page.show(receipts)
        return true
    }

    /// Has the socket watched for what is needed now.
    ///
    /// - Throws: the kernel refused.
    func watch(in poller: borrowing Poller) throws(SystemError) {
        try socket.watch(for: first < queue.count ? [.readable, .writable] : .readable, as: token.raw, in: poller)
    }

    // MARK: What goes out

    /// What became of the messages that could be sent.
    enum Sent {
        /// A receipt was shown; its connection is to be served.
        case receipt(ClientConnection)
        /// These connections were not sent: the kernel passes no more descriptors now, or a message is too long.
        case unsendable([Departure])
        /// Nothing more can be sent now.
        case nothing
    }

    /// Sends the next messages, as far as the socket takes them.
    func sendNext() -> Sent {
        while first < queue.count {
            if case .receipt(let connection) = queue[first] {
                finish()
                receipts.take()
                page.show(receipts)
                return .receipt(connection)
            }
            guard begin() else {
                let message = queue[first]
                finish()
                guard case .connection(let departure) = message else { continue }
                return .unsendable([departure])
            }
            switch socket.send(bytes, from: sentCount, passing: descriptors) {
            case .sent(let count):
                sentCount += count
                descriptors.removeAll(keepingCapacity: true)
                if sentCount == bytes.count { finish() }
            // The end of a broken link is found by reading, behind what the other worker has said last.
            case .wouldBlock, .failed:
                return .nothing
            case .tooManyPassed:
                let unsendable = Array(unreceipted.suffix(descriptors.count))
                unreceipted.removeLast(unsendable.count)
                finish()
                return .unsendable(unsendable)
            }
        }
        return .nothing
    }

    /// Makes the bytes of the next messages, unless that was done before: of one, or of connections that stand behind each
    /// other. Returns false when the bytes of the first message are too many.
    private func begin() -> Bool {
        guard bytes.isEmpty else { return true }
        switch queue[first] {
        case .connection: beginConnections()
        case .refusal(let number): bytes = writer.frame(PeerMessage.refused, number: number) ?? []
        case .talk(let message): bytes = writer.frame(message, number: 0) ?? []
        case .receipt: break
        }
        begunCount = max(descriptors.count, 1)
        return !bytes.isEmpty
    }

    private func beginConnections() {
        var previous: Int?
        for index in first..<min(first + DescriptorSocket.mostPassed, queue.count) {
            guard bytes.count < Self.bytesTogether, case .connection(let departure) = queue[index] else { return }
            let start = bytes.count
            let number = firstUnreceipted &+ UInt32(truncatingIfNeeded: unreceipted.count)
            let fits = writer.append(departure.envelope, number: number, to: &bytes, behind: previous) { bytes in
                departure.appendInput(to: &bytes)
            }
            guard fits else { return }
            previous = start
            unreceipted.append(departure)
            descriptors.append(departure.connection.channel.watching.descriptor)
        }
    }

    /// Removes the messages that were begun, which are sent or cannot be, from the queue.
    private func finish() {
        if case .refusal = queue[first] {
            waitingRefusals -= 1
            receipts.refuse()
            page.show(receipts)
        }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
        descriptors.removeAll(keepingCapacity: true)
        sentCount = 0
        first += max(begunCount, 1)
        begunCount = 0
        if first == queue.count {
            queue.removeAll(keepingCapacity: queue.capacity <= Self.keptCapacity)
            first = 0
        } else if first * 2 >= queue.count {
            queue.removeFirst(first)
            first = 0
        }
    }

    // MARK: What comes in

    /// What the other worker says. It is not copied, because a connection comes with many parts.
    enum Received: ~Copyable {
        /// It has sent a connection; the descriptor is nil when this process had no room for it.
        case connection(UInt32, Envelope, PassedDescriptor?)
        /// It has refused a connection. It has taken those before it.
        case refused(Departure, taken: [Departure])
        /// It asks something for an operator, or answers.
        case question(OperatorQuestion)
        case answer(OperatorAnswer)
        /// It has sent a connection for a purpose that this worker does not know.
        case unknown(UInt32)
        /// A message that this worker does not know, or an answer that it does not wait for.
        case unexpected
    }

    /// What a read has brought.
    enum Reading {
        /// Bytes: `next` may have messages.
        case bytes
        /// Nothing is there to be read now.
        case nothing
        /// The other worker has ended.
        case end
    }

    /// Reads once. That brings at most the connections that were sent together.
    func read(with buffer: inout ReadBuffer) -> Reading {
        switch socket.receive(into: &buffer, passed: &passed) {
        case .bytes: break
        case .wouldBlock: return .nothing
        case .end, .failed: return .end
        }
        buffer.withBytes { reader.receive($0) }
        return .bytes
    }

    /// The next message of those that were read; nil when there is none.
    ///
    /// - Throws: what the other worker sends cannot be read any more.
    func next() throws(FrameFault) -> Received? {
        guard let frame = try reader.next() else { return nil }
        return message(in: frame)
    }

    private func message(in frame: Frame) -> Received {
        let descriptor = frame.carriesDescriptor ? nextDescriptor(isFollowed: PeerMessage.isFollowed(frame)) : nil
        do throws(MessageFault) {
            switch try PeerMessage(frame) {
            case .connection(let envelope):
                return .connection(frame.number, envelope, descriptor)
            case .refused:
                return refused(frame.number)
            case .question(let question):
                return .question(question)
            case .answer(let answer):
                return .answer(answer)
            }
        } catch {
            return frame.carriesDescriptor ? .unknown(frame.number) : .unexpected
        }
    }

    private func refused(_ number: UInt32) -> Received {
        let ahead = Int(number &- firstUnreceipted)
        guard ahead < unreceipted.count else { return .unexpected }
        let taken = takeOut(ahead)
        refusals &+= 1
        firstUnreceipted &+= 1
        return .refused(unreceipted.removeFirst(), taken: taken)
    }

    /// The next connection that the other worker has taken; nil when it has shown no further one.
    func nextTaken() -> Departure? {
        guard !unreceipted.isEmpty,
            let count = page.shown.takenCount(from: firstUnreceipted, refusals: refusals), count > 0
        else { return nil }
        firstUnreceipted &+= 1
        return unreceipted.removeFirst()
    }

    private func takeOut(_ count: Int) -> [Departure] {
        guard count > 0 else { return [] }
        firstUnreceipted &+= UInt32(truncatingIfNeeded: count)
        defer { unreceipted.removeFirst(count) }
        return Array(unreceipted.prefix(count))
    }

    /// The descriptor of the next message; nil when it was lost.
    ///
    /// - Parameter isFollowed: whether the descriptor behind it was sent with it. If one is lost, then so is that one.
    private func nextDescriptor(isFollowed: Bool) -> PassedDescriptor? {
        guard let next = passed.first else { return nil }
        if next.descriptor != nil || !isFollowed { passed.removeFirst() }
        return next.descriptor
    }

    /// Ends the link. Returns the connections that the other worker has not taken, in the order in which they were
    /// sent, and those whose receipt it does not get any more.
    func close(in poller: borrowing Poller) -> (back: [Departure], taken: [ClientConnection]) {
        socket.unwatch(in: poller)
        var back = unreceipted
        var taken: [ClientConnection] = []
        // The connections that are being sent are among the unreceipted ones.
        for message in queue[(first + begunCount)...] {
            switch message {
            case .connection(let departure): back.append(departure)
            case .receipt(let connection): taken.append(connection)
            case .refusal, .talk: break
            }
        }
        queue = []
        first = 0
        unreceipted = []
        return (back, taken)
    }

    /// Room for how many messages an empty queue keeps, and for how many bytes of a message.
    private static let keptCapacity = 64
    private static let keptBytes = 16_384
    /// No further connection is sent together with so many bytes.
    private static let bytesTogether = 8_192
    /// The longest message: a request of the largest size with all its fields, and what came behind it.
    private static let longestFrame = 64 * 1_048_576
}
