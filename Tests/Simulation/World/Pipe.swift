/// One direction of a connection: what is on its way, and what has arrived and was not read.
///
/// The sender's kernel holds what is on its way until the receiver's has it. What has arrived has been acknowledged.
final class Pipe {
    private struct Segment {
        var arrival: Instant
        var bytes: ArraySlice<UInt8>
    }

    private var segments: [Segment] = []
    private var firstSegment = 0
    /// Bytes that the receiver's kernel has not got.
    private(set) var underway = 0
    private var arrived: [UInt8] = []
    private var firstArrived = 0
    /// When the end of the stream arrives, behind all bytes.
    private var endArrival: Instant?
    private(set) var hasEnded = false
    /// Nothing arrives any more, and nobody is told.
    var isDead = false

    /// The receiver has closed: whatever comes gets as far as its kernel.
    var takesAll = false

    /// Both may change, as the real kernel's buffers do.
    var sendCapacity: Int
    var receiveCapacity: Int

    init(sendCapacity: Int, receiveCapacity: Int) {
        self.sendCapacity = sendCapacity
        self.receiveCapacity = receiveCapacity
    }

    var room: Int { max(sendCapacity - underway, 0) }
    /// The kernel says that there is room only when a third of it is free.
    var isWritable: Bool { underway * 3 <= sendCapacity * 2 }
    var unread: Int { arrived.count - firstArrived }
    private var latestArrival: Instant { segments.count > firstSegment ? segments[segments.count - 1].arrival : .zero }

    /// Takes bytes on their way. They arrive behind all that were sent before.
    func send(_ bytes: ArraySlice<UInt8>, arrivingAt arrival: Instant) {
        guard !bytes.isEmpty else { return }
        segments.append(Segment(arrival: max(arrival, latestArrival), bytes: bytes))
        underway += bytes.count
    }

    /// Sends the end of the stream behind all that was sent.
    func end(arrivingAt arrival: Instant) {
        if endArrival == nil { endArrival = max(arrival, latestArrival) }
    }

    /// When there is something to deliver next; nil when nothing is on its way, or the receiver has no room for it.
    var nextArrival: Instant? {
        guard !isDead else { return nil }
        if firstSegment < segments.count {
            return unread < receiveCapacity || takesAll ? segments[firstSegment].arrival : nil
        }
        return hasEnded ? nil : endArrival
    }

    /// Lets arrive what is due; false when that changes nothing.
    func deliver(at now: Instant) -> Bool {
        guard !isDead else { return false }
        var hasChanged = false
        while firstSegment < segments.count, segments[firstSegment].arrival <= now {
            let room = receiveCapacity - unread
            guard room > 0 else { return hasChanged }
            let piece = segments[firstSegment].bytes.prefix(room)
            if firstArrived == arrived.count {
                arrived.removeAll(keepingCapacity: true)
                firstArrived = 0
            }
            arrived += piece
            underway -= piece.count
            segments[firstSegment].bytes.removeFirst(piece.count)
            if segments[firstSegment].bytes.isEmpty { firstSegment += 1 }
            hasChanged = true
        }
        if firstSegment == segments.count {
            segments.removeAll(keepingCapacity: true)
            firstSegment = 0
            if let endArrival, endArrival <= now, !hasEnded {
                hasEnded = true
                hasChanged = true
            }
        }
        return hasChanged
    }

    /// Moves bytes that have arrived to the reader.
    @discardableResult
    func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(unread, target.count)
        arrived.withUnsafeBytes { bytes in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[firstArrived..<firstArrived + count]))
        }
        firstArrived += count
        if firstArrived == arrived.count {
            arrived = []
            firstArrived = 0
        }
        return count
    }

    func readAll() -> [UInt8] {
        let bytes = firstArrived == 0 ? arrived : Array(arrived[firstArrived...])
        arrived = []
        firstArrived = 0
        return bytes
    }

    /// Forgets what is on its way, as a reset does.
    func cut() {
        segments = []
        firstSegment = 0
        underway = 0
        endArrival = nil
    }
}
