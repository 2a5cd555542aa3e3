/// What clients may send to workers of one generation, or of several: by these rules a worker reads a request until it
/// knows which worker owns its session. The owner judges it by its own.
///
/// Without them a worker with a new configuration would refuse what a session with the old one may still send, and the
/// other way round.
package struct SharedRules: Sendable, Equatable {
    /// The paths of the endpoints.
    package var paths: [String]
    /// The longest body in bytes.
    package var body: UInt32
    /// The listed origins whose pages may use the endpoint; none when no list is kept.
    package var origins: [String]

    /// Rules made of their parts.
    package init(paths: [String] = [], body: UInt32 = 0, origins: [String] = []) {
        self.paths = paths
        self.body = body
        self.origins = origins
    }

    /// Allows what other rules allow as well. The order of what is there stays.
    package mutating func allow(_ others: SharedRules) {
        paths += others.paths.filter { !paths.contains($0) }
        body = max(body, others.body)
        origins += others.origins.filter { !origins.contains($0) }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(texts: paths)
        bytes.append(bigEndian: body)
        bytes.append(texts: origins)
    }

    init(reading reader: inout PayloadReader) throws(MessageFault) {
        paths = try reader.texts(atMost: Self.longestText)
        body = try reader.number32()
        origins = try reader.texts(atMost: Self.longestText)
    }

    /// The most bytes of a path or an origin.
    private static let longestText = 1 << 16
}
