import TLSCodec

/// The keys of a client: each is the hash of the one that follows it (XEP-0124 §15.3).
struct KeySequence {
    private let length: Int
    private var chance: Chance
    /// The last one is the hash that was sent as `newkey`.
    private var keys: [String] = []

    init(length: Int, seed: UInt64) {
        self.length = length
        chance = Chance(seed: seed)
    }

    /// The attribute of a request that begins a sequence.
    mutating func begin() -> String {
        keys = [String(chance.next(), radix: 16)]
        for _ in 0..<length { keys.append(Digest.sha1(of: Array((keys.last ?? "").utf8))) }
        return " newkey='\(keys.removeLast())'"
    }

    /// The attributes of the next request; the last key of a sequence comes with the beginning of another one.
    mutating func next() -> String {
        let key = keys.removeLast()
        // The first one is the seed, which stays secret.
        return " key='\(key)'" + (keys.count == 1 ? begin() : "")
    }
}
