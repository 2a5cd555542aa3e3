import Addresses
import BOSHCore
import Bridge
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// Executes what sessions want of their streams, and what the machines of the streams decide.
extension Upstreams {
    /// The data that a requested stream begins with.
    func search(_ request: StreamRequest, at site: UpstreamSite, for client: Endpoint?) -> LinkSearch {
        let asked = request.route.flatMap { UpstreamAddress($0) }.map { site.route(over: $0) }
        return LinkSearch(route: asked ?? site.route(to: request.domain), account: request.account, client: client)
    }

    /// Starts to connect a new link.
    func begin(_ link: UpstreamLink) {
        let route = link.search?.route
        // Additional streams take descriptors too, and the loop needs some in reserve. For the first stream this was
        // checked when the session was made.
        if route != nil, link.stream != .first, !loop.hasDescriptorsToSpare {
            handle(.beginRefused, on: link)
        } else {
            handle(.begin(domain: link.domain, route: route, seed: loop.freshBits()), on: link)
        }
    }

    /// Executes a command of the session on a stream.
    func execute(_ command: UpstreamCommand, on link: UpstreamLink) {
        switch command {
        // A link is created together with its stream.
        case .open: break
        case .forward(let bytes):
            // Stanzas that come while nothing may be sent are a client's last words before it has a resource. No server
            // accepts those.
            if link.ask({ $0.takesStanzas }) { send(bytes, on: link) }
        case .restart: handle(.restart, on: link)
        case .pauseReading: setReading(false, on: link)
        case .resumeReading: setReading(true, on: link)
        case .returnUnfetched(let bytes): returnUnfetched(bytes, on: link)
        case .leave(let farewell): leave(link, farewell)
        }
    }

    /// Tells the session about one of its streams; does nothing once the session is over.
    func tell(_ event: consuming UpstreamEvent, of link: UpstreamLink) {
        if let session = link.session { sessions.receive(event, on: link.stream, session: session) }
    }

    // MARK: What the machine says

    /// Executes an effect of a stream's machine. Returns the input that results at once, if any.
    func execute(_ effect: UpstreamEffect, on link: UpstreamLink) -> UpstreamInput? {
        switch effect {
        case .lookUpServices(let kind, let domain): return lookUp(kind, of: domain, for: link)
        case .lookUpAddresses(let host): return lookUp(host, for: link)
        case .doubt(let name): return doubt(name)
        case .connect(let attempt, let address, let port): return connect(attempt, to: address, port: port, for: link)
        case .abandon(let attempt): abandon(attempt, of: link)
        case .adopt(let attempt): adopt(attempt, on: link)
        case .dropConnection:
            endConnection(of: link)
            setCongestion(.none, on: link)
            return .dropped

        case .sendHeader(let namesClient):
            var bytes: [UInt8] = []
            let account = namesClient ? link.search?.account?.bytes : nil
            StreamHeaderWriter.append(to: link.domain, from: account, language: link.language, into: &bytes)
            send(bytes, on: link)
        case .sendStartTLS: send(StreamHeaderWriter.startTLS, on: link)
        case .sendCompress: send(StreamHeaderWriter.compress, on: link)
        case .sendSpace: send([0x20], on: link)
        case .sendStreamEnd: send(StreamHeaderWriter.streamEnd, on: link)
        case .beginTLS(let isDirect): return beginTLS(on: link, isDirect: isDirect)
        case .beginCompression:
            guard let compression = StreamCompression() else { return .compressionBroken(words: "no memory") }
            link.channel?.begin(compression)
        case .resetParser: link.xml.reset()
        case .flush: flush(link)

        case .deliver(let bytes, let management, let login): deliver(bytes, management, login, of: link)
        case .giveBack(let bytes):
            collect { collected in
                collected.add(needsBorder: false) { $0.append(contentsOf: bytes) }
                collected.turnBack()
            }
        case .skipped(let stanza, let fate): skipped(stanza, fate, on: link)
        case .opened(let header, let features, let time):
            deliverCollected(of: link)
            opened(link, header, features: features, after: time)
        case .restarted(let features):
            deliverCollected(of: link)
            tell(.restarted(features: features), of: link)
        case .ended(let failure):
            deliverCollected(of: link)
            ended(link, failure)

        case .count(let failure): count(failure, of: link)
        case .note(let trouble, let subject, let isRepeated):
            note(trouble, subject, isRepeated: isRepeated, of: link)
        case .advise(let advice, let server): advise(advice, about: server, of: link)
        case .breakerChanged(let server, let change): note(change, of: server)
        case .close: close(link)
        }
        return nil
    }

    private func deliver(
        _ bytes: [UInt8], _ management: StreamManagement, _ login: LoginSign, of link: UpstreamLink
    ) {
        collect { collected in
            collected.add(needsBorder: link.needsBorders, management: management) { $0.append(contentsOf: bytes) }
        }
        switch login {
        case .none: break
        case .success: tell(.loggedIn, of: link)
        case .registration: tell(.registrationOffered, of: link)
        case .failure(let failure): if let session = link.session { sessions.noteLoginFailure(failure, of: session) }
        }
    }

    /// Notes that the stream belongs to the client now, and drops what was only needed until then.
    private func opened(_ link: UpstreamLink, _ header: StreamHeader, features: [UInt8], after time: Duration) {
        link.search = nil
        link.isCounted = true
        link.site.health.openTime.record(time)
        link.site.health.opened &+= 1
        link.site.health.openNow += 1
        noteServer(of: link, id: header.id)
        noteAnswer(of: link)
        countServer(of: link) { server in
            server.opened &+= 1
            server.openNow += 1
        }
        let version = header.version.map { ProtocolVersion(major: $0.major, minor: $0.minor) }
        tell(.opened(StreamIdentity(id: header.id, version: version), features: features), of: link)
    }

    private func beginTLS(on link: UpstreamLink, isDirect: Bool) -> UpstreamInput? {
        guard let context = link.site.tls else { return nil }
        do throws(TLSError) {
            let tls = try TLSClient(context: context, domain: link.domain, alpn: isDirect ? "xmpp-client" : nil)
            try link.channel?.begin(tls, pool: &loop.pool)
            link.search?.handshakeSince = loop.now
            markDirty(link)
            return nil
        } catch {
            return .tlsFailed(ProtectionFault(error), words: error.description)
        }
    }

    // MARK: The end

    /// The session is over: ends the stream in order, or drops the connection so that the server keeps what can be
    /// resumed.
    private func leave(_ link: UpstreamLink, _ farewell: StreamFarewell) {
        let hasUnread = (link.channel?.unreadCount ?? 0) > 0
        handle(.leave(drops: farewell == .drop, hasUnread: hasUnread), on: link)
        guard !link.isClosed else { return }
        // If the client had stopped fetching, what the server sent meanwhile is still read, up to its end of the
        // stream.
        letGoOn(link)
        updateInterest(of: link)
    }

    private func close(_ link: UpstreamLink) {
        guard !link.isClosed else { return }
        link.isClosed = true
        abandonSearch(of: link)
        endConnection(of: link)
        if link.isCounted {
            link.site.health.openNow -= 1
            countServer(of: link) { $0.openNow -= 1 }
        }
        if let session = link.session { sessions.forget(link.token, session: session) }
        forget(link)
    }

    /// Handles a deadline of a link that may have passed.
    func handleDeadline(of link: UpstreamLink) {
        let unacknowledged = link.machine.awaitsAcceptance ? link.channel?.unacknowledgedCount : nil
        handle(.deadlineReached(unacknowledged: unacknowledged, hasUnwritten: link.hasUnwritten), on: link)
    }
}
