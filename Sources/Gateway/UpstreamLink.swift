import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import StreamCore
import XMLCodec

/// A session's connection to its XMPP server: one TCP connection with one stream on it. It can outlive its session for
/// as long as a farewell takes.
final class UpstreamLink {
    let token: Token
    /// The session's name in the log, short enough to be stored inside the string itself.
    let sessionName: String
    let site: UpstreamSite
    /// The served domain, as the operator wrote it.
    let domain: String
    /// `xml:lang` of the request that asked for the stream, if any.
    let language: String?
    /// Makes all decisions about the link, from the look-up to the farewell.
    var machine: UpstreamMachine
    /// What the link needs until its stream is open; nil from then on.
    var search: LinkSearch?
    /// The connection; nil until one of the attempts has succeeded.
    var channel: Channel?
    var xml: UpstreamXML
    /// What was read and not handled yet; nil when there is nothing, which is nearly always.
    var backlog: LinkBacklog?
    /// The number of the session's stream that the link carries.
    let stream: StreamNumber
    /// The session's place; nil once the session has ended.
    var session: SessionPlace?
    /// How far behind the server is, as the session was last told.
    var congestion = Congestion.none
    var isDirty = false
    /// Whether the link is in the list of those that go on with their backlog.
    var isWaiting = false
    var isClosed = false
    /// Whether writing failed. The server reads no more, but what it wrote may still be there.
    var isDeaf = false
    /// Whether the stream is counted as open.
    var isCounted = false
    /// Where the numbers of its server are.
    var server = ServerRecords.Place.none
    /// How many connections were given up for the next target. It tells results of an earlier connection from those of
    /// this one.
    var connectionCount: UInt8 = 0
    /// The place of the connection in the count for its server.
    var place = EndpointCounts.Place.uncounted
    /// How many bytes the worker's memory account has for this link.
    var charged: UInt32 = 0

    init(
        token: Token, session: SessionPlace, name: String, stream: StreamNumber, site: UpstreamSite,
        request: StreamRequest, search: LinkSearch, now: MonotonicInstant
    ) {
        self.token = token
        self.session = session
        sessionName = name
        self.stream = stream
        self.site = site
        domain = request.domain
        language = request.language
        machine = UpstreamMachine(by: site.rules, now: now)
        self.search = search
        xml = UpstreamXML()
    }

    /// Asks the machine something in place: a getter called on `machine` itself would first copy it.
    func ask<Answer>(_ question: (inout UpstreamMachine) -> Answer) -> Answer { question(&machine) }

    /// Whether the client side has to know where each stanza begins.
    var needsBorders: Bool { session?.side == .webSocket }

    var hasUnwritten: Bool { channel?.hasUnwritten ?? false }
    var unwrittenCount: Int { channel?.unwrittenCount ?? 0 }

    /// How many of the unwritten bytes the server itself has caused.
    var unwrittenReplies: Int { Int(channel?.unwrittenReplies ?? 0) }

    /// Whether the link may go on with what it has read.
    var mayGoOn: Bool { ask { $0.mayGoOn(isReadingElement: xml.isReadingOn) } }

    /// Whether all `count` bytes that were read are handled.
    func isDone(with rest: UnhandledBytes, of count: Int) -> Bool {
        rest.offset >= count && rest.isExpanded && !xml.isReadingOn
    }

    /// How many bytes the link holds for its stream, incoming and outgoing.
    var heldBytes: Int {
        let unread = backlog.map { $0.bytes.heldBytes + $0.rest.expanded.heldBytes } ?? 0
        return xml.heldBytes + unread + (channel?.heldBytes ?? 0)
    }
}
