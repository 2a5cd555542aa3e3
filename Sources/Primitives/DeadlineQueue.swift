/// The deadlines of many things that are numbered by slots, the earliest first.
///
/// A deadline that moves later costs nothing: what stands in the heap stays where it is, and when it comes up the owner is
/// asked again. So a session that is polled every few seconds moves nothing with each poll. An earlier one moves up.
///
/// The heap and where each slot stands in it take sixteen bytes a slot: every session, connection and stream has some.
package struct DeadlineQueue: Sendable {
    /// The heap, the earliest first: when each entry is due, and whose it is.
    private var instants: [MonotonicInstant] = []
    private var slots: [UInt32] = []
    /// Where each slot stands in the heap; `absent` for those that do not.
    private var places: [UInt32] = []

    private static let absent = UInt32.max

    /// A queue without deadlines.
    package init() {}

    /// When the owner has to look again; nil when nothing is due at all.
    package var next: MonotonicInstant? { instants.first }

    /// How many deadlines stand.
    package var count: Int { slots.count }

    /// When `slot` comes up; nil when it does not.
    package func due(_ slot: UInt32) -> MonotonicInstant? {
        guard Int(slot) < places.count, places[Int(slot)] != Self.absent else { return nil }
        return instants[Int(places[Int(slot)])]
    }

    /// Has `slot`, any number but `UInt32.max`, come up at `instant` or earlier. A later wish than the one that stands is
    /// satisfied by asking again.
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

    /// Takes a slot that has come up; nil when none has. The owner looks at its real deadline and schedules it again.
    package mutating func popDue(now: MonotonicInstant) -> UInt32? {
        guard let due = slots.first, let instant = instants.first, instant <= now else { return nil }
        places[Int(due)] = Self.absent
        let last = slots.removeLast()
        let lastInstant = instants.removeLast()
        if !slots.isEmpty { siftDown(last, lastInstant) }
        return due
    }

    /// Moves later entries down from `place` on until the new one has found its own.
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

    /// Moves earlier entries up from the top on until the one given has found its place.
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
