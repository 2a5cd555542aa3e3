/// The deadlines of many things that are numbered by slots, earliest first.
///
/// Moving a deadline later costs nothing: its heap entry stays, and when the entry comes up, the owner is asked for the
/// real deadline. So a session that polls every few seconds moves nothing at each poll. Moving a deadline earlier moves
/// its entry up.
///
/// Each slot takes sixteen bytes. Every session, connection and stream has one.
package struct DeadlineQueue: Sendable {
    /// The heap, earliest first: the instant of each entry, and below the slot that owns it.
    private var instants: [MonotonicInstant] = []
    private var slots: [UInt32] = []
    /// The place of each slot in the heap; `absent` for a slot without a deadline.
    private var places: [UInt32] = []

    private static let absent = UInt32.max

    /// A queue without deadlines.
    package init() {}

    /// When the owner has to look again; nil when nothing is due at all.
    package var next: MonotonicInstant? { instants.first }

    /// The number of slots with a deadline.
    package var count: Int { slots.count }

    /// When `slot` comes up; nil when it has no deadline.
    package func due(_ slot: UInt32) -> MonotonicInstant? {
        guard Int(slot) < places.count, places[Int(slot)] != Self.absent else { return nil }
        return instants[Int(places[Int(slot)])]
    }

    /// Makes `slot`, any number but `UInt32.max`, come up at `instant` or earlier. When it already comes up earlier,
    /// nothing changes: the owner is asked then and schedules it again.
    package mutating func schedule(slot: UInt32, at instant: MonotonicInstant) {
        assert(slot != Self.absent, "the largest number marks a slot without a deadline")
        while places.count <= Int(slot) { places.append(Self.absent) }
        var place = Int(places[Int(slot)])
        if place == Int(Self.absent) {
            place = slots.count
            instants.append(instant)
            slots.append(slot)
        } else if instants[place] <= instant {
            return
        }
        siftUp(slot, instant, from: place)
    }

    /// Takes a slot that has come up; nil when none has. The owner then computes its real deadline and schedules it
    /// again.
    package mutating func popDue(now: MonotonicInstant) -> UInt32? {
        guard let due = slots.first, let instant = instants.first, instant <= now else { return nil }
        places[Int(due)] = Self.absent
        let last = slots.removeLast()
        let lastInstant = instants.removeLast()
        if !slots.isEmpty { siftDown(last, lastInstant) }
        return due
    }

    /// Moves parents down, beginning at `place`, until the new entry has its place.
    private mutating func siftUp(_ slot: UInt32, _ instant: MonotonicInstant, from place: Int) {
        var place = place
        while place > 0 {
            let parent = (place - 1) / 2
            guard instant < instants[parent] else { break }
            put(slots[parent], instants[parent], at: place)
            place = parent
        }
        put(slot, instant, at: place)
    }

    /// Moves children up, beginning at the top, until the given entry has its place.
    private mutating func siftDown(_ slot: UInt32, _ instant: MonotonicInstant) {
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < slots.count else { break }
            if child + 1 < slots.count, instants[child + 1] < instants[child] { child += 1 }
            guard instants[child] < instant else { break }
            put(slots[child], instants[child], at: place)
            place = child
        }
        put(slot, instant, at: place)
    }

    private mutating func put(_ slot: UInt32, _ instant: MonotonicInstant, at place: Int) {
        slots[place] = slot
        instants[place] = instant
        places[Int(slot)] = UInt32(truncatingIfNeeded: place)
    }
}
