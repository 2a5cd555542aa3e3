import Addresses
import BOSHCore
import Bridge

/// A session and what the worker keeps beside it. A class, so that a session is changed where it stands.
final class SessionDriver {
    let slot: UInt32
    /// Where the client that began the session stands among the client addresses.
    let account: AddressLedger.Account
    var session: Session
    /// The upstream stream, until either side has ended it.
    private var first: UpstreamLink?
    /// The others, in the few sessions that have several.
    private var more: [UpstreamLink] = []
    /// Whether its creation is answered with 503, since it met a want of our own: the client is to try again.
    var isTurnedAway = false
    /// What the worker's account has of it, by what it is for.
    var chargedRequests: UInt32 = 0
    var chargedStanzas: UInt32 = 0
    var chargedReplays: UInt32 = 0

    /// All that the account has of it.
    var charged: Int { Int(chargedRequests) + Int(chargedStanzas) + Int(chargedReplays) }

    init(slot: UInt32, account: AddressLedger.Account, session: consuming Session) {
        self.slot = slot
        self.account = account
        self.session = session
    }

    /// Asks the session something where it stands. A getter called on `session` itself would copy it first, and every list in
    /// it would be retained.
    func ask<Answer>(_ question: (inout Session) -> Answer) -> Answer { question(&session) }

    /// The link of one stream; nil once either side has ended it.
    func link(_ stream: StreamNumber) -> UpstreamLink? {
        if let first, first.stream == stream { return first }
        return more.first { $0.stream == stream }
    }

    func add(_ link: UpstreamLink) {
        if first == nil { first = link } else { more.append(link) }
    }

    func remove(_ link: UpstreamLink) {
        if first === link { first = nil } else { more.removeAll { $0 === link } }
    }

    /// Lets go of all links and gives them away.
    func takeLinks() -> [UpstreamLink] {
        defer {
            first = nil
            more = []
        }
        return more + (first.map { [$0] } ?? [])
    }
}
