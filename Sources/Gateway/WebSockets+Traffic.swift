import BOSHCore
import Bridge
import HTTPWire
import Logging
import Primitives
import Reactor
import WebSocketCore
import WebSocketWire
import XMLCodec

/// Reads frames from clients and gives their messages to sessions.
extension WebSockets {
    /// Handles an event of a client's connection.
    func handle(_ event: PollEvent, on client: WebSocketClient) {
        // The present interest decides, because an earlier event of the batch may have changed it.
        if client.channel.isReading {
            if event.isReadable || event.isHangup { read(from: client) }
        } else if event.isHangup {
            lose(client)
        }
        if event.isWritable { markDirty(client) }
    }

    private func read(from client: WebSocketClient) {
        switch client.channel.read(into: &loop.readBuffer) {
        case .bytes(let count):
            loop.counters.bytesFromClients &+= UInt64(count)
            client.traffic.bytesIn &+= UInt64(count)
            client.session.noteRead(now: loop.now)
            whileReading(client) { loop.readBuffer.withBytes { take($0, of: client) } }
        case .wouldBlock: return
        case .end, .failed: lose(client)
        }
    }

    /// Ends a client whose connection is gone, or on which it sends nothing more.
    func lose(_ client: WebSocketClient) {
        handle(.lost(.clientLost), of: client)
        close(client)
    }

    /// Reads the frames in `bytes` and acts on each message.
    func take(_ bytes: Span<UInt8>, of client: WebSocketClient) {
        guard client.ending == .none || client.ending == .closing else { return }
        if client.isBusy {
            client.backlog.append(copying: bytes)
            return
        }
        var message = client.message.isEmpty ? takeScratch() : client.message
        client.message = []
        var offset = 0
        while client.ending == .none || client.ending == .closing, !client.isBusy,
            let event = client.frames.next(in: bytes, at: &offset, message: &message)
        {
            act(on: event, &message, of: client)
        }
        if client.isBusy {
            // The bytes behind a long message wait until it is read.
            if offset < bytes.count { client.backlog = Array(copying: bytes.extracting(droppingFirst: offset)) }
        } else if client.frames.isInsideMessage, client.ending == .none {
            keep(message, of: client)
        } else {
            giveBack(scratch: message)
        }
        if !client.isInsideMessage {
            client.messageSince = .none
        } else if client.messageSince == .none {
            client.messageSince = CoarseInstant(loop.now)
        }
    }

    /// Keeps the part of a message that has come, unless there is no memory for it.
    private func keep(_ message: consuming [UInt8], of client: WebSocketClient) {
        guard loop.memory.pressure < .full, !loop.addresses.isFull(client.sessionAccount) else {
            loop.reached(
                loop.memory.pressure < .full ? .addressMemory : .memoryLimit,
                "session \(client.name): a message was refused")
            handle(.outOfMemory, of: client)
            return
        }
        client.message = message
    }

    private func act(on event: FrameEvent, _ message: inout [UInt8], of client: WebSocketClient) {
        guard client.ending == .none else {
            // The session is over; only the client's own Close frame still counts, and a fault as one.
            switch event {
            case .text: message.removeAll(keepingCapacity: true)
            case .close(let code, _):
                client.closeCode = code
                finishClosing(client)
            case .fault: finishClosing(client)
            case .ping, .pong: break
            }
            return
        }
        switch event {
        case .text:
            client.traffic.messagesIn &+= 1
            if client.frames.wasInPieces { loop.counters.webSockets.inPieces &+= 1 }
            guard message.count <= MessageParser.mostAtOnce else {
                client.message = message
                message = []
                workLater(on: client)
                return
            }
            act(on: parser.parse(message.span), in: message, of: client)
            message.removeAll(keepingCapacity: true)
        case .ping(let payload):
            guard !exceedsControls(client) else { return }
            answer(payload, to: client)
        case .pong(let payload):
            let number = payload.reduce(0) { $0 << 8 | UInt32($1) }
            guard payload.count == 4, client.ask({ $0.awaits(pong: number) }) else {
                // A pong that nobody asked for needs no answer and is no error (`W-28`), but many of them are.
                _ = exceedsControls(client)
                return
            }
            loop.counters.webSockets.pongs &+= 1
            client.lastPong = CoarseInstant(loop.now)
            handle(.pong(number), of: client)
        case .close(let code, _):
            client.closeCode = code
            loop.counters.webSockets.closedByClient &+= 1
            handle(.socketClosed, of: client)
        case .fault(let fault):
            loop.logs.sessions.debug(
                "frame refused", metadata: ["sid8": "\(client.name)", "fault": "\(fault)"])
            if fault == .messageTooLarge {
                if client.frames.limits.message == loop.settings.loginBody {
                    loop.reached(.loginBody, client.requester.name)
                }
                handle(.tooLarge, of: client)
            } else {
                handle(.frameFault(SocketEnd(rawValue: fault.code.rawValue) ?? .protocolError), of: client)
            }
        }
    }

