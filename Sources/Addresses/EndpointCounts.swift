/// Counts the connections to each endpoint and says whether one more may be opened. Each connection needs a local port,
/// and there is a limited number of them for one remote address and port.
///
/// An endpoint without connections takes no memory. Every call takes the same time.
package struct EndpointCounts: Sendable {
    /// The place of a connection's endpoint in these counts. Valid until the connection is closed.
    package struct Place: Sendable, Equatable {
        fileprivate let index: UInt32

        /// The place of a connection that is not counted.
        package static let uncounted = Place(index: .max)
    }

    private struct Entry: Sendable {
        var end: Endpoint
        var count: Int
    }

    /// The most connections to one endpoint.
    package let limit: Int
    private var entries: [Entry] = []
    private var vacant: [UInt32] = []
    private var indices: [Endpoint: UInt32] = [:]

    /// Counts that allow up to `limit` connections to one endpoint.
    package init(limit: Int) {
        self.limit = limit
    }

    /// The number of connections to the endpoint that has most. Takes time for each endpoint.
    package var largest: Int { entries.reduce(0) { max($0, $1.count) } }

    /// The number of connections to an endpoint.
    package func count(of end: Endpoint) -> Int {
        guard let index = indices[end] else { return 0 }
        return entries[Int(index)].count
    }

    /// The endpoint of a connection that is counted; nil for another one.
    package func end(of place: Place) -> Endpoint? {
        let index = Int(place.index)
        return index < entries.count && entries[index].count > 0 ? entries[index].end : nil
    }

    /// The number of endpoints that have connections.
    package var endCount: Int { indices.count }

    /// Counts a new connection. Nil, with nothing counted, when the endpoint has as many as it may have.
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

    /// Counts a connection as gone, or as failed.
    package mutating func close(_ place: Place) {
        let index = Int(place.index)
        guard index < entries.count, entries[index].count > 0 else { return }
        entries[index].count -= 1
        guard entries[index].count == 0 else { return }
        indices[entries[index].end] = nil
        vacant.append(place.index)
    }
}
