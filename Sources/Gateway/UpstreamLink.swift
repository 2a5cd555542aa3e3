import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import StreamCore
import XMLCodec

/// A session's way to its XMPP server: one TCP connection with one stream on it. It can outlive its session by the time
/// that a farewell takes.
final class UpstreamLink {
    let token: Token
    /// The session's name in the log: short enough to stay inside the string.
    let sessionName: String
    let site: UpstreamSite
    /// The served domain, as the operator wrote it.
    let domain: String
    /// `xml:lang` of the request that asked for the stream, if any.
    let language: String?
    /// What decides about it, from the name to the farewell.
    var machine: UpstreamMachine
    /// What there is to work with until the stream is open; nil from then on.
    var search: LinkSearch?
    /// The connection; nil until one of those that were tried stands.
    var channel: Channel?
    var xml: UpstreamXML
    /// What was read and not handled yet; nil when there is nothing, as nearly always.
    var backlog: LinkBacklog?
    /// Which of the session's streams it carries.
    let stream: StreamNumber
    /// The session's slot; nil once the session has ended.
    var session: UInt32?
    /// How far behind the server is, as the session was told.
    var congestion = Congestion.none
    var isDirty = false
    /// Whether it stands among those that go on with their backlog.
    var isWaiting = false
    var isClosed = false
    /// Whether writing failed: the server reads no more, what it wrote may still be there.
    var isDeaf = false
    /// Whether the stream counts among those that are open.
    var isCounted = false
    /// How many connections were given up for the next target's: what comes of an earlier one is not this one's.
    var connectionCount: UInt8 = 0
    /// Where its connection is counted.
    var place = EndpointCounts.Place.uncounted
    /// What the worker's account has of it.
    var charged: UInt32 = 0

    init(
        token: Token, session: UInt32, sid: SessionID, stream: StreamNumber, site: UpstreamSite,
        request: StreamRequest, search: LinkSearch, now: MonotonicInstant
    ) {
        self.token = token
        self.session = session
        sessionName = sid.short
        self.stream = stream
        self.site = site
        domain = request.domain
        language = request.language
        machine = UpstreamMachine(by: site.rules, now: now)
        self.search = search
        xml = UpstreamXML()
    }

    /// Asks the machine something where it stands: a getter called on `machine` itself would copy it first.
    func ask<Answer>(_ question: (inout UpstreamMachine) -> Answer) -> Answer { question(&machine) }

    var hasUnwritten: Bool { channel?.hasUnwritten ?? false }
    var unwrittenCount: Int { channel?.unwrittenCount ?? 0 }

    /// How many of the unwritten bytes the server itself has caused.
    var unwrittenReplies: Int { Int(channel?.unwrittenReplies ?? 0) }

    /// Whether it may go on with what it has read.
    var mayGoOn: Bool { ask { $0.mayGoOn(isReadingElement: xml.isReadingOn) } }

    /// Whether nothing is left to do about bytes that were read, `count` of them.
    func isDone(with rest: UnhandledBytes, of count: Int) -> Bool {
        rest.offset >= count && rest.isExpanded && !xml.isReadingOn
    }

    /// How many bytes it holds for its stream: what has come and what is to go.
    var heldBytes: Int {
        let unread = backlog.map { $0.bytes.heldBytes + $0.rest.expanded.heldBytes } ?? 0
        return xml.heldBytes + unread + (channel?.heldBytes ?? 0)
    }
}

/// Stanzas for the client that came in one turn.
struct CollectedStanzas {
    var bytes: [UInt8] = []
    var count: UInt64 = 0
    /// What they say of the stream's management, all together.
    var management = StreamManagement.none
    /// Whether they are for their senders: the session is over.
    var goesBack = false
}
