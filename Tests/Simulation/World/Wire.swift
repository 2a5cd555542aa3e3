/// A connection as an inhabitant sees it: what it sends waits until the kernel takes it.
final class Wire {
    let end: SocketEnd
    private var unsent: [UInt8] = []
    private var closesWhenSent = false
    private var endsWhenSent = false
    private(set) var isOver = false
    var received: ([UInt8]) -> Void = { _ in }
    /// Called when no more will come; `isReset` when that was not the other end's wish.
    var ended: (_ isReset: Bool) -> Void = { _ in }
    /// How many bytes a slow reader reads in a while; 0 for all at once.
    var slowness = 0
    /// Whether nothing is read for a while.
    var isPaused = false { didSet { if oldValue, !isPaused { look() } } }

    init(_ end: SocketEnd) {
        self.end = end
        end.notify = { [weak self] in self?.look() }
        // The owner of the wire is held by these closures, and holds the wire.
        end.kernel.whenOver { [self] in
            received = { _ in }
            ended = { _ in }
        }
        if end.state == .broken { end.kernel.after(.microseconds(1)) { [weak self] in self?.look() } }
    }

    func send(_ bytes: some Sequence<UInt8>) {
        guard !isOver else { return }
        unsent.append(contentsOf: bytes)
        flush()
    }

    /// Sends what is left, then the end of the stream.
    func finish() {
        endsWhenSent = true
        flush()
    }

    /// Sends what is left, then closes.
    func closeWhenSent() {
        closesWhenSent = true
        flush()
    }

    func close() {
        isOver = true
        end.close()
    }

    func reset() {
        end.resetsOnClose = true
        close()
    }

    /// From now on nothing passes in either direction, and nobody is told.
    func vanish() {
        isOver = true
        end.inbox.isDead = true
        end.outbox.isDead = true
        end.notify = nil
        // Its machine is gone too: the other kernel notices after a while.
        let kernel = end.kernel
        let other = end.peer
        let patience: Duration = (other?.outbox.underway ?? 0) > 0 ? .seconds(924) : .seconds(105)
        kernel.after(patience) { [weak other] in
            guard let other, !other.isClosed else { return }
            other.inbox.isDead = false
            other.fail(110)
        }
    }

    var hasUnsent: Bool { !unsent.isEmpty || end.outbox.underway > 0 }

    private func flush() {
        guard !isOver, end.state == .connected else { return }
        // It is told about room as the worker is, when there is a good deal of it.
        if !unsent.isEmpty, !end.hasShutDown, end.outbox.isWritable {
            let room = end.outbox.room
            if room >= unsent.count {
                end.transmit(unsent[...])
                unsent = []
            } else if end.outbox.isWritable {
                // A copy, because bytes on their way must not keep all that waits behind them in memory.
                end.transmit(Array(unsent.prefix(room))[...])
                unsent.removeFirst(room)
            }
        }
        guard unsent.isEmpty else { return }
        if endsWhenSent, !end.hasShutDown { _ = end.shutDown() }
        if closesWhenSent { close() }
    }

    private func look() {
        guard !isOver else { return }
        flush()
        guard !isOver else { return }
        if isPaused {
            // The end of the stream is behind what was not read.
            if end.inbox.unread > 0 { return }
        } else if slowness > 0 {
            readSlowly()
        } else if end.inbox.unread > 0 {
            let bytes = end.inbox.readAll()
            end.kernel.expect(end)
            received(bytes)
        }
        guard !isOver, end.inbox.unread == 0 else { return }
        if end.state == .broken {
            isOver = true
            ended(true)
        } else if end.hasEnded {
            let tell = ended
            if !hasToldEnd {
                hasToldEnd = true
                tell(false)
            }
        }
    }

    private var hasToldEnd = false
    private var isReadingSlowly = false

    private func readSlowly() {
        guard !isReadingSlowly, end.inbox.unread > 0 else { return }
        isReadingSlowly = true
        end.kernel.after(.milliseconds(100)) { [weak self] in
            guard let self, !isOver else { return }
            isReadingSlowly = false
            guard !isPaused else { return }
            var piece = [UInt8](repeating: 0, count: slowness)
            let count = piece.withUnsafeMutableBytes { self.end.inbox.read(into: $0) }
            end.kernel.expect(end)
            received(Array(piece.prefix(count)))
            look()
        }
    }
}
