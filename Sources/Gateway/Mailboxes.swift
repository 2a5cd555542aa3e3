import Handover
import LogLines
import Primitives
import Reactor

/// The links to the other workers, and the connections that are on their way to them.
final class Mailboxes {
    private let loop: Loop
    private unowned let clients: Clients
    private unowned var inquiries: Inquiries!
    private var boxes: [Mailbox] = []
    private var generation: UInt32 = 0
    /// The requests that wait for their connection to leave, or for the other worker to take it.
    private var departures = Departures()
    /// Pages of receipts whose mailbox has not come yet, by worker.
    private var pages: [UInt32: ReceiptPage] = [:]
    /// Whether the others are heard. A connection that one of them sends may be for a session of any other, so this worker
    /// has to know them all before.
    private var isOpen = false
    /// When to look whether other workers have taken what they were sent, if nothing happens before; nil when nothing
    /// was sent.
    private(set) var nextDeadline: MonotonicInstant?
    /// Whether connections wait that this turn is to send.
    private(set) var isDue = false

    init(_ loop: Loop, clients: Clients) {
        self.loop = loop
        self.clients = clients
    }

    /// Connects this object with the part that answers questions.
    func connect(_ inquiries: Inquiries) { self.inquiries = inquiries }

    /// How many connections are on their way.
    var waitingCount: Int { departures.count + boxes.reduce(0) { $0 + $1.waitingCount } }

    /// Whether a connection is on its way to another worker, which may still refuse it.
    func isSending(_ connection: ClientConnection) -> Bool {
        departure(of: connection) != nil && boxes.contains { $0.isSending(connection) }
    }

    /// Whether the receipt for a connection from another worker waits to be sent.
    func isReceipting(_ connection: ClientConnection) -> Bool { boxes.contains { $0.isReceipting(connection) } }

    // MARK: Which there are

    /// Notes the page of receipts for the mailbox of another worker, which comes next.
    func add(_ page: ReceiptPage, of tag: UInt32) { pages[tag] = page }

    /// Adds the link to another worker. Without a page of receipts it cannot be used, and nothing is done.
    func add(_ tag: UInt32, _ descriptor: consuming Descriptor) {
        guard let page = pages.removeValue(forKey: tag) else { return }
        generation &+= 1
        let box = Mailbox(tag: tag, token: Token(.mailbox, slot: tag, generation: generation), descriptor, page)
        boxes.append(box)
        loop.fellows.addMailbox(of: tag)
        watch(box)
    }

    /// Hears the other workers from now on.
    func open() {
        isOpen = true
        for box in boxes { watch(box) }
    }

    private func box(of tag: UInt32) -> Mailbox? { boxes.first { $0.tag == tag } }

    private func watch(_ box: Mailbox) {
        guard isOpen else { return }
        do throws(SystemError) {
            try box.watch(in: loop.poller)
        } catch {
            loop.logs.process.error("watching the link to another worker failed", metadata: ["error": "\(error)"])
            end(box)
        }
    }

    // MARK: Connections that leave

    /// Keeps a request until its connection may leave.
    func note(_ departure: Departure) { departures.insert(departure) }

    /// The request with which a connection leaves.
    func departure(of connection: ClientConnection) -> Departure? { departures[connection] }

    /// How many bytes the request takes with which a connection leaves.
    func heldBytes(of connection: ClientConnection) -> Int {
        departure(of: connection)?.request?.body.heldBytes ?? 0
    }

    /// Sends a connection with its request to the other worker, together with all others of this turn.
    func dispatch(_ departure: Departure) {
        guard let tag = departure.placement.tag, let box = box(of: tag) else {
            comeBack(departure, isRefused: false)
            return
        }
        box.append(departure)
        isDue = true
        if nextDeadline == nil { nextDeadline = loop.now.advanced(by: Self.lookingPause) }
    }

    /// Sends the connections that are due, as far as the sockets take them.
    func flush() {
        guard isDue else { return }
        isDue = false
        for box in boxes { send(to: box) }
    }

    /// Lets go of the connections that other workers have taken. Runs in each turn of the loop.
    func collectTaken() {
        guard let deadline = nextDeadline else { return }
        var isComplete = true
        // A connection that still waits to be sent, behind a refusal, is to be looked after as well.
        for box in boxes where box.waitingCount > 0 {
            while let departure = box.nextTaken() { hasMoved(departure) }
            if box.waitingCount > 0 { isComplete = false }
        }
        if isComplete {
            nextDeadline = nil
        } else if deadline <= loop.now {
            nextDeadline = loop.now.advanced(by: Self.lookingPause)
        }
    }

