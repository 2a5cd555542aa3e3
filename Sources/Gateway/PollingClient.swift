import Addresses
import BOSHCore
import PollingCore
import Primitives
import XMLCodec

/// A session over HTTP polling and what the worker keeps with it. A class, so that the session is changed in place.
final class PollingClient {
    /// What is counted for the line in the log.
    struct Traffic {
        var repeats: UInt32 = 0
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
    }

    let token: Token
    /// The session's identifier; a client gets it in another spelling than that of BOSH.
    let id: SessionID
    /// The client that began it: the one that a trusted proxy names, or the other end.
    let requester: Requester
    /// The account, among the client addresses, of the client that began the session.
    let account: AddressLedger.Account
    var record: SessionRecord
    var session: PollingSession
    /// The client's stream.
    var xml = ClientStreamXML()
    /// The stream to the server; nil when there is none.
    var link: Token?
    /// How many bytes the worker's memory account has for this session, by purpose.
    var chargedRequests: UInt32 = 0
    var chargedStanzas: UInt32 = 0
    var chargedReplays: UInt32 = 0
    var traffic = Traffic()
    /// Whether the session is forgotten, and nothing reaches it.
    var isGone = false

    init(
        token: Token, id: SessionID, requester: Requester, account: AddressLedger.Account, session: PollingSession,
        now: MonotonicInstant
    ) {
        self.token = token
        self.id = id
        self.requester = requester
        self.account = account
        record = SessionRecord(now: now)
        self.session = session
    }

    /// Asks the session something in place: a getter called on `session` itself would first copy it.
    func ask<Answer>(_ question: (inout PollingSession) -> Answer) -> Answer { question(&session) }

    /// How many bytes the memory account has for this session in total.
    var charged: Int { Int(chargedRequests) + Int(chargedStanzas) + Int(chargedReplays) }

    /// The bytes that the session holds: of its client's elements, of what waits for it, and of its last answer.
    var heldBytes: (requests: Int, stanzas: Int, replays: Int) {
        guard !isGone else { return (0, 0, 0) }
        let held = ask { $0.heldBytes }
        return (xml.heldBytes + held.elements, held.stanzas, held.kept)
    }
}

extension SessionID {
    /// Reads an identifier as a client over HTTP polling sends it; nil for a text that is none. XEP-0025 allows letters,
    /// digits, hyphens and colons (`Q-11`).
    init?(polling identifier: [UInt8]) {
        let hyphen = UInt8(ascii: "-")
        guard identifier.count <= 64, identifier.count(where: { $0 == hyphen }) == 2 else { return nil }
        let text = identifier.map { $0 == hyphen ? UInt8(ascii: ".") : $0 }
        guard let id = SessionID(parsing: text.span) else { return nil }
        self = id
    }

    /// Reads the identifier at the beginning of a body of HTTP polling; nil when there is none.
    init?(pollingIn body: Span<UInt8>) {
        guard let head = PollingHead(of: body) else { return nil }
        self.init(polling: head.identifier)
    }

    /// The identifier as a client over HTTP polling gets it: `<node>-<worker>-<128 random bits in hex>`.
    var pollingText: String { "\(node)-\(worker)-\(high.sixteenDigits)\(low.sixteenDigits)" }
}