    private func exceedsControls(_ client: WebSocketClient) -> Bool {
        guard client.controls.isExceeded(now: loop.now) else { return false }
        handle(.frameFault(.policyViolation), of: client)
        return true
    }

    /// Answers a ping, at once or behind the bytes that wait for the client. One answer waits at most (`W-27`).
    private func answer(_ payload: [UInt8], to client: WebSocketClient) {
        // Answers go out in the order of the pings, so a later one takes the place of the one that waits.
        guard !client.hasPong, client.channel.unwrittenCount <= Self.mostBeforePong else {
            client.pong = payload
            client.hasPong = true
            return
        }
        client.channel.append(pool: &loop.pool) { FrameWriter.appendPong(payload.span, to: &$0) }
        markDirty(client)
    }

    /// Acts on a message that was read.
    private func act(on message: ClientMessage, in bytes: [UInt8], of client: WebSocketClient) {
        switch message {
        case .blank: return
        case .open(let attributes): handle(.open(opening(attributes, from: client.requester)), of: client)
        case .close: handle(.close, of: client)
        case .element(let range):
            loop.counters.stanzasToUpstream &+= 1
            client.record.stanzasUp &+= 1
            handle(.element(range.count == bytes.count ? bytes : Array(bytes[range])), of: client)
        case .refused(let fault):
            if case .limit(let limit) = fault, let bound = Bound(limit) {
                loop.reached(bound, "from \(client.requester.peer)")
            }
            loop.logs.sessions.debug("message refused", metadata: ["sid8": "\(client.name)", "fault": "\(fault)"])
            handle(.refused(StreamCondition(fault)), of: client)
        }
    }

    /// Acts on a long message that was read, and goes on with the bytes behind it.
    func longMessageRead(_ message: ClientMessage, of client: WebSocketClient) {
        let bytes = client.message
        let backlog = client.backlog
        client.message = []
        client.backlog = []
        client.isBusy = false
        guard client.ending != .gone else { return }
        whileReading(client) {
            if client.ending == .none { act(on: message, in: bytes, of: client) }
            if !backlog.isEmpty { take(backlog.span, of: client) }
        }
    }

    /// What a client's `<open/>` asks for.
    private func opening(_ attributes: OpenAttributes, from requester: Requester) -> StreamOpening {
        do throws(AddressRefusal) {
            let domain = try domains.domain(meantBy: attributes.to)
            let account = domains.account(attributes.from, at: domain)
            let request = StreamRequest(domain: domain, account: account, language: attributes.language)
            return StreamOpening(.served(request), account: account, language: attributes.language)
        } catch {
            loop.tell(of: .domain, requester.fields(asking: attributes.to))
            return StreamOpening(.refused(error), language: attributes.language)
        }
    }

    /// So many bytes may wait for a client before the answer to its ping waits behind them.
    private static let mostBeforePong = 16 * 1024
}

extension StreamCondition {
    /// The condition for a fault in a client's message (`W-44`).
    init(_ fault: XMLFault) {
        self =
            switch fault {
            case .malformed, .encoding, .text: .notWellFormed
            case .restrictedXML: .restrictedXML
            case .invalidRoot: .invalidNamespace
            case .forbiddenElement, .limit: .policyViolation
            }
    }
}
