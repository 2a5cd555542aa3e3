import Addresses
import BOSHCore
import Bridge

/// A session and what the worker keeps beside it. A class, so that a session is changed where it stands.
final class SessionDriver {
    /// One of the session's streams: which, and the link that carries it.
    private struct Stream {
        let link: Token
        let number: StreamNumber
    }

    // In an order that leaves few gaps: an idle session's size is the product.
    let slot: UInt32
    /// Where the client that began the session stands among the client addresses.
    let account: AddressLedger.Account
    var session: Session
    /// The upstream stream, until either side has ended it.
    private var first: Stream?
    /// Whether its creation is answered with 503, since it met a want of our own: the client is to try again.
    var isTurnedAway = false
    /// What the worker's account has of it, by what it is for.
    var chargedRequests: UInt32 = 0
    /// The streams but the first, in the few sessions that have several.
    private var more: [Stream] = []
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
    func link(_ number: StreamNumber) -> Token? {
        if let first, first.number == number { return first.link }
        return more.first { $0.number == number }?.link
    }

    func add(_ link: Token, _ number: StreamNumber) {
        let stream = Stream(link: link, number: number)
        if first == nil { first = stream } else { more.append(stream) }
    }

    func remove(_ link: Token) {
        if first?.link == link { first = nil } else { more.removeAll { $0.link == link } }
    }

    /// Lets go of all links, and tells which they were.
    func takeLinks(_ take: (Token) -> Void) {
        for stream in more { take(stream.link) }
        if let first { take(first.link) }
        first = nil
        more = []
    }
}
