import Addresses
import Bridge
import Reactor
import Resolver
import Settings
import StreamCore

/// Does what the machine of a link asks for on the way from a domain to a connection, and reports the results to it.
extension Upstreams {
    // MARK: Names

    /// Asks for the records of a service; returns them if they are known already.
    func lookUp(_ kind: ServiceKind, of domain: String, for link: UpstreamLink) -> UpstreamInput? {
        ask(.services(name: kind.ownerName(of: domain)), for: link)
    }

    /// Asks for the addresses of a host; returns them if they are known already.
    func lookUp(_ host: String, for link: UpstreamLink) -> UpstreamInput? {
        link.search?.awaitedHost = host
        link.server = servers.place(of: link.machine.server)
        return ask(.addresses(host: host), for: link)
    }

    private func ask(_ query: ResolverQuery, for link: UpstreamLink) -> UpstreamInput? {
        ask(query, for: link, requester: requester(of: link)).flatMap { input(of: $0, for: link) }
    }

    /// The requester that a stranger's question counts for: the client's address, or its network in the case of IPv6.
    private func requester(of link: UpstreamLink) -> UInt128? {
        switch link.search?.client?.address {
        case .v4(let number)?: UInt128(number)
        case .v6(let number)?:
            (number >> UInt128(128 - loop.settings.ipv6Prefix)) << UInt128(128 - loop.settings.ipv6Prefix)
        case nil: nil
        }
    }

    /// Marks a name so that the next question for it causes a new look-up.
    func doubt(_ name: UpstreamName) -> UpstreamInput {
        switch name {
        case .addresses(let host): .doubted(isAskedAgain: doubt(.addresses(host: host)))
        case .services(let kind, let domain):
            .doubted(isAskedAgain: doubt(.services(name: kind.ownerName(of: domain))))
        }
    }

    /// Gives the resolver's answer to one link.
    func handle(_ answer: ResolverAnswer) {
        guard let link = link(askedBy: answer.id), !link.isClosed else { return }
        if let input = input(of: answer, for: link) { handle(input, on: link) }
    }

    /// The input that an answer is for a link's machine; nil when nobody waits for the answer any more.
    private func input(of answer: ResolverAnswer, for link: UpstreamLink) -> UpstreamInput? {
        guard let search = link.search else { return nil }
        switch answer.query {
        case .services(let name):
            guard let kind = ServiceKind.allCases.first(where: { name.hasPrefix($0.rawValue) }) else { return nil }
            switch answer.outcome {
            case .services(let records): return .services(kind, records.map(ServiceRecord.init))
            case .failure(let reason, let isTemporary):
                return .servicesFailed(kind, isTemporary: isTemporary, reason: reason)
            case .addresses: return nil
            }
        case .addresses(let host):
            guard search.awaitedHost == host else { return nil }
            search.awaitedHost = nil
            switch answer.outcome {
            case .addresses(let addresses):
                search.addresses = addresses
                return .addresses(host: host, addresses.map(FoundAddress.init))
            case .failure(let reason, _): return .addressesFailed(host: host, reason: reason)
            case .services: return nil
            }
        }
    }

    // MARK: Connections

    /// Begins to connect to an address and returns the result.
    func connect(_ attempt: Int, to index: Int, port: UInt16, for link: UpstreamLink) -> UpstreamInput? {
        guard let search = link.search, search.addresses.indices.contains(index) else { return nil }
        let address = search.addresses[index].with(port: port)
        search.attempts.append((attempt, address))
        // The descriptor of the first attempt was counted when the link was made.
        guard search.races.isEmpty || loop.hasDescriptorsToSpare else {
            return .postponed(attempt: attempt, .descriptors)
        }
        guard let place = openPlace(for: address) else { return .postponed(attempt: attempt, .places) }
        switch StreamSocket.connect(to: address) {
        case .connected(let socket):
            return watch(consume socket, attempt, address, place, for: link, isConnected: true)
        case .connecting(let socket):
            return watch(consume socket, attempt, address, place, for: link, isConnected: false)
        case .failed(let error):
            close(place)
            return fate(of: attempt, to: address, error)
        }
    }

    /// Decides from an error whether this side lacked a resource, or the server was involved.
    private func fate(of attempt: Int, to address: SocketAddress, _ error: SystemError) -> UpstreamInput {
        // On a machine without IPv6 this error means that there is no source address. Otherwise it means that no port
        // is free.
        let isOtherFamily = error.isAddressUnavailable && address.isIPv6 && !hasConnections(to: address)
        if error.isShortage, !isOtherFamily {
            let shortage: OwnShortage =
                error.isAddressUnavailable ? .ports : .kernel(call: error.call, code: error.code)
            return .postponed(attempt: attempt, shortage)
        }
        // If there was no socket, no server was asked.
        let wasAsked = error.call == "connect" && !isOtherFamily
        return .connectFailed(attempt: attempt, call: error.call, code: error.code, wasAsked: wasAsked)
    }