    private func hasMoved(_ departure: Departure) {
        forget(departure)
        clients.hasMoved(departure)
    }

    private func comeBack(_ departure: Departure, isRefused: Bool) {
        forget(departure)
        clients.comeBack(departure, isRefused: isRefused)
    }

    private func forget(_ departure: Departure) {
        if case .forNew(let tag) = departure.placement { loop.fellows.noteAnswer(by: tag) }
        departures.remove(departure)
    }

    // MARK: Messages

    /// Sends a worker a question or an answer. Returns false when there is no link to it.
    func send(_ message: PeerMessage, to tag: UInt32) -> Bool {
        guard let box = box(of: tag) else { return false }
        box.append(message)
        send(to: box)
        return true
    }

    /// Handles an event of a link.
    func handle(_ event: PollEvent, of token: Token) {
        guard let box = boxes.first(where: { $0.token == token }) else { return }
        if event.isReadable || event.isHangup { receive(from: box) }
        if event.isWritable, boxes.contains(where: { $0 === box }) { send(to: box) }
    }

    private func send(to box: Mailbox) {
        while true {
            switch box.sendNext() {
            case .receipt(let connection):
                clients.begin(connection)
            case .unsendable(let departures):
                loop.logPeer(
                    .process, .warning,
                    "a connection cannot be passed on to another worker: too many are on their way", [:])
                for departure in departures { comeBack(departure, isRefused: true) }
            case .nothing:
                watch(box)
                return
            }
        }
    }

    /// Reads what another worker has sent. A read brings the connections that were sent together, and each turn of the loop
    /// costs something, so a turn reads until nothing is left, up to a bound.
    private func receive(from box: Mailbox) {
        var messages = 0
        var reading = Mailbox.Reading.bytes
        while case .bytes = reading, messages < Self.messagesOfTurn, boxes.contains(where: { $0 === box }) {
            reading = box.read(with: &loop.readBuffer)
            // A read of a part of a long message counts as one.
            messages += 1
            do throws(FrameFault) {
                while let message = try box.next() {
                    handle(message, from: box)
                    messages += 1
                }
            } catch {
                reading = .end
            }
        }
        if case .end = reading {
            end(box)
            return
        }
        send(to: box)
        // A connection whose receipt has to wait is not read meanwhile.
        for connection in box.arriving { clients.updateInterest(of: connection) }
    }

    private func handle(_ message: consuming Mailbox.Received, from box: Mailbox) {
        switch consume message {
        case .connection(let number, let envelope, let passed):
            take(number, envelope, passed, from: box)
        case .refused(let departure, let taken):
            for departure in taken { hasMoved(departure) }
            comeBack(departure, isRefused: true)
        case .unknown(let number):
            refuse(number, from: box)
        case .question(let question):
            if let answer = inquiries.answer(to: question) { box.append(.answer(answer)) }
        case .answer(let answer):
            inquiries.take(answer, from: box.tag)
        case .unexpected:
            break
        }
    }

    private func take(_ number: UInt32, _ envelope: consuming Envelope, _ passed: PassedDescriptor?, from box: Mailbox)
    {
        guard let descriptor = passed?.take() else {
            refuse(number, from: box)
            return
        }
        let origin = ClientConnection.Origin(
            role: envelope.isForOperators ? .admin : .bosh, door: UInt8(clamping: envelope.listener),
            isFromProxy: envelope.isFromProxy,
            expectsProxyHeader: false)
        guard let connection = clients.takeIn(StreamSocket(descriptor), envelope, at: origin) else {
            refuse(number, from: box)
            return
        }
        loop.counters.handoversTaken &+= 1
        if box.receipt(connection) {
            clients.begin(connection)
        } else {
            clients.settle(connection)
            clients.armDeadline(of: connection)
        }
    }

    private func refuse(_ number: UInt32, from box: Mailbox) {
        loop.logPeer(
            .process, .warning, "a connection from another worker cannot be taken", ["worker": .number(box.tag)])
        box.refuse(number)
    }

    /// Ends the link to a worker that has ended. Its sessions have ended with it.
    private func end(_ box: Mailbox) {
        boxes.removeAll { $0 === box }
        loop.fellows.remove(box.tag)
        inquiries.forget(box.tag)
        while let departure = box.nextTaken() { hasMoved(departure) }
        let rest = box.close(in: loop.poller)
        for connection in rest.taken { clients.begin(connection) }
        for departure in rest.back { comeBack(departure, isRefused: false) }
    }

    /// With how many messages a turn has enough of one worker.
    private static let messagesOfTurn = 32
    /// How long a connection that another worker has taken is kept at most when nothing wakes up this worker.
    private static let lookingPause = Duration.milliseconds(10)
}
