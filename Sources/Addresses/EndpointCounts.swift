/// How many connections there are to each end, and whether there may be one more: for each a local port is needed, and of
/// these there are so many to one address and port.
///
/// An end that nothing is connected to takes no memory. Every call takes the same time.
package struct EndpointCounts: Sendable {
    /// Where a connection's end stands here. Good until it is closed.
    package struct Place: Sendable, Equatable {
        fileprivate let index: UInt32

        /// Of a connection that is not counted.
        package static let uncounted = Place(index: .max)
    }

    private struct Entry: Sendable {
        var end: Endpoint
        var count: Int
    }

    private let limit: Int
    private var entries: [Entry] = []
    private var vacant: [UInt32] = []
    private var indices: [Endpoint: UInt32] = [:]

    /// Counts of up to `limit` connections to one end.
    package init(limit: Int) {
        self.limit = limit
    }

    /// How many connections there are to an end.
    package func count(of end: Endpoint) -> Int {
        guard let index = indices[end] else { return 0 }
        return entries[Int(index)].count
    }

    /// How many ends there are connections to.
    package var endCount: Int { indices.count }

    /// A connection is begun; nil, and nothing counted, when there are as many as there may be.
    package mutating func open(to end: Endpoint) -> Place? {
        if let index = indices[end] {
            guard entries[Int(index)].count < limit else { return nil }
            entries[Int(index)].count += 1
            return Place(index: index)
        }
        guard limit > 0 else { return nil }
        let index: UInt32
        if let last = vacant.popLast() {
            index = last
            entries[Int(index)] = Entry(end: end, count: 1)
        } else {
            index = UInt32(truncatingIfNeeded: entries.count)
            entries.append(Entry(end: end, count: 1))
        }
        indices[end] = index
        return Place(index: index)
    }

    /// A connection is gone, or never came to be.
    package mutating func close(_ place: Place) {
        let index = Int(place.index)
        guard index < entries.count, entries[index].count > 0 else { return }
        entries[index].count -= 1
        guard entries[index].count == 0 else { return }
        indices[entries[index].end] = nil
        vacant.append(place.index)
    }
}
