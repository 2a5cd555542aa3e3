/// Counts how often each case of a closed list came, in fixed fields without an allocation.
///
/// A list has at most `Tally.capacity` cases; a test checks this.
struct Tally<Key: CaseIterable & Equatable> {
    private var counts = InlineArray<48, UInt64>(repeating: 0)

    /// How many cases there is room for.
    static var capacity: Int { 48 }

    /// Counts one more.
    mutating func count(_ key: Key) {
        let index = Self.index(of: key)
        counts[index] &+= 1
    }

    /// How often a case came.
    subscript(key: Key) -> UInt64 { counts[Self.index(of: key)] }

    /// The position of a case in its list.
    static func index(of key: Key) -> Int {
        var index = 0
        for other in Key.allCases where index < capacity - 1 {
            if other == key { return index }
            index += 1
        }
        return index
    }
}

extension Tally where Key: RawRepresentable<String> {
    /// The count of every case by its name. Cases that never came count zero, so that a graph can start on the first
    /// day.
    var byName: [(name: String, count: UInt64)] {
        // Each case is looked up by its position, because two cases are compared by their texts.
        Key.allCases.enumerated().map { ($1.rawValue, counts[min($0, Self.capacity - 1)]) }
    }
}
