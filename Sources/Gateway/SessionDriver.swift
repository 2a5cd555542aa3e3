import Addresses
import BOSHCore
import Bridge

/// A session and what the worker keeps with it. A class, so that the session is changed in place.
final class SessionDriver {
    /// One of the session's streams: its number and the link that carries it.
    private struct Stream {
        let link: Token
        let number: StreamNumber
    }

    // In an order that leaves few gaps: an idle session's size is the product.
    let slot: UInt32
    /// The account, among the client addresses, of the client that began the session.
    let account: AddressLedger.Account
    var session: Session
    /// The first stream, until either side has ended it.
    private var first: Stream?
    /// Whether the creation is answered with 503 because this side lacked a resource; the client is to try again.
    var isTurnedAway = false
    /// How many bytes the worker's memory account has for this session, by purpose.
    var chargedRequests: UInt32 = 0
    /// The further streams of the few sessions that have several.
    private var more: [Stream] = []
    var chargedStanzas: UInt32 = 0
    var chargedReplays: UInt32 = 0

    /// How many bytes the account has for this session in total.
    var charged: Int { Int(chargedRequests) + Int(chargedStanzas) + Int(chargedReplays) }

    init(slot: UInt32, account: AddressLedger.Account, session: consuming Session) {
        self.slot = slot
        self.account = account
        self.session = session
    }

    /// Asks the session something in place. A getter called on `session` itself would first copy it and retain every
    /// list in it.
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

    /// Removes all links, and passes each to `take`.
    func takeLinks(_ take: (Token) -> Void) {
        for stream in more { take(stream.link) }
        if let first { take(first.link) }
        first = nil
        more = []
    }
}
