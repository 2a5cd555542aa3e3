/// The responses a client may ask for again by repeating their `rid` (XEP-0124 §14.3, `R-06`, `R-07`), and what is known
/// of each: whether the client has it, and when it was sent.
///
/// Most responses are empty, so an entry is sixteen bytes and only those with content have a body beside it.
package struct ReplayCache: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        let rid: RequestID
        /// Milliseconds of the clock, wrapping around every 49 days.
        var sentAt: UInt32
        let stream: StreamNumber
        /// How far `ack` is above the rid; zero for none.
        let ackAhead: UInt8
        var flags: Flags
    }

    private struct Flags: OptionSet, Sendable, Equatable {
        let rawValue: UInt8

        static let isPause = Flags(rawValue: 1)
        /// No other request was open as it was sent: the next new request shows that it has arrived.
        static let wasAlone = Flags(rawValue: 2)
        static let isFetched = Flags(rawValue: 4)
        static let hasBody = Flags(rawValue: 8)
        static let isReported = Flags(rawValue: 16)
    }

    private struct Body: Sendable, Equatable {
        let rid: RequestID
        let payload: [UInt8]
        /// All but the payload, of the few responses that have more than that.
        let rest: Rest
    }

    private indirect enum Rest: Sendable, Equatable {
        case none
        case some(BodyResponse)
    }

    private var entries: [Entry] = []
    private var bodies: [Body] = []
    /// How many bytes the kept responses take, about.
    package private(set) var byteCount = 0

    /// A cache without responses.
    package init() {}

    /// How many responses are kept.
    package var count: Int { entries.count }

    /// The highest rid that a response is kept to.
    package var newest: RequestID? { entries.last?.rid }

    /// Keeps a response.
    ///
    /// - Parameters: `stream` whose payload it has; `isAlone`, whether no other request is open as it is sent; `isPause`,
    ///   whether it answers a pause request.
    package mutating func store(
        _ response: BodyResponse, for rid: RequestID, stream: StreamNumber, isAlone: Bool, isPause: Bool,
        now: MonotonicInstant
    ) {
        let ahead = response.ack.map { $0.distance(from: rid) } ?? 0
        let ackAhead = UInt8(exactly: ahead)
        var flags: Flags = []
        if isPause { flags.insert(.isPause) }
        if isAlone { flags.insert(.wasAlone) }
        if !response.isTrivial || ackAhead == nil {
            flags.insert(.hasBody)
            var rest = response
            rest.payload = []
            bodies.append(
                Body(rid: rid, payload: response.payload, rest: rest.isTrivial && ackAhead != nil ? .none : .some(rest))
            )
        }
        // Features and stream errors are nothing that could be returned.
        if response.payload.isEmpty || response.usesStreamPrefix { flags.insert(.isFetched) }
        let entry = Entry(
            rid: rid, sentAt: Self.milliseconds(now), stream: stream, ackAhead: ackAhead ?? 0, flags: flags)
        // A response that was decided out of order (`P-13`) stands where its rid belongs, so the oldest is always first.
        var index = entries.endIndex
        while index > 0, rid < entries[index - 1].rid { index -= 1 }
        entries.insert(entry, at: index)
        byteCount += Self.size(of: response.payload, flags)
    }

    /// Lets go of the oldest responses while there are more than `limit` to ordinary requests, or more than `bytes` and more
    /// than `least`.
    ///
    /// A pause may be sent while all requests are open (`P-07`), so its response takes no other one's place (`R-06`).
    package mutating func trim(to limit: Int, bytes: Int, least: Int) {
        while ordinaryCount > limit || (byteCount > bytes && ordinaryCount > least) || entries.count > limit + 1 {
            removeOldest()
        }
    }

    /// Lets go of the oldest responses while there are more than `limit` to ordinary requests, or while those beyond the
    /// last `least` take more than `spareBytes`.
    package mutating func trim(to limit: Int, spareBytes: Int, least: Int) {
        trim(to: limit, bytes: .max, least: least)
        while ordinaryCount > least, byteCount(beyond: least) > spareBytes { removeOldest() }
    }

    /// How many bytes the responses beyond the last `least` take.
    private func byteCount(beyond least: Int) -> Int {
        var bytes = 0
        for entry in entries.dropLast(least) {
            bytes += Self.entrySize
            guard entry.flags.contains(.hasBody) else { continue }
            bytes += Self.bodySize + (bodies.first { $0.rid == entry.rid }?.payload.count ?? 0)
        }
        return bytes
    }

    /// Lets go of the oldest response, unless only `least` to ordinary requests are left; says whether it did.
    package mutating func evict(least: Int) -> Bool {
        guard ordinaryCount > least else { return false }
        removeOldest()
        return true
    }

    /// The response to `rid`; nil when it was never given or is no longer kept.
    package func response(to rid: RequestID) -> BodyResponse? {
        guard let entry = entries.first(where: { $0.rid == rid }) else { return nil }
        let body = entry.flags.contains(.hasBody) ? bodies.first { $0.rid == rid } : nil
        if let body, case .some(var response) = body.rest {
            response.payload = body.payload
            return response
        }
        var response = BodyResponse(payload: body?.payload ?? [])
        if entry.ackAhead > 0 { response.ack = RequestID(rid.value + UInt64(entry.ackAhead)) }
        return response
    }

    /// Whether a response to `rid` is kept.
    package func contains(_ rid: RequestID) -> Bool {
        entries.contains { $0.rid == rid }
    }

    /// The response to `rid` was sent again.
    package mutating func noteReplay(of rid: RequestID, now: MonotonicInstant) {
        guard let index = entries.firstIndex(where: { $0.rid == rid }) else { return }
        entries[index].sentAt = Self.milliseconds(now)
    }

    /// Whether the client is to be told that the response to `rid` was sent: not when none is kept, when it was sent less than
    /// a second ago and may be on its way, or when the client was told once: if it does not care, each of its requests would
    /// be answered at once for ever.
    package func mayReport(_ rid: RequestID, now: MonotonicInstant) -> Bool {
        guard let entry = entries.first(where: { $0.rid == rid }) else { return false }
        return !entry.flags.contains(.isReported) && Self.age(of: entry, now: now) >= .seconds(1)
    }

    /// How long ago the response to `rid` was sent, to be told to the client now; nil when none is kept.
    package mutating func report(_ rid: RequestID, now: MonotonicInstant) -> Duration? {
        guard let index = entries.firstIndex(where: { $0.rid == rid }) else { return nil }
        entries[index].flags.insert(.isReported)
        return Self.age(of: entries[index], now: now)
    }

    /// A new request has come: what it shows of earlier responses (`T-12` a).
    package mutating func noteRequest(_ rid: RequestID, requests: Int) {
        for index in entries.indices where !entries[index].flags.contains(.isFetched) {
            let isAnswered = rid.distance(from: entries[index].rid) >= Int64(requests)
            if isAnswered || (entries[index].flags.contains(.wasAlone) && rid > entries[index].rid) {
                entries[index].flags.insert(.isFetched)
            }
        }
    }

    /// The client has all responses up to `rid` (`A-05`). Those to the last `least` ordinary requests are kept all the same:
    /// an intermediary may repeat a request that the client has long had the answer to.
    package mutating func acknowledge(upTo rid: RequestID, least: Int) {
        for index in entries.indices where entries[index].rid <= rid { entries[index].flags.insert(.isFetched) }
        while let oldest = entries.first, oldest.rid <= rid, ordinaryCount > least { removeOldest() }
    }

    /// The payload of one stream that the client has not shown to have, in order.
    package func unfetchedPayload(of stream: StreamNumber) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries where entry.stream == stream && !entry.flags.contains(.isFetched) {
            if let body = bodies.first(where: { $0.rid == entry.rid }) {
                bytes.append(contentsOf: body.payload)
            }
        }
        return bytes
    }

    private var ordinaryCount: Int {
        var count = 0
        for entry in entries where !entry.flags.contains(.isPause) { count += 1 }
        return count
    }

    private mutating func removeOldest() {
        guard !entries.isEmpty else { return }
        let entry = entries.removeFirst()
        guard entry.flags.contains(.hasBody), let index = bodies.firstIndex(where: { $0.rid == entry.rid }) else {
            byteCount -= Self.entrySize
            return
        }
        byteCount -= Self.size(of: bodies[index].payload, entry.flags)
        bodies.remove(at: index)
        // What a busy session once needed, an idle one gives back.
        if bodies.capacity > 4, bodies.count * 4 <= bodies.capacity { bodies = bodies.map { $0 } }
    }

    private static func age(of entry: Entry, now: MonotonicInstant) -> Duration {
        .milliseconds(Int64(milliseconds(now) &- entry.sentAt))
    }

    private static func milliseconds(_ instant: MonotonicInstant) -> UInt32 {
        UInt32(truncatingIfNeeded: instant.nanoseconds / 1_000_000)
    }

    private static func size(of payload: [UInt8], _ flags: Flags) -> Int {
        entrySize + (flags.contains(.hasBody) ? bodySize + payload.count : 0)
    }

    private static let entrySize = 24
    private static let bodySize = 96
}
