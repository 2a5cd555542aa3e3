/// The sessions that have not logged in, by the slots that number them, the oldest first.
///
/// Joining, leaving and asking for the oldest take the same time, however many there are. Eight bytes for each slot that was
/// ever in use.
package struct LoginQueue: Sendable {
    private static let none = UInt32.max

    /// For each slot those before and behind it; a slot that is not in the queue is before itself.
    private var earlier: [UInt32] = []
    private var later: [UInt32] = []
    private var newest = LoginQueue.none

    /// The session that has been without login for longest.
    package private(set) var oldest: UInt32?
    /// How many there are.
    package private(set) var count = 0

    /// An empty queue.
    package init() {}

    /// Whether a slot is in the queue.
    package func contains(_ slot: UInt32) -> Bool {
        guard Int(slot) < earlier.count else { return false }
        return earlier[Int(slot)] != slot
    }

    /// A session joins behind all others. `slot` is any number but `UInt32.max`; one that is there already stays where it is.
    package mutating func append(_ slot: UInt32) {
        assert(slot != Self.none, "the largest number stands for no slot")
        while earlier.count <= Int(slot) {
            earlier.append(UInt32(truncatingIfNeeded: earlier.count))
            later.append(Self.none)
        }
        guard !contains(slot) else { return }
        earlier[Int(slot)] = newest
        later[Int(slot)] = Self.none
        if newest == Self.none { oldest = slot } else { later[Int(newest)] = slot }
        newest = slot
        count += 1
    }

    /// A session leaves: it has logged in, or is over. Nothing happens for one that is not there.
    package mutating func remove(_ slot: UInt32) {
        guard contains(slot) else { return }
        let (before, behind) = (earlier[Int(slot)], later[Int(slot)])
        if before == Self.none { oldest = behind == Self.none ? nil : behind } else { later[Int(before)] = behind }
        if behind == Self.none { newest = before } else { earlier[Int(behind)] = before }
        earlier[Int(slot)] = slot
        count -= 1
    }
}
