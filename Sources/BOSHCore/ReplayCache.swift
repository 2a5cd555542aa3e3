import Bridge
import Primitives

/// The responses that a client may ask for again by repeating their `rid` (XEP-0124 §14.3, `R-06`, `R-07`). The cache
/// also knows when each was sent and whether the client is proven to have read it.
///
/// Two cases count as fetched (`T-12` a). A **proven** response was certainly read: the client said so (`A-05`), or its
/// requests leave no other explanation (`ReceiptProof`). A response **beyond repeat** is no longer kept: nobody knows
/// whether it was read, but it can be neither asked for again nor returned.
///
/// Most responses are empty or plain payload, so an entry is 24 bytes, and the few others are boxed.
package struct ReplayCache: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        let rid: RequestID
        /// Milliseconds of the clock, wrapping around every 49 days.
        var sentAt: UInt32
        let stream: StreamNumber
        /// How far `ack` is above the rid; zero when there is none.
        let ackAhead: UInt8
        var flags: Flags
        let content: Content
    }

    /// The content of a response besides `ack`.
    private enum Content: Sendable, Equatable {
        case none
        case payload([UInt8])
        indirect case whole(BodyResponse)

        var payload: [UInt8] {
            switch self {
            case .none: []
            case .payload(let payload): payload
            case .whole(let response): response.payload
            }
        }

        /// The approximate bytes besides the entry.
        var byteCount: Int {
            if case .none = self { return 0 }
            return 48 + payload.heldBytes
        }
    }

    private struct Flags: OptionSet, Sendable, Equatable {
        let rawValue: UInt8

        /// The response answers a pause or a terminate, which may be sent while all requests are open.
        static let isExtra = Flags(rawValue: 1)
        /// The client has certainly read the response.
        static let isProven = Flags(rawValue: 2)
        static let usesStreamPrefix = Flags(rawValue: 4)
        static let isReported = Flags(rawValue: 8)
    }

    private var entries: [Entry] = []

    /// An empty cache.
    package init() {}

    /// The number of responses kept.
    package var count: Int { entries.count }

    /// The approximate bytes of all responses kept.
    package var byteCount: Int { byteCount(beyond: 0) }

    /// The highest rid whose response is kept.
    package var newest: RequestID? { entries.last?.rid }

    /// Keeps a response.
    ///
    /// - Parameters: `stream`, to which the payload belongs; `isExtra`, whether it answers a pause or a terminate.
    package mutating func store(
        _ response: BodyResponse, for rid: RequestID, stream: StreamNumber, isExtra: Bool, now: MonotonicInstant
    ) {
        let ahead = response.ack.map { $0.distance(from: rid) } ?? 0
        let ackAhead = UInt8(exactly: ahead)
        var flags: Flags = []
        if isExtra { flags.insert(.isExtra) }
        if response.usesStreamPrefix { flags.insert(.usesStreamPrefix) }
        let entry = Entry(
            rid: rid, sentAt: Self.milliseconds(now), stream: stream, ackAhead: ackAhead ?? 0, flags: flags,
            content: Self.content(of: response, ackFits: ackAhead != nil))
        // A response given out of order (`P-13`) is inserted by its rid, so the oldest is always first.
        var index = entries.endIndex
        while index > 0, rid < entries[index - 1].rid { index -= 1 }
        // Few responses stay for hours, so the array has no spare room.
        if entries.count == entries.capacity { entries.reserveCapacity(entries.count + 1) }
        entries.insert(entry, at: index)
    }

    private static func content(of response: BodyResponse, ackFits: Bool) -> Content {
        let isPlain = response.kind == .plain && response.opening == nil && !response.isMarked
        guard isPlain, ackFits else { return .whole(response) }
        return response.payload.isEmpty ? .none : .payload(response.payload)
    }

    /// Drops the oldest responses while more than `limit` answer ordinary requests, or while they are more than `least`
    /// and take more than `bytes`.
    ///
    /// A pause or a terminate may be sent while all requests are open (`P-07`), so its response does not take another
    /// one's place (`R-06`).
    package mutating func trim(to limit: Int, bytes: Int, least: Int) {
        while ordinaryCount > limit || (ordinaryCount > least && byteCount > bytes) || entries.count > limit + 1 {
            removeOldest()
        }
    }

    /// Drops the oldest responses while more than `limit` answer ordinary requests, or while those before the last
    /// `least` take more than `spareBytes`.
    package mutating func trim(to limit: Int, spareBytes: Int, least: Int) {
        trim(to: limit, bytes: .max, least: least)
        while ordinaryCount > least, byteCount(beyond: least) > spareBytes { removeOldest() }
    }

    /// The bytes that `evict` can give back: those of the oldest responses, until `least` to ordinary requests are
    /// left.
    package func spareByteCount(least: Int) -> Int {
        guard entries.count > least else { return 0 }
        var excess = ordinaryCount - least
        var bytes = 0
        var index = 0
        while excess > 0, index < entries.count {
            bytes += 24 + entries[index].content.byteCount
            if !entries[index].flags.contains(.isExtra) { excess -= 1 }
            index += 1
        }
        return bytes
    }

    /// The bytes of the responses before the last `least`.
    private func byteCount(beyond least: Int) -> Int {
        var bytes = 0
        for index in 0..<max(entries.count - least, 0) { bytes += 24 + entries[index].content.byteCount }
        return bytes
    }

    /// Drops the oldest response, unless only `least` to ordinary requests are left; returns whether it did.
    package mutating func evict(least: Int) -> Bool {
        guard ordinaryCount > least else { return false }
        removeOldest()
        return true
    }

    /// The response to `rid`; nil when it was never given or is no longer kept.
    package func response(to rid: RequestID) -> BodyResponse? {
        guard let index = index(of: rid) else { return nil }
        let entry = entries[index]
        if case .whole(let response) = entry.content { return response }
        var response = BodyResponse(
            payload: entry.content.payload, usesStreamPrefix: entry.flags.contains(.usesStreamPrefix))
        if entry.ackAhead > 0 { response.ack = RequestID(rid.value + UInt64(entry.ackAhead)) }
        return response
    }

    /// Whether a response to `rid` is kept.
    package func contains(_ rid: RequestID) -> Bool {
        index(of: rid) != nil
    }

    /// Notes that the response to `rid` was sent again.
    package mutating func noteReplay(of rid: RequestID, now: MonotonicInstant) {
        guard let index = index(of: rid) else { return }
        entries[index].sentAt = Self.milliseconds(now)
    }

    /// Whether to tell the client that the response to `rid` was sent and may be lost. False when none is kept, when it
    /// was sent less than a second ago and may be on its way, and when the client was told once: if the client ignores
    /// reports, each of its requests would be answered at once for ever.
    package func mayReport(_ rid: RequestID, now: MonotonicInstant) -> Bool {
        guard let index = index(of: rid) else { return false }
        return !entries[index].flags.contains(.isReported) && age(at: index, now: now) >= .seconds(1)
    }

    /// Marks the response to `rid` as reported and returns how long ago it was sent; nil when none is kept.
    package mutating func report(_ rid: RequestID, now: MonotonicInstant) -> Duration? {
        guard let index = index(of: rid) else { return nil }
        entries[index].flags.insert(.isReported)
        return age(at: index, now: now)
    }

    /// Notes what a new request proves about the responses to lower rids (`T-12` a).
    package mutating func noteRequest(_ rid: RequestID, proof: ReceiptProof) {
        // A proof that covers no ordinary response covers none at all.
        guard proof.isProven(isExtra: false) else { return }
        for index in entries.indices where entries[index].rid < rid {
            if proof.isProven(isExtra: entries[index].flags.contains(.isExtra)) {
                entries[index].flags.insert(.isProven)
            }
        }
    }

    /// Notes that the client has all responses up to `rid` (`A-05`). Those to the last `least` ordinary requests are
    /// kept all the same, because an intermediary may repeat a request whose answer the client has had for long.
    package mutating func acknowledge(upTo rid: RequestID, least: Int) {
        for index in entries.indices where entries[index].rid <= rid { entries[index].flags.insert(.isProven) }
        while !entries.isEmpty, entries[0].rid <= rid, ordinaryCount > least { removeOldest() }
    }

    /// The payload of one stream that the client may not have read and could still ask for, in order.
    package func unfetchedPayload(of stream: StreamNumber) -> [UInt8] {
        var bytes: [UInt8] = []
        // Features and stream errors cannot be returned.
        for entry in entries
        where entry.stream == stream && entry.flags.isDisjoint(with: [.isProven, .usesStreamPrefix]) {
            bytes.append(contentsOf: entry.content.payload)
        }
        return bytes
    }

    private var ordinaryCount: Int {
        var count = 0
        for index in entries.indices where !entries[index].flags.contains(.isExtra) { count += 1 }
        return count
    }

    private mutating func removeOldest() {
        guard !entries.isEmpty else { return }
        entries.removeFirst()
    }

    private func age(at index: Int, now: MonotonicInstant) -> Duration {
        .milliseconds(Int64(Self.milliseconds(now) &- entries[index].sentAt))
    }

    private static func milliseconds(_ instant: MonotonicInstant) -> UInt32 {
        UInt32(truncatingIfNeeded: instant.nanoseconds / 1_000_000)
    }

    /// The index of the response to `rid`. Loops by position, because an iterator would copy each entry.
    private func index(of rid: RequestID) -> Int? {
        for index in entries.indices where entries[index].rid == rid { return index }
        return nil
    }
}
