import Bridge
import HTTPWire
import LogLines
import Logging
import Primitives
import Reactor
import WebSocketCore
import WebSocketWire

/// Writes frames to clients, watches their deadlines, and closes their connections.
extension WebSockets {
    /// Sends a message of this program.
    func send(_ text: [UInt8], to client: WebSocketClient) {
        client.traffic.messagesOut &+= 1
        client.channel.append(pool: &loop.pool) { FrameWriter.appendText(text.span, to: &$0) }
        markDirty(client)
    }

    /// Sends elements of the server, each as one message.
    func deliver(_ bytes: [UInt8], _ borders: [Int], to client: WebSocketClient) {
        client.traffic.messagesOut &+= UInt32(truncatingIfNeeded: borders.count + 1)
        loop.latencies.notePassedOn(now: loop.now)
        let span = bytes.span
        client.channel.append(pool: &loop.pool) { output in
            var start = 0
            for border in borders {
                FrameWriter.appendText(span.extracting(start..<border), to: &output)
                start = border
            }
            FrameWriter.appendText(span.extracting(start..<span.count), to: &output)
        }
        markDirty(client)
    }

    /// Writes what waits, and decides how the connection goes on.
    func flush(_ client: WebSocketClient) {
        guard client.ending != .gone else { return }
        if client.hasPong, client.channel.unwrittenCount == 0 {
            let payload = client.pong
            client.pong = []
            client.hasPong = false
            client.channel.append(pool: &loop.pool) { FrameWriter.appendPong(payload.span, to: &$0) }
        }
        // The deadline for a client that does not read starts here.
        if !client.pace.rate.isRunning { client.pace.phaseSince = loop.now }
        while client.channel.hasUnwritten {
            switch client.channel.write() {
            case .wrote(let count):
                client.pace.phaseSince = loop.now
                client.pace.rate.note(count)
                client.traffic.bytesOut &+= UInt64(count)
                loop.counters.bytesToClients &+= UInt64(count)
            case .wouldBlock:
                client.channel.compact()
                client.pace.rate.begin(now: loop.now)
                rest(client)
                return
            case .failed:
                lose(client)
                return
            }
        }
        client.channel.release(to: &loop.pool)
        client.pace.rate.end()
        if client.hasPong {
            flush(client)
            return
        }
        if client.ending == .closed {
            linger(client)
            return
        }
        rest(client)
    }

    /// Notes how a client stands after bytes were written or had to wait.
    private func rest(_ client: WebSocketClient) {
        noteUnsent(of: client)
        guard client.ending != .gone else { return }
        settle(client)
        updateInterest(of: client)
        if client.channel.hasUnwritten || client.ending != .none { schedule(client) }
    }

    // MARK: What is watched

    /// The events that a client is to be watched for now.
    func wantedInterest(of client: WebSocketClient) -> Interest {
        var interest: Interest = []
        let isOpen = client.ending == .none
        if !isOpen || client.isRead { interest.insert(.readable) }
        if client.channel.hasUnwritten { interest.insert(.writable) }
        return interest
    }

    /// Has the client watched for the events that it needs now.
    func updateInterest(of client: WebSocketClient) {
        guard client.ending != .gone else { return }
        do throws(SystemError) {
            try client.channel.watch(for: wantedInterest(of: client), as: client.token, in: loop.poller)
        } catch {
            loop.logPeer(.sessions, .error, "watching a connection failed", ["error": "\(error)"])
            giveUp(client)
        }
    }

    // MARK: Time

    /// When something has to happen; nil when nothing has.
    func deadline(of client: WebSocketClient) -> MonotonicInstant? {
        switch client.ending {
        case .gone: return nil
        case .lingering: return client.pace.deadline(awaiting: .lingering, by: patience)
        case .closing, .closed: return client.pace.requestSince.advanced(by: Self.closingTime)
        // A client that was abandoned is closed at the end of the turn, and nothing else is due.
        case .none where client.isOver: return nil
        case .none: break
        }
        var next = client.session.nextDeadline(by: policy)
        func consider(_ candidate: MonotonicInstant?) {
            guard let candidate else { return }
            next = next.map { min($0, candidate) } ?? candidate
        }
        if client.channel.hasUnwritten { consider(client.pace.deadline(awaiting: .room, by: patience)) }
        if client.isRead { consider(client.messageSince.instant?.advanced(by: patience.body)) }
        return next
    }

