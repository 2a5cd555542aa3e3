import Primitives
import TLSCodec

/// The keys of a client over HTTP polling: each is the base64 of the SHA-1 of the one that follows it (XEP-0025
/// "Usage").
struct PollingKeyChain {
    private let length: Int
    private var chance: Chance
    /// The first one is the seed, which stays secret.
    private var keys: [String] = []

    /// - Parameter length: how many keys a chain has, at least two.
    init(length: Int, seed: UInt64) {
        self.length = max(length, 2)
        chance = Chance(seed: seed)
    }

    /// Makes another chain.
    ///
    /// - Returns: its first key.
    mutating func begin() -> String {
        keys = [String(chance.next(), radix: 16)]
        for _ in 0..<length { keys.append(Self.hash(of: keys.last ?? "")) }
        return keys.removeLast()
    }

    /// The key of the next request, and with the last key of a chain the first one of another.
    mutating func next() -> (key: String, newKey: String?) {
        let key = keys.removeLast()
        return (key, keys.count == 1 ? begin() : nil)
    }

    private static func hash(of text: String) -> String {
        String(decoding: Base64.encode(Digest.sha1Bytes(of: Array(text.utf8)).span), as: UTF8.self)
    }
}
