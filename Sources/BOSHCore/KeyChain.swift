import Bridge

/// A client's key sequence: each request shows the original of the hash that the request before it carried, so an
/// eavesdropper on earlier requests cannot send the next (XEP-0124 §15).
///
/// The caller computes the hash; this type has the rules of what is compared when.
struct KeyChain: Sendable, Equatable {
    private struct Used: Sendable, Equatable {
        let rid: RequestID
        let key: PeerText
    }

    /// The hash that the next key must have, as the client wrote it.
    private var expected: PeerText
    /// The keys of requests whose responses may be asked for again (`K-06`).
    private var used: [Used] = []

    /// A chain that begins with `newkey`.
    init(newkey: PeerText) {
        expected = newkey
    }

    /// Checks the next request in rid order and moves on; false when its key is missing or wrong (`K-03`, `K-04`).
    /// A `newkey` beside a right key begins the next chain (`K-05`).
    /// `newkey` beside a right key begins the next chain (`K-05`).
    mutating func accept(_ rid: RequestID, key: PeerText?, digest: PeerText?, newkey: PeerText?, kept: Int) -> Bool {
        guard let key, isNext(key, digest: digest), Self.isBounded(newkey) else { return false }
        expected = newkey ?? key
        used.append(Used(rid: rid, key: key))
        if used.count > kept { used.removeFirst(used.count - kept) }
        return true
    }

    /// Whether this is the key that the next request must have.
    func isNext(_ key: PeerText?, digest: PeerText?) -> Bool {
        guard let key, let digest, Self.isBounded(key) else { return false }
        return Self.isSame(digest, expected)
    }

    /// Whether a repeat carries the same key as its rid did the first time. A rid from before the chain had none.
    func isRepeat(_ rid: RequestID, key: PeerText?) -> Bool {
        guard let first = used.first(where: { $0.rid == rid }) else {
            return used.first.map { rid < $0.rid } ?? true
        }
        return Self.isSame(key, first.key)
    }

    /// Whether two requests carry the same key, or none.
    static func isSame(_ left: PeerText?, _ right: PeerText?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return isSame(left, right)
    }

    /// Whether a key is short enough to keep. Keys have forty digits; somewhat longer ones are let through.
    static func isBounded(_ key: PeerText?) -> Bool {
        key.map { !$0.isTooLong && $0.count <= AttributeBound.key } ?? true
    }

    /// Hexadecimal digits are compared without case (`K-02`).
    static func isSame(_ left: PeerText, _ right: PeerText) -> Bool {
        !left.isTooLong && left.isSame(right)
    }
}
