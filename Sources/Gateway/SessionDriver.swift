import Addresses
import BOSHCore
import Bridge
import Primitives

/// A session and what the worker keeps beside it. A class, so that a session is changed where it stands.
final class SessionDriver {
    /// One of the session's streams: which, and the link that carries it.
    private struct Stream {
        let link: Token
        let number: StreamNumber
    }

    let slot: UInt32
    /// Where the client that began the session stands among the client addresses.
    let account: AddressLedger.Account
    var session: Session
    /// The upstream streams that neither side has ended; few sessions have several.
    private var streams = ShortList<Stream>()
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
    func link(_ number: StreamNumber) -> Token? {
        streams.first { $0.number == number }?.link
    }

    func add(_ link: Token, _ number: StreamNumber) {
        streams.append(Stream(link: link, number: number))
    }

    func remove(_ link: Token) {
        streams.removeFirst { $0.link == link }
    }

    /// Lets go of all links, and tells which they were.
    func takeLinks(_ take: (Token) -> Void) {
        for stream in streams { take(stream.link) }
        streams.removeAll()
    }
}