    /// Waits for a connection, or has it at once. Returns a failure if the poller refuses the socket.
    private func watch(
        _ connecting: consuming StreamSocket, _ attempt: Int, _ address: SocketAddress, _ place: EndpointCounts.Place,
        for link: UpstreamLink, isConnected: Bool
    ) -> UpstreamInput {
        var socket = connecting
        let token = nextRaceToken()
        do throws(SystemError) {
            try prepare(socket, number: link.token.slot)
            try socket.watch(for: .writable, as: token.raw, in: loop.poller)
        } catch {
            close(place)
            return fate(of: attempt, to: address, error)
        }
        let race = RaceSocket(
            token: token, link: link, attempt: attempt, address: address, socket: consume socket, place: place,
            since: loop.now)
        add(race)
        link.search?.races.append(race)
        return isConnected ? .connected(attempt: attempt) : .connecting(attempt: attempt)
    }

    /// Sets up a socket: it sends small stanzas at once, notices a server that vanished in silence, and keeps few
    /// unsent bytes in the kernel, so that a slow server's progress is seen.
    private func prepare(_ socket: borrowing StreamSocket, number: UInt32) throws(SystemError) {
        try socket.setNoDelay()
        try socket.noticeVanishedPeer(number: number)
        try socket.keepUnsentFew()
    }

    /// Handles the end of a racing attempt: its connection is made, or has failed.
    func handle(_ event: PollEvent, on race: RaceSocket) {
        guard let error = race.socket?.finishConnect() else {
            handle(.connected(attempt: race.attempt), on: race.link)
            return
        }
        abandon(race)
        handle(fate(of: race.attempt, to: race.address, error), on: race.link)
    }

    /// Closes what was opened for an attempt.
    func abandon(_ attempt: Int, of link: UpstreamLink) {
        link.search?.races.first { $0.attempt == attempt }.map(abandon)
    }

    private func abandon(_ race: RaceSocket) {
        race.socket?.unwatch(in: loop.poller)
        race.socket = nil
        close(race.place)
        forget(race)
        race.link.search?.races.removeAll { $0 === race }
    }

    /// Closes everything that is left of a link's search.
    func abandonSearch(of link: UpstreamLink) {
        guard let search = link.search else { return }
        for race in search.races { abandon(race) }
        link.search = nil
    }

    /// Gives the connection that won to its link.
    func adopt(_ attempt: Int, on link: UpstreamLink) {
        guard let search = link.search, let race = search.races.first(where: { $0.attempt == attempt }) else { return }
        if let socket = race.socket.take() { link.channel = Channel(socket) }
        link.place = race.place
        forget(race)
        search.races.removeAll { $0 === race }
        let time = loop.now.elapsed(since: race.since)
        link.site.health.connectTime.record(time)
        link.site.health.connects &+= 1
        countServer(of: link) { server in
            server.connectTime.record(time)
            server.connects &+= 1
        }
        loop.counters.upstreamConnects += 1
        // The socket was watched for the race, under another token.
        link.channel?.unwatch(in: loop.poller)
        sendProxyHeader(on: link, from: search.client, to: race.address)
        updateInterest(of: link)
    }

    /// Tells the server the browser's address, before anything else (PROXY protocol).
    private func sendProxyHeader(on link: UpstreamLink, from client: Endpoint?, to server: SocketAddress) {
        guard let version = ProxyVersion(link.site.settings.proxyProtocol) else { return }
        var header: [UInt8] = []
        let destination = server.ipAddress.map { Endpoint(address: $0, port: server.port ?? 0) }
        ProxyHeader.append(version, source: client, destination: destination, into: &header)
        send(header, on: link)
    }

    /// Closes the connection of a link, and forgets all that came over it or waits to be sent over it.
    func endConnection(of link: UpstreamLink) {
        link.connectionCount &+= 1
        link.channel?.close(in: loop.poller, to: &loop.pool)
        link.channel = nil
        close(link.place)
        link.place = .uncounted
        link.isDeaf = false
        link.backlog = nil
        link.xml.reset()
        settle(link)
    }
}

extension ServiceRecord {
    init(_ record: ResolverRecord) {
        self.init(priority: record.priority, weight: record.weight, port: record.port, target: record.target)
    }
}

extension FoundAddress {
    init(_ address: SocketAddress) {
        self.init(family: address.isIPv6 ? .ipv6 : .ipv4, isPublic: address.ipAddress?.isPublic ?? false)
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

    /// The socket address of an endpoint that a proxy named.
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
