/// Finds at once who holds most among numbered things whose sizes change often.
///
/// Sizes within a factor of two share a row; within a row the order is first come, first served. So `largest` is not
/// exact, but nothing is more than twice as large, and the small ones are never chosen before it. Every call takes the
/// same time, however many things there are.
package struct SizeOrder: Sendable {
    private struct Place: Sendable {
        var size: UInt32 = 0
        /// The neighbours in the row.
        var earlier = SizeOrder.none
        var later = SizeOrder.none
    }

    private struct Row: Sendable {
        var first = SizeOrder.none
        var last = SizeOrder.none
    }

    private static let none = UInt32.max

    private var places: [Place] = []
    private var rows: [Row] = Array(repeating: Row(), count: 33)
    /// One bit for each row that is not empty.
    private var occupied: UInt64 = 0

    /// The sum of all sizes.
    package private(set) var total = 0

    /// An order of nothing.
    package init() {}

    /// The size that was last set for a number; zero when none was set.
    package func size(of number: UInt32) -> Int {
        Int(number) < places.count ? Int(places[Int(number)].size) : 0
    }

    /// The number that has waited longest in the row of the largest sizes; nil when all sizes are zero.
    package var largest: UInt32? {
        occupied == 0 ? nil : rows[63 - occupied.leadingZeroBitCount].first
    }

    /// Sets a size; zero takes the number out. A number that stays in its row keeps its place there.
    package mutating func set(_ number: UInt32, to size: Int) {
        let size = UInt32(clamping: size)
        let index = Int(number)
        if index >= places.count {
            guard size > 0 else { return }
            places.append(contentsOf: repeatElement(Place(), count: index + 1 - places.count))
        }
        let old = places[index].size
        guard size != old else { return }
        total += Int(size) - Int(old)
        places[index].size = size
        guard Self.row(of: size) != Self.row(of: old) else { return }
        if old > 0 { takeOut(number, row: Self.row(of: old)) }
        if size > 0 { putLast(number, row: Self.row(of: size)) }
    }

    /// Moves a number to the end of its row, because it has just given something up.
    package mutating func passTurn(of number: UInt32) {
        let size = size(of: number)
        guard size > 0 else { return }
        takeOut(number, row: Self.row(of: UInt32(clamping: size)))
        putLast(number, row: Self.row(of: UInt32(clamping: size)))
    }

    private static func row(of size: UInt32) -> Int { 32 - size.leadingZeroBitCount }

    private mutating func takeOut(_ number: UInt32, row: Int) {
        let (earlier, later) = (places[Int(number)].earlier, places[Int(number)].later)
        if earlier == Self.none { rows[row].first = later } else { places[Int(earlier)].later = later }
        if later == Self.none { rows[row].last = earlier } else { places[Int(later)].earlier = earlier }
        places[Int(number)].earlier = Self.none
        places[Int(number)].later = Self.none
        if rows[row].first == Self.none { occupied &= ~(1 << UInt64(row)) }
    }

    private mutating func putLast(_ number: UInt32, row: Int) {
        let last = rows[row].last
        places[Int(number)].earlier = last
        if last == Self.none { rows[row].first = number } else { places[Int(last)].later = number }
        rows[row].last = number
        occupied |= 1 << UInt64(row)
    }
}
