import Addresses
import BOSHCore
import Bridge
import Deflate
import Primitives
import Reactor
import StreamCore
import TLSCodec
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
    var socket: StreamSocket?
    var tls: TLSClient?
    /// What compresses the stream; nil when nothing does.
    var compression: StreamCompression?
    var xml: UpstreamXML
    /// What was read and not handled yet; nil when there is nothing, as nearly always.
    var backlog: LinkBacklog?
    /// Bytes on their way out, from `written` on; ciphertext when there is TLS.
    var output: [UInt8] = []
    var written = 0
    /// Which of the session's streams it carries.
    let stream: StreamNumber
    /// The session's slot; nil once the session has ended.
    var session: UInt32?
    var isTLSEstablished = false
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
    /// How many of the unwritten bytes may be answers to the server: those that TLS made by itself, and errors for what was
    /// skipped.
    var unwrittenReplies: UInt32 = 0

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

    var hasUnwritten: Bool { written < output.count }
    var unwrittenCount: Int { output.count - written }

    /// Whether it may go on with what it has read: its client fetches what is there, or an element has begun to be read,
    /// for which others may be waiting.
    var mayGoOn: Bool { ask { $0.isRead } || xml.isReadingOn }

    /// Whether nothing is left to do about bytes that were read, `count` of them.
    func isDone(with rest: UnhandledBytes, of count: Int) -> Bool {
        rest.offset >= count && rest.isExpanded && !xml.isReadingOn
    }

    /// How many bytes it holds for its stream: what has come and what is to go.
    var heldBytes: Int {
        xml.heldBytes + output.heldBytes + (backlog.map { $0.bytes.heldBytes + $0.rest.expanded.heldBytes } ?? 0)
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

/// Both directions of a compressed stream (XEP-0138).
final class StreamCompression {
    var deflater: StreamDeflater
    var inflater: StreamInflater

    /// Nil when there is no memory.
    init?() {
        guard let deflater = StreamDeflater(), let inflater = StreamInflater() else { return nil }
        self.deflater = deflater
        self.inflater = inflater
    }
}