    func handleDeadline(of client: WebSocketClient) {
        switch client.ending {
        case .gone: return
        case .lingering, .closing, .closed:
            close(client)
            return
        case .none: break
        }
        if client.channel.hasUnwritten, let due = client.pace.deadline(awaiting: .room, by: patience), due <= loop.now,
            case .deaf(let isSlow) = client.pace.judge(awaiting: .room, by: patience, now: loop.now)
        {
            if isSlow { loop.reached(.sendRate, "session \(client.name)") }
            handle(.lost(.clientStalled), of: client)
            return
        }
        if client.isRead, let since = client.messageSince.instant, since.advanced(by: patience.body) <= loop.now {
            handle(.frameFault(.policyViolation), of: client)
            return
        }
        if let due = client.session.nextDeadline(by: policy), due <= loop.now { handle(.deadlineReached, of: client) }
    }

    // MARK: The end

    /// Sends a Close frame: this program's own with a code, or the answer to the client's with its code (`W-29`,
    /// `W-30`).
    func beginClosing(_ client: WebSocketClient, _ code: SocketEnd?) {
        guard client.ending == .none else { return }
        if let code { loop.counters.webSockets.closed.count(code) }
        let sent = code.map { CloseCode(rawValue: $0.rawValue) } ?? client.closeCode
        client.channel.append(pool: &loop.pool) { FrameWriter.appendClose(sent, to: &$0) }
        client.pace.requestSince = loop.now
        // Behind a Close frame nothing is sent.
        client.pong = []
        client.hasPong = false
        // A client that broke the framing is not read any more, so its Close frame would not be found.
        client.ending = code == nil ? .closed : .closing
        client.message = []
        client.backlog = []
        client.messageSince = .none
        markDirty(client)
    }

    /// Notes that the client has sent its Close frame too.
    func finishClosing(_ client: WebSocketClient) {
        guard client.ending == .closing else { return }
        client.ending = .closed
        markDirty(client)
    }

    /// Closes this side and reads on for a moment, so that the client gets the Close frame before a reset.
    private func linger(_ client: WebSocketClient) {
        client.ending = .lingering
        client.pace.phaseSince = loop.now
        do throws(SystemError) {
            try client.channel.shutdownWrite()
        } catch {
            close(client)
            return
        }
        rest(client)
    }

    /// Drops the connection of a client that nothing reaches. It is closed at the end of the turn, because the session
    /// still has something to say to its server.
    func abandon(_ client: WebSocketClient) { giveUp(client) }

    /// Closes a connection at once.
    func close(_ client: WebSocketClient) {
        guard client.ending != .gone else { return }
        client.ending = .gone
        client.message = []
        client.backlog = []
        client.pong = []
        client.channel.close(in: loop.poller, to: &loop.pool)
        settle(client)
        loop.addresses.closeConnection(of: client.connectionAccount, now: loop.now)
        forget(client)
    }

    /// Updates the account with what a client holds now.
    func settle(_ client: WebSocketClient) {
        let before = client.charged
        let held = client.ending == .gone ? (bodies: 0, answers: 0, stanzas: 0) : client.heldBytes
        loop.memory.settle(.bodies, held.bodies, charged: &client.chargedBodies)
        loop.memory.settle(.answers, held.answers, charged: &client.chargedAnswers)
        loop.memory.settle(.stanzas, held.stanzas, charged: &client.chargedStanzas)
        // The account of a session that is over may belong to another address by now.
        if !client.isOver { loop.addresses.note(client.charged - before, of: client.sessionAccount) }
    }

    /// What the log says of a WebSocket alone about a session that has ended (`W-56`).
    func lastWords(of client: WebSocketClient) -> Logger.Metadata {
        var line: Logger.Metadata = [
            "messages_in": .number(client.traffic.messagesIn), "messages_out": .number(client.traffic.messagesOut),
            "bytes_in": .number(client.traffic.bytesIn), "bytes_out": .number(client.traffic.bytesOut),
        ]
        if let code = client.closeCode { line["client_code"] = .number(code.rawValue) }
        if let pong = client.lastPong.instant {
            line["pong_before_s"] = .wholeSeconds(loop.now.elapsed(since: pong))
        }
        return line
    }

    /// How long a client may take to answer a Close frame (`W-30`).
    private static let closingTime = Duration.seconds(5)
}
