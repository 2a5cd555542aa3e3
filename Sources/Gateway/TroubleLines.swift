import Primitives
import StreamCore

/// Which troubles with servers the operator was told of lately. A server that is down causes the same trouble for each
/// client, and one line a minute says it.
struct TroubleLines {
    private struct Key: Hashable {
        let label: UpstreamTrouble.Label
        let about: String
    }

    private struct Entry {
        var toldAt: MonotonicInstant
        var untold: UInt64 = 0
    }

    private var entries: [Key: Entry] = [:]

    /// Counts one trouble with a name, an address or a server.
    ///
    /// - Returns: how many came since the last line, this one included, when another line is due; nil when none is due.
    mutating func note(_ label: UpstreamTrouble.Label, about: String, now: MonotonicInstant) -> UInt64? {
        let key = Key(label: label, about: about)
        if var entry = entries[key] {
            entry.untold &+= 1
            let isDue = now >= entry.toldAt.advanced(by: Self.silence)
            entries[key] = isDue ? Entry(toldAt: now) : entry
            return isDue ? entry.untold : nil
        }
        if entries.count >= Self.most { entries = entries.filter { now < $0.value.toldAt.advanced(by: Self.silence) } }
        // Of further ones each is told: nobody knows how often they came.
        if entries.count < Self.most { entries[key] = Entry(toldAt: now) }
        return 1
    }

    /// How long nothing more is said about the same trouble.
    static let silence = Duration.seconds(60)
    /// How many troubles are remembered.
    static let most = 256
}
