/// What addresses hold in one worker, in one word: connections, sessions, and sessions that have not logged in.
///
/// Each number is at most `most`; larger ones count as that.
package struct AddressTotals: Sendable, Equatable {
    package var connections: Int
    package var sessions: Int
    package var logins: Int

    /// Nothing.
    package static let none = AddressTotals(connections: 0, sessions: 0, logins: 0)
    /// The largest number that a word can tell.
    package static let most = 0xF_FFFF

    /// Numbers of 0 or more.
    package init(connections: Int, sessions: Int, logins: Int) {
        self.connections = connections
        self.sessions = sessions
        self.logins = logins
    }

    /// Reads a word of another process, which may be any.
    package init(word: UInt64) {
        connections = Int(word & UInt64(Self.most))
        sessions = Int(word >> 20 & UInt64(Self.most))
        logins = Int(word >> 40 & UInt64(Self.most))
    }

    /// The numbers as one word.
    package var word: UInt64 {
        func part(_ number: Int) -> UInt64 { UInt64(min(max(number, 0), Self.most)) }
        return part(connections) | part(sessions) << 20 | part(logins) << 40
    }

    /// Adds the numbers of another worker.
    package static func += (left: inout AddressTotals, right: AddressTotals) {
        left.connections += right.connections
        left.sessions += right.sessions
        left.logins += right.logins
    }
}

/// The totals of all addresses of one worker, which the other workers read: each address counts in one of a fixed
/// number of buckets.
///
/// Several addresses can share a bucket. So what an address holds elsewhere may be taken for more, by what the others
/// in its bucket hold there, and never for less.
struct AddressBuckets: Sendable {
    /// How many buckets there are.
    static let count = 16_384

    /// Makes it impossible for strangers to choose addresses of one bucket.
    private let seed: UInt64
    private var words = [UInt64](repeating: 0, count: count)
    private var changed: [Int] = []

    init(seed: UInt64) {
        self.seed = seed
    }

    /// The bucket of an address, equal in all workers with this seed.
    func bucket(of key: AddressKey) -> Int {
        // Multiplying by an odd number and folding mixes all bits of the address into the lowest ones.
        let (high, low) = key.halves
        var mixed = (high ^ seed) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 32 ^ low) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ mixed >> 32 ^ seed) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: (mixed ^ mixed >> 32) & UInt64(Self.count - 1))
    }

    /// Changes the totals of an address.
    mutating func change(_ key: AddressKey, _ body: (inout AddressTotals) -> Void) {
        let bucket = bucket(of: key)
        var totals = AddressTotals(word: words[bucket])
        body(&totals)
        words[bucket] = totals.word
        changed.append(bucket)
    }

    /// Takes a changed bucket and its word; nil when there is none.
    mutating func takeChange() -> (bucket: Int, word: UInt64)? { changed.popLast().map { ($0, words[$0]) } }
}
