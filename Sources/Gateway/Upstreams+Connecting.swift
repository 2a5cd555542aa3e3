import Addresses
import BOSHCore
import Primitives
import Reactor
import Settings
import StreamCore
import TLSCodec

/// The way from a domain to a connection: what the plan of a link says is done here, and it is told what came of it.
extension Upstreams {
    /// Starts to look for the server of a link.
    func connect(_ link: UpstreamLink) {
        advance(link, .begin)
    }

    /// Gives the plan of a link an input and does what it says, until it waits for something.
    func advance(_ link: UpstreamLink, _ input: ConnectPlan.Input) {
        var inputs = [input]
        while !inputs.isEmpty, !link.isClosed, let attempt = link.attempt, !attempt.isOver {
            var effects: [ConnectPlan.Effect] = []
            attempt.plan.handle(inputs.removeFirst(), now: loop.planTime, into: &effects)
            // What the stream does once it is connected, or will never be, comes after all that the plan has said.
            var outcome: ConnectPlan.Effect?
            for effect in effects {
                switch effect {
                case .lookUpServices(let kind, let domain):
                    if let answer = lookUp(kind, of: domain, for: link) { inputs.append(answer) }
                case .lookUpAddresses(let target):
                    if let answer = lookUp(target, for: link, attempt) { inputs.append(answer) }
                case .connect(let number, let address):
                    if let answer = connect(to: address, as: number, for: link, attempt) { inputs.append(answer) }
                case .abandon(let number):
                    attempt.races.first { $0.attempt == number }.map(abandon)
                case .won, .exhausted:
                    outcome = effect
                }
            }
            switch outcome {
            case .won(let number, let target)?:
                adopt(number, to: target, on: link, attempt)
            case .exhausted(let reason)?:
                settle(attempt, attempt.verdict)
                doubtServices(of: link, attempt)
                if beginsAgain(attempt) {
                    inputs.append(.begin)
                    continue
                }
                attempt.isOver = true
                handle(
                    .connectFailed(attempt.failure ?? (attempt.isShort || attempt.isPostponed ? .shortage : reason)),
                    on: link)
            default:
                break
            }
        }
        if let wake = link.attempt?.plan.nextWake {
            schedule(link, at: Self.instant(wake))
        }
    }

