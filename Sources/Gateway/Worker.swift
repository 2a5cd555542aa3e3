import Addresses
import BOSHCore
import HTTPWire
import Logging
import Reactor
import Resolver
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// One worker: a thread, an epoll loop, and everything that lives in it.
///
/// It brings events to the pure rooms and executes what they say; it decides nothing about BOSH, HTTP or XMPP itself.
/// All state is confined to the thread that calls `run`.
package final class Worker {
    let settings: Settings
    let policy: SessionPolicy
    let httpRules: HTTPRules
    /// For peers that are believed when they say for whom they forward.
    let proxyRules: HTTPRules
    let adminRules: HTTPRules
    let adminAccess: AdminAccess
    let node: String
    let tag: UInt32
    var logger: Logger

    var poller: Poller
    let signals: SignalSource
    var reserve: DescriptorReserve
    var listeners: [ListeningSocket] = []
    var resolver: ResolverLink
    let descriptorLimit: Int

    var readBuffer = ReadBuffer()
    var pool = BufferPool()
    var bodyCoder = BodyCoder()
    /// Reused for the bytes of one response body, one plain text, one cipher text.
    var bodyScratch: [UInt8] = []
    var plainScratch: [UInt8] = []
    let bodyParser: BodyParser
    var largeBodies: LargeBodies
    let upstreamReader: UpstreamReader
    let stanzaReturn: StanzaReturn
    let sites: UpstreamSites
    let trustedProxies: TrustedProxies
    /// What each client address holds.
    var addresses: AddressLedger
    /// How many connections there are to each server.
    var serverConnections: EndpointCounts
    /// The sessions that have not logged in, and how many there may be.
    var logins = LoginQueue()
    let loginLimit: Int

    var connections = SlotArray<ClientConnection>(.client)
    var dirtyConnections: [ClientConnection] = []
    /// Connections that go on with input that has come already, when it is their turn.
    var connectionsInTurn: [ClientConnection] = []
    /// Connections with more of a body to be read, the one that has waited longest first.
    var bodyReaders: [ClientConnection] = []
    var connectionDeadlines = DeadlineQueue()

    var sessions: [SessionDriver?] = []
    var vacantSessions: [UInt32] = []
    var sessionTable = SessionTable()
    var sessionDeadlines = DeadlineQueue()

    var links = SlotArray<UpstreamLink>(.link)
    var dirtyLinks: [UpstreamLink] = []
    var linkDeadlines = DeadlineQueue()
    /// Links that go on with bytes which they have read earlier, when it is their turn.
    var waitingLinks: [UpstreamLink] = []

    /// What the account has of the bodies that are worked on over several turns.
    var chargedLargeBodies: UInt32 = 0
    /// What the account has of the names that are asked for.
    var chargedNames: UInt32 = 0
    /// What sessions keep of responses beyond those that must be, by slot.
    var spareResponses = SizeOrder()
    /// What all peers have this worker hold.
    var memory: ByteAccount
    /// What sessions hold of stanzas that their clients have not fetched, by slot; not those that are being drained.
    var stanzaHolders = SizeOrder()
    /// Bodies that are half read, the newest last; some may be done.
    var unfinishedBodies: [UnfinishedBody] = []
    var unfinishedCount = 0
    /// The most that was held since memory was given back.
    var memoryPeak = 0
    /// When free memory is given back to the system.
    var givesBackAt: MonotonicInstant?
    /// Connections that race for a link.
    var races = SlotArray<RaceSocket>(.race)
    /// The servers that failed lately.
    var breakers: [UpstreamKey: CircuitBreaker] = [:]
    /// Links and client connections that the kernel refused to watch for what was wanted.
    var unwatchable: [Token] = []
    /// Stanzas of the turn that is being taken.
    var collected = CollectedStanzas()
    /// Who sent the request that is being handled, as far as that is known.
    var requestClient: Endpoint?

    /// Reused for the effects of one input.
    var effects: [SessionEffect] = []
    var counters = Counters()
    var peerLines = LineAllowance()
    let startedAt: MonotonicInstant
    /// The time of the batch of events that is being handled.
    var now: MonotonicInstant
    var date = DateField()
    var stopping = Stopping.none
    /// When the listeners are watched again, after accepting failed for want of resources.
    var acceptsAgainAt: MonotonicInstant?

    /// How far the end of the process has come.
    /// A listening socket and what is served on it. A class, because a socket cannot be copied into an array.
    final class ListeningSocket {
        let listener: Listener
        /// What the kernel watches it for.
        var watched = Watch()
        let role: ClientConnection.Role
        /// Whether every connection begins with a header of the PROXY protocol.
        let expectsProxyHeader: Bool
        let token: Token

        init(
            _ listener: consuming Listener, role: ClientConnection.Role, expectsProxyHeader: Bool, token: Token
        ) {
            self.listener = listener
            self.role = role
            self.expectsProxyHeader = expectsProxyHeader
            self.token = token
        }
    }

    /// Opens the listeners and all else that can fail at the start.
    ///
    /// - Throws: `StartError` with one line for the operator: a port in use, a CA file that cannot be read.
    package init(settings: Settings, logger: Logger) throws(StartError) {
        self.settings = settings
        self.logger = logger
        ProcessMemory.prepare()
        memory = ByteAccount(limit: Self.memoryLimit(settings.memoryLimit))
        if !settings.coreDumps {
            do throws(SystemError) {
                try CoreDump.forbid()
            } catch {
                throw StartError("cannot switch core dumps off: \(error)")
            }
        }
        policy = SessionPolicy(settings)
        let limits = HTTPLimits(body: settings.maxBody, answers: settings.connectionBuffer)
        httpRules = HTTPRules(limits: limits, crossOrigin: settings.crossOrigin)
        proxyRules = HTTPRules(
            limits: limits, crossOrigin: settings.crossOrigin,
            captures: CapturedField(settings.clientAddressFrom))
        adminRules = HTTPRules(limits: HTTPLimits(body: 0), captures: .provenance)
        adminAccess = AdminAccess(names: settings.adminHosts)
        trustedProxies = TrustedProxies(networks: settings.trustedProxies, trustsUnix: true)
        node = "n1"
        tag = 0
        let clock = MonotonicInstant(nanoseconds: MonotonicClock.now)
        startedAt = clock
        now = clock
        descriptorLimit = DescriptorLimit.raise()
        addresses = AddressLedger(limits: AddressLedger.Limits(settings, descriptors: descriptorLimit))
        // Some ports are others', and those of connections that ended are not free at once.
        let ports = LocalPorts.count.map { $0 / 10 * 9 + $0 % 10 } ?? settings.upstreamConnections
        serverConnections = EndpointCounts(limit: min(settings.upstreamConnections, ports))
        loginLimit = settings.loginSessions > 0 ? settings.loginSessions : max(descriptorLimit / 2, 1)
        bodyParser = BodyParser(limits: .ofClients(settings))
        largeBodies = LargeBodies(limits: .ofClients(settings))
        let upstreamLimits = XMLLimits(ofServers: settings)
        upstreamReader = UpstreamReader(limits: upstreamLimits, largestFromClient: settings.maxBody)
        stanzaReturn = StanzaReturn(limits: upstreamLimits)
        sites = try UpstreamSites(settings)
        resolver = ResolverLink(
            arguments: ["holdfast", "resolver"] + (settings.nameserver.map { ["--nameserver", $0] } ?? []),
            tokens: (0..<Self.resolverCount).map { Token(.resolver, slot: $0).raw },
            lookupsOfAddress: settings.addressLookups)
        do throws(SystemError) {
            poller = try Poller()
            signals = try SignalSource()
            reserve = try DescriptorReserve()
            try poller.register(signals.descriptor, token: Token(.signals).raw, interest: .readable)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        for address in settings.listen { try listen(on: address, role: .bosh) }
        for address in settings.listenProxy { try listen(on: address, role: .bosh, expectsProxyHeader: true) }
        if let admin = settings.admin { try listen(on: admin, role: .admin) }
    }

    /// What listens where and which domain goes where, in one line; with the port the kernel chose where 0 was asked for.
    package var announcement: String {
        let bosh = listeners.filter { $0.role == .bosh }.map { Self.url($0.listener.address, settings.path) }
        let admin = listeners.filter { $0.role == .admin }.map { Self.url($0.listener.address, "/stats") }
        let places = [("BOSH", bosh), ("admin", admin)].map { what, urls in
            urls.isEmpty ? "\(what) off" : "\(what) on \(urls.joined(separator: ", "))"
        }
        return (places + [sites.summary]).joined(separator: "; ")
    }

    /// Checks what can be checked without listening: the files that the settings name.
    ///
    /// - Throws: the `StartError` that a start with these settings would end with.
    package static func check(_ settings: Settings) throws(StartError) {
        _ = try UpstreamSites(settings)
    }

    /// Serves until a signal ends it and everybody was told; false when the loop itself failed.
    package func run() -> Bool {
        while !isDone() {
            let isIdle =
                waitingLinks.isEmpty && largeBodies.isEmpty && connectionsInTurn.isEmpty && bodyReaders.isEmpty
            let wait = isIdle ? timeToWake : .zero
            let count: Int
            do throws(SystemError) {
                count = try poller.wait(timeout: wait)
            } catch {
                logger.critical("waiting for events failed", metadata: ["error": "\(error)"])
                return false
            }
            now = MonotonicInstant(nanoseconds: MonotonicClock.now)
            for index in 0..<count { dispatch(poller[index]) }
            readBodies()
            workOnBacklogs()
            workOnInput()
            workOnLargeBodies()
            handleDeadlines()
            flushDirty()
            relieve()
            endUnwatchable()
            if !dirtyLinks.isEmpty || !dirtyConnections.isEmpty { flushDirty() }
        }
        return true
    }

    private var timeToWake: Duration? {
        nextWake.map { $0.elapsed(since: MonotonicInstant(nanoseconds: MonotonicClock.now)) }
    }

    private var nextWake: MonotonicInstant? {
        var next: MonotonicInstant?
        for candidate in [sessionDeadlines.next, connectionDeadlines.next, linkDeadlines.next, resolverDeadline] {
            guard let candidate else { continue }
            next = min(next ?? candidate, candidate)
        }
        if let acceptsAgainAt { next = min(next ?? acceptsAgainAt, acceptsAgainAt) }
        if let givesBackAt { next = min(next ?? givesBackAt, givesBackAt) }
        if case .draining(let until, _) = stopping { next = min(next ?? until, until) }
        return next
    }

    private var resolverDeadline: MonotonicInstant? {
        resolver.nextDeadline.map { MonotonicInstant(nanoseconds: $0) }
    }

    private func dispatch(_ event: PollEvent) {
        let token = Token(raw: event.token)
        switch token.kind {
        case .listener:
            accept(on: Int(token.slot))
        case .client:
            if let connection = connections[token] { handle(event, on: connection) }
        case .link:
            if let link = links[token] { handle(event, on: link) }
        case .signals:
            while let signal = signals.next() { handle(signal) }
        case .resolver:
            for answer in resolver.handle(event, now: now.nanoseconds, poller: poller) { handle(answer) }
        case .race:
            if let race = races[token] { handle(event, on: race) }
        case nil:
            break
        }
    }

    private func handleDeadlines() {
        resumeAccepting()
        giveBackMemory()
        for answer in resolver.handleDeadline(now: now.nanoseconds, poller: poller) { handle(answer) }
        while let slot = sessionDeadlines.popDue(now: now) { handleSessionDeadline(slot) }
        while let slot = connectionDeadlines.popDue(now: now) {
            if let connection = connections[slot: slot] { handleDeadline(of: connection) }
        }
        while let slot = linkDeadlines.popDue(now: now) {
            if let link = links[slot: slot] { handleDeadline(of: link) }
        }
    }

    /// Writes what the batch produced: one write for each connection, however many events led to it.
    private func flushDirty() {
        // Writing can end sessions, which answers other connections: go on until nothing is left.
        while !dirtyLinks.isEmpty || !dirtyConnections.isEmpty {
            let batchOfLinks = dirtyLinks
            dirtyLinks = []
            for link in batchOfLinks {
                link.isDirty = false
                flush(link)
            }
            let batchOfConnections = dirtyConnections
            dirtyConnections = []
            for connection in batchOfConnections {
                connection.isDirty = false
                flush(connection)
            }
        }
    }

    private func listen(
        on address: ListenAddress, role: ClientConnection.Role, expectsProxyHeader: Bool = false
    ) throws(StartError) {
        guard let parsed = SocketAddress(address.description) else {
            throw StartError("'\(address)' is not an address to listen on")
        }
        do throws(SystemError) {
            let token = Token(.listener, slot: UInt32(listeners.count))
            let socket = ListeningSocket(
                try Listener(parsed), role: role,
                expectsProxyHeader: expectsProxyHeader, token: token)
            try socket.watched.set(.readable, of: socket.listener.descriptor, as: token.raw, in: poller)
            listeners.append(socket)
        } catch {
            throw StartError("cannot listen on \(address): \(error.reason)")
        }
    }

    private static func url(_ address: SocketAddress, _ path: String) -> String {
        if case .unix(let file) = address { return "unix:\(file)" }
        return "http://\(address)\(path)"
    }

    /// How many names are looked up at the same time: a name server that is slow to answer for one must not hold up all. Two
    /// are for the operator's domains, and of the rest one stranger may take `address-lookups`.
    private static let resolverCount: UInt32 = 6
}

/// Why a worker could not start: one line for the operator.
package struct StartError: Error {
    /// The line, without the program's name.
    package let line: String

    init(_ line: String) {
        self.line = line
    }
}

extension SessionPolicy {
    init(_ settings: Settings) {
        self.init(
            maxWait: settings.maxWait, maxHold: settings.maxHold, inactivity: settings.inactivity,
            polling: settings.polling, maxpause: settings.maxpause, outboundBound: settings.sessionBuffer,
            inboundBound: settings.sessionBuffer, domains: ServedDomains(settings))
        loginTimeout = settings.loginTimeout
        registrationTimeout = max(registrationTimeout, settings.loginTimeout)
        requestsPerSecond = settings.sessionRequests
        repeatsPerSecond = settings.sessionRepeats
    }
}

extension ServedDomains {
    init(_ settings: Settings) {
        var names: [String: [String]] = [:]
        for domain in settings.domains {
            names[domain.name] = DomainName(domain.name).map { [$0.text] } ?? []
        }
        self.init(
            names: names, fallback: settings.defaultDomain, acceptsAny: settings.openProxy != nil,
            routes: Set(settings.routes.map(\.description)))
    }
}

extension XMLLimits {
    /// What a body from a client must keep to.
    static func ofClients(_ settings: Settings) -> XMLLimits {
        XMLLimits(
            depth: settings.xmlDepth, attributes: settings.xmlAttributes, elements: settings.xmlElements,
            oddNamespaces: 128, elementSize: settings.maxBody)
    }

    init(_ settings: Settings, elementSize: Int) {
        self.init(depth: settings.xmlDepth, attributes: settings.xmlAttributes, elementSize: elementSize)
    }
}

/// The value of the `Date` field, made once a second (RFC 9110 §6.6.1).
struct DateField {
    private var second: Int64 = -1
    private var value: HTTPDate?

    mutating func current() -> HTTPDate? {
        let wall = WallClock.seconds
        if wall != second {
            second = wall
            value = HTTPDate(secondsSince1970: wall)
        }
        return value
    }
}
