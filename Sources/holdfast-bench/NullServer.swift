import Reactor

/// The event loop of the null server: accepts streams, feeds them and carries messages from one to another.
final class NullServer {
    /// The address at which it listens.
    let address: SocketAddress
    /// Streams accepted since the start.
    private(set) var streamsEver = 0
    /// Messages that reached a stream.
    private(set) var messagesRouted = 0
    /// Messages without a receiver, which are dropped.
    private(set) var messagesUnroutable = 0

    private let listener: Listener
    private let signals: SignalSource
    private var poller: Poller
    private var buffer = ReadBuffer()
    private let domain: [UInt8]
    private var streams: [NullStream?] = []
    private var freeSlots: [Int] = []
    private var slotByJID: [[UInt8]: Int] = [:]
    private var generation: UInt64 = 0
    // Streams with something to send; they are written once a round, so that several stanzas leave in one call.
    private var unflushed: [Int] = []

    /// - Throws: the address cannot be bound.
    init(_ wanted: SocketAddress, domain: String) throws(SystemError) {
        listener = try Listener(wanted)
        address = listener.address
        signals = try SignalSource([.terminate, .interrupt, .hangup])
        poller = try Poller(capacity: 1_024)
        self.domain = Array(domain.utf8)
        try poller.register(listener.descriptor, token: Token.listener, interest: .readable)
        try poller.register(signals.descriptor, token: Token.signals, interest: .readable)
    }

    /// Serves until a signal comes. SIGHUP resets all existing streams, and serving goes on.
    func run() throws(SystemError) {
        while true {
            let count = try poller.wait(timeout: nil)
            for index in 0..<count {
                let event = poller[index]
                switch event.token {
                case Token.listener: acceptAll()
                case Token.signals:
                    while let signal = signals.next() {
                        guard signal == .hangup else { return }
                        resetAll()
                    }
                case let token: handle(event, token)
                }
            }
            flushAll()
        }
    }

    private func acceptAll() {
        while true {
            switch listener.accept() {
            case .accepted(let socket, _): add(socket)
            case .wouldBlock: return
            default:
                // A measuring tool without descriptors has nothing left to measure; the waiting client reports it.
                return
            }
        }
    }

    private func add(_ socket: consuming StreamSocket) {
        try? socket.setNoDelay()
        let slot = freeSlots.popLast() ?? streams.count
        generation += 1
        streamsEver += 1
        let token = generation << 32 | UInt64(slot)
        guard (try? poller.register(socket.descriptor, token: token, interest: .readable)) != nil else {
            freeSlots.append(slot)
            return
        }
        let stream = NullStream(socket, token: token, number: streamsEver, domain: domain)
        if slot == streams.count { streams.append(stream) } else { streams[slot] = stream }
    }

    private func handle(_ event: PollEvent, _ token: UInt64) {
        let slot = Int(token & 0xFFFF_FFFF)
        guard streams.indices.contains(slot), let stream = streams[slot], stream.token == token else { return }
        if event.isWritable { unflushed.append(slot) }
        guard event.isReadable || event.isHangup || event.isPeerClosed else { return }
        switch stream.socket.read(into: &buffer) {
        case .bytes:
            buffer.withBytes { stream.receive($0) }
            act(on: stream, slot)
        case .wouldBlock: break
        case .end, .failed: remove(slot)
        }
    }

    private func act(on stream: NullStream, _ slot: Int) {
        while let action = stream.nextAction() {
            switch action {
            case .bound(let jid): slotByJID[jid] = slot
            case .route(let message, let receiver):
                guard let target = slotByJID[receiver], let other = streams[target] else {
                    messagesUnroutable += 1
                    continue
                }
                messagesRouted += 1
                other.send(message)
                unflushed.append(target)
            }
        }
        unflushed.append(slot)
    }

    private func flushAll() {
        for slot in unflushed {
            guard let stream = streams[slot] else { continue }
            switch stream.flush() {
            case .done:
                if stream.isFinished { remove(slot) } else { watch(stream, .readable) }
            case .blocked: watch(stream, [.readable, .writable])
            case .broken: remove(slot)
            }
        }
        unflushed.removeAll(keepingCapacity: true)
    }

    /// Breaks all connections at once, as when a server dies, and prints the time on the clock that all processes
    /// share.
    private func resetAll() {
        let began = MonotonicClock.now.nanoseconds
        var count = 0
        for slot in streams.indices {
            guard let stream = streams[slot] else { continue }
            try? stream.socket.resetWhenClosed()
            remove(slot)
            count += 1
        }
        StandardStream.output.writeLine("reset \(count) streams at \(began)")
    }

    private func watch(_ stream: NullStream, _ interest: Interest) {
        guard stream.interest != interest else { return }
        stream.interest = interest
        try? poller.modify(stream.socket.descriptor, token: stream.token, interest: interest)
    }

    private func remove(_ slot: Int) {
        guard let stream = streams[slot] else { return }
        if let jid = stream.jid, slotByJID[jid] == slot { slotByJID[jid] = nil }
        streams[slot] = nil
        freeSlots.append(slot)
    }
}

private enum Token {
    static let listener = UInt64.max
    static let signals = UInt64.max - 1
}