    private static func instant(_ time: Duration) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 0).advanced(by: time)
    }

    // MARK: Names

    /// Whose turn a stranger's question takes: its address, or the network of an IPv6 one.
    private func requester(of link: UpstreamLink) -> UInt128? {
        switch link.attempt?.client?.address {
        case .v4(let number)?: UInt128(number)
        case .v6(let number)?:
            (number >> UInt128(128 - loop.settings.ipv6Prefix)) << UInt128(128 - loop.settings.ipv6Prefix)
        case nil: nil
        }
    }

    private func lookUp(_ kind: ServiceKind, of domain: String, for link: UpstreamLink) -> ConnectPlan.Input? {
        ask(.services(name: kind.ownerName(of: domain)), for: link, requester: requester(of: link)).flatMap {
            input(of: $0, for: link)
        }
    }

    /// None of the servers that the DNS names for a domain is of use: others may be named by now.
    func doubtServices(of link: UpstreamLink, _ attempt: ConnectAttempt) {
        guard link.site.settings.upstream == .dns else { return }
        for kind in ServiceKind.allCases {
            let query = ResolverQuery.services(name: kind.ownerName(of: attempt.domain))
            if doubt(query) { attempt.isDoubted = true }
        }
    }

    /// Begins an attempt anew, once, when nothing accepted a connection and what was known of the names is looked up again.
    private func beginsAgain(_ attempt: ConnectAttempt) -> Bool {
        guard attempt.isDoubted, !attempt.hasBegunAgain, attempt.failure == nil, !attempt.isShort,
            loop.now < attempt.since.advanced(by: loop.settings.connectTimeout)
        else { return false }
        attempt.hasBegunAgain = true
        attempt.plan = attempt.plan.again(seed: loop.freshBits())
        return true
    }

    private func lookUp(
        _ target: UpstreamTarget, for link: UpstreamLink, _ attempt: ConnectAttempt
    ) -> ConnectPlan.Input? {
        settle(attempt, attempt.verdict)
        attempt.wasTried = false
        attempt.isShort = false
        attempt.isPostponed = false
        guard !link.site.isOpenProxy || Self.isOpenToStrangers(target.port) else {
            noteFailure(of: link, "forbidden", "a port of other services", about: "\(target.host):\(target.port)")
            return .targetSkipped(.refusedTarget)
        }
        guard admits(target, of: attempt.domain) else { return .targetSkipped(.spared) }
        attempt.target = target
        attempt.awaitedHost = target.host
        return ask(.addresses(host: target.host), for: link, requester: requester(of: link)).flatMap {
            input(of: $0, for: link)
        }
    }

    /// The resolver's answer for one link.
    func handle(_ answer: ResolverAnswer) {
        guard let link = link(askedBy: answer.id), !link.isClosed else { return }
        if let input = input(of: answer, for: link) { advance(link, input) }
    }

    /// What an answer means for a link's plan; nil when it waits for something else by now.
    private func input(of answer: ResolverAnswer, for link: UpstreamLink) -> ConnectPlan.Input? {
        guard let attempt = link.attempt else { return nil }
        switch answer.query {
        case .services(let name):
            guard let kind = ServiceKind.allCases.first(where: { name.hasPrefix($0.rawValue) }) else { return nil }
            switch answer.outcome {
            case .services(let records): return .services(kind, records.map(ServiceRecord.init))
            case .failure(let reason, let isTemporary):
                if isTemporary { noteFailure(of: link, "dns", reason, about: name) }
                return .servicesFailed(kind, isTemporary: isTemporary)
            case .addresses: return nil
            }
        case .addresses(let host):
            guard attempt.awaitedHost == host else { return nil }
            attempt.awaitedHost = nil
            switch answer.outcome {
            case .addresses(let addresses): return accept(addresses, for: link, attempt)
            case .failure(let reason, _):
                noteFailure(of: link, "dns", reason, about: host)
                return .addressesFailed
            case .services: return nil
            }
        }
    }

    /// Keeps the addresses of a target; those that a stranger may not make us connect to are left out.
    private func accept(
        _ addresses: [SocketAddress], for link: UpstreamLink, _ attempt: ConnectAttempt
    ) -> ConnectPlan.Input {
        let port = attempt.target?.port ?? 0
        attempt.addresses = addresses.compactMap { address in
            guard !link.site.isOpenProxy || address.ipAddress?.isPublic == true else { return nil }
            return address.with(port: port)
        }
        guard !attempt.addresses.isEmpty else {
            noteFailure(of: link, "forbidden", "no public address", about: attempt.target?.host ?? "")
            settle(attempt, .unknown)
            return .targetSkipped(.refusedTarget)
        }
        return .addresses(attempt.addresses.map { $0.isIPv6 ? .ipv6 : .ipv4 })
    }

    /// Whether strangers may have us connect to a port: none of the ports below 1024, where other services are, but HTTPS's,
    /// which XMPP servers use to be reached through firewalls.
    private static func isOpenToStrangers(_ port: UInt16) -> Bool {
        port >= 1_024 || port == 443
    }

    // MARK: Connections

    private func connect(
        to index: Int, as number: Int, for link: UpstreamLink, _ attempt: ConnectAttempt
    ) -> ConnectPlan.Input? {
        guard attempt.addresses.indices.contains(index) else { return .failed(attempt: number) }
        let address = attempt.addresses[index]
        // The first one's was counted when the link was made.
        guard attempt.races.isEmpty || loop.hasDescriptorsToSpare else {
            // Every further try would say the same.
            if !attempt.isPostponed { noteFailure(of: link, "shortage", "no descriptor to spare", about: "\(address)") }
            return postponed(number, of: attempt)
        }
        guard let place = openPlace(for: address) else {
            if !attempt.isPostponed { loop.counters.upstreamFailures["shortage", default: 0] += 1 }
            loop.reached(.upstreamConnections, "\(address)")
            return postponed(number, of: attempt)
        }
        switch StreamSocket.connect(to: address) {
        case .connected(let socket):
            return watch(consume socket, number, address, place, for: link, attempt) ?? .connected(attempt: number)
        case .connecting(let socket):
            return watch(consume socket, number, address, place, for: link, attempt)
        case .failed(let error):
            close(place)
            return noteFailure(error, of: link, about: address, attempt, number)
        }
    }

    /// A want of our own says nothing about the server, and uses its address up only where there is nothing to wait for.
    private func postponed(_ number: Int, of attempt: ConnectAttempt) -> ConnectPlan.Input {
        if attempt.races.isEmpty { attempt.isShort = true } else { attempt.isPostponed = true }
        return .postponed(attempt: number)
    }

    /// Notes why a connection could not be made, and whether that says something about the server.
    private func noteFailure(
        _ error: SystemError, of link: UpstreamLink, about address: SocketAddress, _ attempt: ConnectAttempt,
        _ number: Int
    ) -> ConnectPlan.Input {
        // A machine without IPv6 has no address to connect from; all other machines that have none lack ports.
        let isOtherFamily = error.isAddressUnavailable && address.isIPv6 && !hasConnections(to: address)
        guard error.isShortage, !isOtherFamily else {
            // Without a socket nobody was asked.
            if error.call == "connect", !isOtherFamily { attempt.wasTried = true }
            noteFailure(of: link, "connect", error.reason, about: "\(address)")
            return .failed(attempt: number)
        }
        if error.isAddressUnavailable {
            if !attempt.isPostponed { loop.counters.upstreamFailures["shortage", default: 0] += 1 }
            loop.reached(.upstreamConnections, "no local port for \(address)")
        } else if !attempt.isPostponed {
            noteFailure(of: link, "shortage", error.description, about: "\(address)")
        }
        return postponed(number, of: attempt)
    }

    /// Waits for a connection; a failure when the poller refuses it.
    private func watch(
        _ connecting: consuming StreamSocket, _ number: Int, _ address: SocketAddress, _ place: EndpointCounts.Place,
        for link: UpstreamLink, _ attempt: ConnectAttempt
    ) -> ConnectPlan.Input? {
        var socket = connecting
        let token = nextRaceToken()
        do throws(SystemError) {
            try prepare(socket)
            try socket.watch(for: .writable, as: token.raw, in: loop.poller)
        } catch {
            close(place)
            return noteFailure(error, of: link, about: address, attempt, number)
        }
        let race = RaceSocket(
            token: token, link: link, attempt: number, address: address, socket: consume socket, place: place,
            since: loop.now)
        add(race)
        attempt.races.append(race)
        attempt.wasTried = true
        attempt.isPostponed = false
        return nil
    }

    /// Has small stanzas sent at once, a server noticed that vanished while nothing was said, and few bytes left in the kernel
    /// that have not been sent, so that a slow server's progress is seen.
    private func prepare(_ socket: borrowing StreamSocket) throws(SystemError) {
        try socket.setNoDelay()
        try socket.noticeVanishedPeer()
        try socket.keepUnsentFew()
    }

    /// A connection that races stands now, or never will.
    func handle(_ event: PollEvent, on race: RaceSocket) {
        let link = race.link
        guard let error = race.socket?.finishConnect() else {
            advance(link, .connected(attempt: race.attempt))
            return
        }
        abandon(race)
        var input = ConnectPlan.Input.failed(attempt: race.attempt)
        if let attempt = link.attempt {
            input = noteFailure(error, of: link, about: race.address, attempt, race.attempt)
        }
        advance(link, input)
    }

    private func abandon(_ race: RaceSocket) {
        race.socket?.unwatch(in: loop.poller)
        race.socket = nil
        close(race.place)
        forget(race)
        race.link.attempt?.races.removeAll { $0 === race }
    }

    /// Lets go of all that is left of a link's search.
    func abandonSearch(of link: UpstreamLink) {
        guard let attempt = link.attempt else { return }
        for race in attempt.races { abandon(race) }
        // Nobody will know whether the target works.
        if let target = attempt.target {
            withBreaker(of: UpstreamKey(target, of: attempt.domain)) { breaker, _ in
                breaker?.abandoned(now: loop.planTime)
            }
        }
        link.attempt = nil
    }

    /// Makes the connection that won the link's own, and begins the stream.
    private func adopt(
        _ number: Int, to target: UpstreamTarget, on link: UpstreamLink, _ attempt: ConnectAttempt
    ) {
        guard let race = attempt.races.first(where: { $0.attempt == number }) else { return }
        link.socket = race.socket.take()
        link.place = race.place
        forget(race)
        attempt.races = []
        attempt.connectedAt = loop.now
        schedule(link, at: openingDeadline(of: attempt))
        link.site.health.connectTime.record(loop.now.elapsed(since: race.since))
        link.site.health.connects &+= 1
        loop.counters.upstreamConnects += 1
        // It was watched for the race, under another token.
        link.socket?.unwatch(in: loop.poller)
        link.machine = link.site.machine(target.tls)
        sendProxyHeader(on: link, from: attempt.client, to: race.address)
        handle(.connected, on: link)
        updateInterest(of: link)
    }

    /// Tells the server who the browser is, before everything else (PROXY protocol).
    private func sendProxyHeader(on link: UpstreamLink, from client: Endpoint?, to server: SocketAddress) {
        guard let version = ProxyVersion(link.site.settings.proxyProtocol) else { return }
        var header: [UInt8] = []
        let destination = server.ipAddress.map { Endpoint(address: $0, port: server.port ?? 0) }
        ProxyHeader.append(version, source: client, destination: destination, into: &header)
        send(header, on: link)
    }

    // MARK: What to do when a target fails

    /// Whether a stream that failed before it was open may be tried with another target.
    func mayMoveOn(_ link: UpstreamLink, after failure: StreamFailure) -> Bool {
        guard let attempt = link.attempt, !attempt.isOver, link.session != nil else { return false }
        guard loop.now < attempt.since.advanced(by: loop.settings.connectTimeout) else { return false }
        return switch failure {
        // It was found to be allowed.
        case .redirected: true
        // The target's share of the time is up, not all of it.
        case .timeout: attempt.plan.hasOtherTargets
        default: failure.allowsAnotherTarget
        }
    }

    /// When the target that a link is connected to must have opened the stream: at the deadline that all targets share, or,
    /// when there are others, after a share of it, so that a server that accepts connections and says nothing does not use
    /// up the time of those behind it.
    func openingDeadline(of attempt: ConnectAttempt) -> MonotonicInstant {
        let last = attempt.since.advanced(by: loop.settings.connectTimeout)
        guard let connectedAt = attempt.connectedAt, attempt.plan.hasOtherTargets else { return last }
        return min(last, connectedAt.advanced(by: loop.settings.connectTimeout / 3))
    }

    /// Drops the connection to a target that failed, and tries the next one.
    func moveOn(_ link: UpstreamLink) {
        guard let attempt = link.attempt, let failure = attempt.failure else { return }
        guard link.session != nil else {
            // It ended over the last words to this server.
            close(link)
            return
        }
        attempt.isMovingOn = false
        settle(attempt, verdict(on: link, after: failure))
        attempt.connectedAt = nil
        schedule(link, at: openingDeadline(of: attempt))
        link.connectionCount &+= 1
        link.socket?.unwatch(in: loop.poller)
        link.socket = nil
        close(link.place)
        link.place = .uncounted
        link.tls = nil
        link.isTLSEstablished = false
        link.isDeaf = false
        link.compression = nil
        link.backlog = nil
        link.xml.reset()
        link.written = 0
        link.unwrittenReplies = 0
        link.output.removeAll(keepingCapacity: true)
        loop.pool.takeBack(&link.output)
        link.acceptance = Acceptance()
        link.partialSince = .none
        settle(link)
        setCongestion(.none, on: link)
        link.machine = link.site.machine(link.site.tlsMode)
        if case .redirected(let place, _) = failure, let address = allowedRedirect(to: place, on: link) {
            attempt.isRedirected = true
            // What befalls us there is what the client has to be told, and not that it was sent there.
            attempt.failure = nil
            attempt.plan = ConnectPlan(route: link.site.route(over: address), seed: loop.freshBits())
            advance(link, .begin)
        } else {
            advance(link, .targetFailed)
        }
    }

    /// The place that a server sends us to, if the operator allows it and it is the first one (RFC 6120 §4.9.3.19).
    func allowedRedirect(to place: String, on link: UpstreamLink) -> UpstreamAddress? {
        guard link.attempt?.isRedirected == false, let place = RedirectAddress(place) else { return nil }
        let port = place.port ?? Self.defaultPort
        let allowed = link.site.addresses + loop.settings.routes
        return allowed.first { $0.host == place.host && $0.port == port }
    }

    /// Where a server is that names no port (RFC 6120 §14.7).
    private static let defaultPort: UInt16 = 5222
}

extension ServiceRecord {
    init(_ record: ResolverRecord) {
        self.init(priority: record.priority, weight: record.weight, port: record.port, target: record.target)
    }
}

extension SocketAddress {
    /// The address without its port; nil for a Unix path.
    var ipAddress: IPAddress? {
        switch self {
        case .ipv4(let address, _): .v4(address)
        case .ipv6(let address, _, _): .v6(address)
        case .unix: nil
        }
    }

    /// The address of an end that a proxy told of.
    init(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .v4(let address): self = .ipv4(address, port: endpoint.port)
        case .v6(let address): self = .ipv6(address, port: endpoint.port, scope: 0)
        }
    }

    var isIPv6: Bool {
        if case .ipv6 = self { true } else { false }
    }
}

extension ProxyVersion {
    init?(_ setting: UpstreamProxyProtocol) {
        switch setting {
        case .off: return nil
        case .v1: self = .v1
        case .v2: self = .v2
        }
    }
}
