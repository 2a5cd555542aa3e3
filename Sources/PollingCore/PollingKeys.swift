import Bridge
import Primitives

/// The chain of keys of one session (XEP-0025 "Usage" 5 and 6, `Q-16` to `Q-20`).
///
/// Each key is the text whose hash is the key before it, so nobody who has read a key can make the next one. The hashes
/// are made outside and come as values.
struct PollingKeys: Sendable, Equatable {
    /// What the hash of the next key has to equal; nil for a session that began without a key, which ignores them
    /// (`Q-19`).
    private var last: PeerText?
    /// How many keys in a row were wrong.
    private var wrong: UInt8 = 0
    /// When the last wrong key was looked at.
    private var wrongAt = MonotonicInstant(nanoseconds: 0)

    /// The keys of a session that begins with this one.
    init(first: PeerText?) { last = first }

    /// Whether requests need a key.
    var areUsed: Bool { last != nil }

    /// Whether a key is looked at now: after ten wrong ones in a row, one a second (`Q-13`).
    func areLookedAt(now: MonotonicInstant) -> Bool {
        wrong < Self.mostWrong || now.elapsed(since: wrongAt) >= .seconds(1)
    }

    /// Takes the key of a request, unless it is wrong.
    ///
    /// - Parameters:
    ///   - digest: base64 of the SHA-1 of the key's text; nil when there is no key.
    ///   - newKey: the first key of the next chain, if the request has one.
    /// - Returns: whether the request is to be processed.
    mutating func accept(_ key: PeerText?, digest: PeerText?, newKey: PeerText?, now: MonotonicInstant) -> Bool {
        guard let last else { return true }
        guard areLookedAt(now: now) else { return false }
        guard let key, let digest, digest == last else {
            wrong = min(wrong + 1, Self.mostWrong)
            wrongAt = now
            return false
        }
        wrong = 0
        self.last = newKey ?? key
        return true
    }

    private static let mostWrong: UInt8 = 10
}

/// What tells the body of a request from another one: its length and a sum over its bytes.
///
/// Whoever could make two bodies alike knows the session's identifier and the request's key, and gains nothing by it
/// but the answer that it could have asked for.
package struct BodyMark: Sendable, Equatable {
    private let count: Int
    private let sum: UInt64

    /// The mark of a whole body, with its head (FNV-1a).
    package init(_ body: Span<UInt8>) {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<body.count { sum = (sum ^ UInt64(body[index])) &* 0x100_0000_01B3 }
        count = body.count
        self.sum = sum
    }
}
