/// The deadlines of many things that are numbered by slots, the earliest first.
///
/// A deadline that moves later costs nothing: the entry in the heap stays where it is, and when it comes up the owner is
/// asked again. So a session that is polled every few seconds has one entry, not one for each poll.
package struct DeadlineQueue: Sendable {
    private struct Entry: Sendable {
        var instant: MonotonicInstant
        var slot: UInt32
    }

    private var heap: [Entry] = []
    private var queued: [MonotonicInstant?] = []

    /// A queue without deadlines.
    package init() {}

    /// When the owner has to look again; nil when nothing is due at all.
    package var next: MonotonicInstant? { heap.first?.instant }

    /// How many entries are stored, those included that earlier ones have replaced.
    package var entryCount: Int { heap.count }

    /// Has `slot` come up at `instant` or earlier. A later wish than the one that stands is satisfied by asking again.
    package mutating func schedule(slot: UInt32, at instant: MonotonicInstant) {
        let index = Int(slot)
        while queued.count <= index { queued.append(nil) }
        if let standing = queued[index], standing <= instant { return }
        if heap.count > 2 * queued.count + 64 { dropReplaced() }
        queued[index] = instant
        heap.append(Entry(instant: instant, slot: slot))
        siftUp(from: heap.count - 1)
    }

    /// Takes a slot that has come up; nil when none has. The owner looks at its real deadline and schedules it again.
    package mutating func popDue(now: MonotonicInstant) -> UInt32? {
        while let first = heap.first, first.instant <= now {
            removeFirst()
            // An entry that an earlier one has replaced is no longer meant.
            if queued[Int(first.slot)] == first.instant {
                queued[Int(first.slot)] = nil
                return first.slot
            }
        }
        return nil
    }

    /// Removes the entries that earlier ones have replaced. They would leave by themselves when they come up, but a client
    /// that is told of short and long times in turn could make many of them.
    private mutating func dropReplaced() {
        heap = []
        for (slot, instant) in queued.enumerated() {
            guard let instant else { continue }
            heap.append(Entry(instant: instant, slot: UInt32(slot)))
            siftUp(from: heap.count - 1)
        }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].instant < heap[smallest].instant { smallest = child }
            }
            if smallest == index { return }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }

    private mutating func siftUp(from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].instant < heap[parent].instant else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }
}
