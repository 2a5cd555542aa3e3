import Addresses
import BOSHCore
import Bridge
import Primitives

/// A session and what the worker keeps with it. A class, so that the session is changed in place.
final class SessionDriver {
    /// One of the session's streams: its number and the link that carries it.
    private struct Stream {
        let link: Token
        let number: StreamNumber
    }

    // The order of the fields leaves few gaps, because the size of an idle session matters most.
    let slot: UInt32
    /// The account, among the client addresses, of the client that began the session.
    let account: AddressLedger.Account
    /// The client that began the session.
    let client: ClientAddress
    var record: SessionRecord
    /// Whether the creation is answered with 503, because no server could be reached or this side lacked a resource. The
    /// client is to try again.
    var isTurnedAway = false
    /// Whether the client began it over https, so that no request of it may come over http.
    let isSecure: Bool
    var session: Session
    /// The upstream streams that neither side has ended; few sessions have several.
    private var streams = ShortList<Stream>()
    /// How many bytes the worker's memory account has for this session, by purpose.
    var chargedRequests: UInt32 = 0
    var chargedStanzas: UInt32 = 0
    var chargedReplays: UInt32 = 0

    /// How many bytes the account has for this session in total.
    var charged: Int { Int(chargedRequests) + Int(chargedStanzas) + Int(chargedReplays) }

    init(
        slot: UInt32, account: AddressLedger.Account, client: ClientAddress, isSecure: Bool,
        session: consuming Session, now: MonotonicInstant
    ) {
        self.isSecure = isSecure
        self.slot = slot
        self.account = account
        self.client = client
        record = SessionRecord(now: now)
        self.session = session
    }

    /// Asks the session something in place. A getter called on `session` itself would first copy it and retain every
    /// list in it.
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

    /// Removes all links, and passes each to `take`.
    func takeLinks(_ take: (Token) -> Void) {
        for stream in streams { take(stream.link) }
        streams.removeAll()
    }
}
