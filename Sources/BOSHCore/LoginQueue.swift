/// The slots of the sessions that have not logged in, oldest first.
///
/// Joining, leaving and asking for the oldest take the same time, however many there are. The queue takes eight bytes
/// for each slot that was ever in use.
package struct LoginQueue: Sendable {
    private static let none = UInt32.max

    /// The slots before and after each slot. A slot that is not in the queue has itself in `earlier`.
    private var earlier: [UInt32] = []
    private var later: [UInt32] = []
    private var newest = LoginQueue.none

    /// The session that has been without login for longest.
    package private(set) var oldest: UInt32?
    /// The number of sessions in the queue.
    package private(set) var count = 0

    /// An empty queue.
    package init() {}

    /// Whether a slot is in the queue.
    package func contains(_ slot: UInt32) -> Bool {
        guard Int(slot) < earlier.count else { return false }
        return earlier[Int(slot)] != slot
    }

    /// Adds a session at the end. `slot` is any number but `UInt32.max`; a slot that is in the queue already keeps its
    /// place.
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

    /// Takes out a session that has logged in or is over. Does nothing for one that is not in the queue.
    package mutating func remove(_ slot: UInt32) {
        guard contains(slot) else { return }
        let (before, behind) = (earlier[Int(slot)], later[Int(slot)])
        if before == Self.none { oldest = behind == Self.none ? nil : behind } else { later[Int(before)] = behind }
        if behind == Self.none { newest = before } else { earlier[Int(behind)] = before }
        earlier[Int(slot)] = slot
        count -= 1
    }
}
