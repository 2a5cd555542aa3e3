/// One direction of a connection: bytes on their way, and bytes that have arrived and were not read.
///
/// The sender's kernel holds bytes on their way until the receiver's has them. Arrived bytes have been acknowledged.
final class Pipe {
    private struct Segment {
        var arrival: Instant
        var bytes: ArraySlice<UInt8>
    }

    private var segments: [Segment] = []
    private var firstSegment = 0
    /// The bytes that the receiver's kernel does not have.
    private(set) var underway = 0
    private var arrived: [UInt8] = []
    private var firstArrived = 0
    /// When the end of the stream arrives, after all bytes.
    private var endArrival: Instant?
    private(set) var hasEnded = false
    /// Whether nothing arrives any more, and nobody is told.
    var isDead = false

    /// Whether the receiver has closed: bytes still reach its kernel.
    var takesAll = false

    /// Both may change, as the real kernel's buffers do.
    var sendCapacity: Int
    var receiveCapacity: Int

    init(sendCapacity: Int, receiveCapacity: Int) {
        self.sendCapacity = sendCapacity
        self.receiveCapacity = receiveCapacity
    }

    var room: Int { max(sendCapacity - underway, 0) }
    /// The kernel reports room only when a third of it is free.
    var isWritable: Bool { underway * 3 <= sendCapacity * 2 }
    var unread: Int { arrived.count - firstArrived }
    private var latestArrival: Instant { segments.count > firstSegment ? segments[segments.count - 1].arrival : .zero }

    /// Sends bytes, which arrive after all that were sent before.
    func send(_ bytes: ArraySlice<UInt8>, arrivingAt arrival: Instant) {
        guard !bytes.isEmpty else { return }
        segments.append(Segment(arrival: max(arrival, latestArrival), bytes: bytes))
        underway += bytes.count
    }

    /// Sends the end of the stream after all bytes.
    func end(arrivingAt arrival: Instant) {
        if endArrival == nil { endArrival = max(arrival, latestArrival) }
    }

    /// When something is to be delivered next; nil when nothing is on its way, or the receiver has no room.
    var nextArrival: Instant? {
        guard !isDead else { return nil }
        if firstSegment < segments.count {
            return unread < receiveCapacity || takesAll ? segments[firstSegment].arrival : nil
        }
        return hasEnded ? nil : endArrival
    }

    /// Delivers what is due; false when that changes nothing.
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

    /// Moves arrived bytes to the reader.
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

    /// Drops what is on its way, as a reset does.
    func cut() {
        segments = []
        firstSegment = 0
        underway = 0
        endArrival = nil
    }
}
