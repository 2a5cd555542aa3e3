import Addresses
import BOSHCore
import Bridge
import Handover
import Primitives
import Reactor
import Resolver
import Settings
import StreamCore
import XMLCodec

/// The streams to servers. It knows which there are, which one is served next, when each needs attention, and what they
/// all share: names, breakers, and the number of connections to each server.
///
/// It knows no clients and no protocol of clients: streams exchange values of `Bridge` with their sessions.
final class Upstreams {
    let loop: Loop
    let sites: UpstreamSites
    let reader: UpstreamReader
    let stanzaReturn: StanzaReturn
    unowned let sessions: ClientSides

    private var links = SlotArray<UpstreamLink>(.link)
    private var deadlines = DeadlineQueue()
    /// Links that are written at the end of the batch.
    private var dirty: [UpstreamLink] = []
    /// Links that go on, in their turn, with bytes that they have read earlier.
    private var waiting: [UpstreamLink] = []
    /// Links whose wanted events the kernel refused to watch.
    private var unwatchable: [Token] = []
    /// Connections that race for a link.
    private var races = SlotArray<RaceSocket>(.race)
    private var resolver: ResolverLink
    /// How many bytes the memory account has for the names that are looked up.
    private(set) var chargedNames: UInt32 = 0
    /// How many connections there are to each server.
    private var serverConnections: EndpointCounts
    /// This worker's part of the local ports for connections to one address and port; nil when the kernel does not say.
    let localPorts: Int?
    /// The servers of configured domains, as sessions remember them.
    private(set) var serverNumbers = ServerNumbers()
    /// The servers that failed lately.
    private var breakers: Breakers
    /// The numbers of each server.
    private(set) var servers: ServerRecords
    /// What the operator was told of them lately.
    private var troubles = TroubleLines()
    /// A buffer for the effects of one input, used again each time.
    private var effects = UpstreamEffects()
    /// The stanzas of the present turn.
    private var collected = CollectedStanzas()
    /// A buffer for plain text, used again each time.
    private var plainScratch: [UInt8] = []

    /// - Parameters:
    ///   - files: the contents of the files that the settings name.
    ///   - isSupervised: whether a supervisor gives the processes that look up names.
    /// - Throws: `StartError`, if a certificate that the settings name cannot be used.
    init(_ loop: Loop, files: SettingFiles, sessions: ClientSides, isSupervised: Bool) throws(StartError) {
        self.loop = loop
        self.sessions = sessions
        let settings = loop.settings
        sites = try UpstreamSites(settings, files: files)
        servers = ServerRecords(sites.all.map { ($0.settings.name, $0.namedServers) })
        // Other programs use some of the ports, and the ports of ended connections are not free at once.
        let ports = LocalPorts.count.map { $0 / 10 * 9 + $0 % 10 }
        localPorts = ports.map { loop.share($0) }
        let most = min(settings.upstreamConnections, ports ?? settings.upstreamConnections)
        serverConnections = EndpointCounts(limit: loop.share(most))
        breakers = Breakers(failures: settings.breakerFailures, longestPause: settings.breakerPause)
        let limits = XMLLimits(ofServers: settings)
        reader = UpstreamReader(limits: limits, largestFromClient: settings.maxBody)
        stanzaReturn = StanzaReturn(limits: limits)
        let tokens = (0..<UInt32(ResolverTable.standardCount)).map { Token(.resolver, slot: $0).raw }
        resolver =
            isSupervised
            ? ResolverLink(fromSupervisor: tokens, lookupsOfAddress: settings.addressLookups)
            : ResolverLink(
                arguments: ["holdfast", "resolver"] + (settings.nameserver.map { ["--nameserver", $0] } ?? []),
                tokens: tokens, lookupsOfAddress: settings.addressLookups)
    }

    // MARK: Which there are

    /// All streams, in no particular order.
    var all: [UpstreamLink] { links.all }

    /// How many streams there are.
    var count: Int { links.count }

    /// All connections that race to become a stream's.
    var allRaces: [RaceSocket] { races.all }

    /// How many connections race.
    var raceCount: Int { races.count }

    /// How many servers have at least one counted connection.
    var serverCount: Int { serverConnections.endCount }

    /// Creates the link of a session's stream; `begin` then looks for its server. Returns nil for a domain that is not
    /// served.
    ///
    /// - Parameters:
    ///   - name: the session's name in the log.
    ///   - client: the browser's address, for a server that is told about it.
    func open(
        _ request: StreamRequest, stream: StreamNumber, session: SessionPlace, name: String, client: Endpoint?
    ) -> Token? {
        guard let site = sites[request.domain] else { return nil }
        let token = links.nextToken()
        let link = UpstreamLink(
            token: token, session: session, name: name, stream: stream, site: site, request: request,
            search: search(request, at: site, for: client), now: loop.now)
        links.insert(link, at: token)
        loop.descriptorsInUse += 1
        return token
    }

    /// The number of a stream's site.
    func siteNumber(of token: Token) -> UInt16 { links[token]?.site.number ?? SessionRecord.none }

    /// Has a session remember the server at which its first stream was opened. Strangers may name any number of servers,
    /// so theirs have no numbers.
    ///
    /// - Parameter id: what the server calls the stream.
    func noteServer(of link: UpstreamLink, id: String) {
        guard let session = link.session, link.stream == .first else { return }
        let server = link.site.isOpenProxy ? nil : serverConnections.end(of: link.place)
        let number = server.map { serverNumbers.number(of: $0) } ?? SessionRecord.none
        sessions.note(session) { record in
            record.server = number
            record.streamID = StreamIDStart(id)
        }
    }

    /// By what the server's next elements tell who uses the session; `ignored` once it is known.
    func addresseeRule(for link: UpstreamLink) -> AddresseeRule {
        guard let session = link.session, link.stream == .first, sessions.lacksUser(session) else { return .ignored }
        return link.ask { $0.isManaged } ? .always : .unlessAnswer
    }

    /// Notes who uses a session, as its server says.
    func noteUser(_ jid: String, of link: UpstreamLink) {
        guard let session = link.session, link.stream == .first else { return }
        sessions.noteUser(jid, of: session, at: link.site)
    }

    /// The server to which a link is connected, or the one that is being tried, for a log line.
    func name(ofServerOf link: UpstreamLink) -> String {
        serverConnections.end(of: link.place)?.description ?? link.machine.server?.description ?? link.domain
    }

    /// Looks for the server of a new link.
    func begin(_ token: Token) {
        if let link = links[token] { begin(link) }
    }

    /// Executes a command on a stream; does nothing if the stream has ended.
    func execute(_ command: UpstreamCommand, on token: Token) {
        if let link = links[token] { execute(command, on: link) }
    }

    /// Notes that the session of a stream is over, after the stream has been told.
    func detach(_ token: Token) { links[token]?.session = nil }

    /// Removes a link that is closed.
    func forget(_ link: UpstreamLink) {
        links.remove(link.token)
        loop.descriptorsInUse -= 1
    }

    /// The token of the race that `add` will keep next; the race is created with it.
    func nextRaceToken() -> Token { races.nextToken() }

    /// Keeps a racing connection that was created with the token from the last `nextRaceToken`.
    func add(_ race: RaceSocket) {
        races.insert(race, at: race.token)
        loop.descriptorsInUse += 1
    }

    /// Removes a race that has ended.
    func forget(_ race: RaceSocket) {
        races.remove(race.token)
        loop.descriptorsInUse -= 1
    }

    /// Handles an event of a stream's connection, of a racing connection, or of a resolver.
    func handle(_ event: PollEvent, of token: Token) {
        switch token.kind {
        case .link: if let link = links[token] { handle(event, on: link) }
        case .race: if let race = races[token] { handle(event, on: race) }
        case .resolver:
            let answers = resolver.handle(event, now: loop.now, poller: loop.poller)
            for answer in answers { handle(answer) }
        default: break
        }
    }

    /// Whether the kernel has refused to watch some of the links.
    var hasUnwatchable: Bool { !unwatchable.isEmpty }

    /// Ends the streams that the kernel refused to watch: no event would ever come for them.
    func endUnwatchable() {
        while let token = unwatchable.popLast() { links[token].map(lost) }
    }

    /// Ends a stream at the end of the turn, because the kernel does not watch it for the wanted events.
    func giveUp(_ link: UpstreamLink) { unwatchable.append(link.token) }

    // MARK: What the machines say

    /// Gives the machine of a stream an input, and executes its effects and the inputs that follow from them at once.
    func handle(_ input: consuming UpstreamInput, on link: UpstreamLink) {
        var made = effects
        effects = UpstreamEffects()
        var answers: [UpstreamInput] = []
        var due = link.machine.handle(input, by: link.site.rules, breakers: &breakers, now: loop.now, into: &made)
        while true {
            if let due { schedule(link, at: due) }
            for effect in made.list {
                if let answer = execute(effect, on: link) { answers.append(answer) }
            }
            made.removeAll()
            guard !answers.isEmpty else { break }
            let answer = answers.removeFirst()
            due = link.machine.handle(answer, by: link.site.rules, breakers: &breakers, now: loop.now, into: &made)
        }
        effects = made
    }

    // MARK: Whose turn it is

    /// Whether any stream goes on without an event.
    var hasTurns: Bool { !waiting.isEmpty }

    /// Whether anything is to be written at the end of the turn.
    var hasDirty: Bool { !dirty.isEmpty }

    /// How many streams wait for a turn of the loop, or for its end.
    var waitingCount: Int { dirty.count + waiting.count }

    func markDirty(_ link: UpstreamLink) {
        guard !link.isDirty, !link.isClosed else { return }
        link.isDirty = true
        dirty.append(link)
    }

    /// Writes the output of the batch: one write for each connection, however many events caused it.
    func flushDirty() {
        let batch = dirty
        dirty = []
        for link in batch {
            link.isDirty = false
            flush(link)
        }
    }

    /// Puts a link at the end of the list of those that have not handled all their input.
    func letGoOn(_ link: UpstreamLink) {
        guard !link.isWaiting, link.backlog != nil, link.mayGoOn else { return }
        link.isWaiting = true
        waiting.append(link)
    }

    /// Goes on with the links that have a backlog, the one that has waited longest first, as far as one turn allows.
    func workOnBacklogs() {
        guard !waiting.isEmpty else { return }
        var budget = TurnBudget.ofBacklogs
        var turns = 0
        let links = waiting
        waiting = []
        while turns < links.count, !budget.isSpent {
            links[turns].isWaiting = false
            budget.spend(takeTurn(of: links[turns]), of: .ofStream)
            turns += 1
        }
        waiting.insert(contentsOf: links[turns...], at: 0)
    }

    // MARK: When something has to happen

    /// The earliest deadline of a stream or of a look-up.
    var nextDeadline: MonotonicInstant? {
        let names = resolver.nextDeadline
        guard let links = deadlines.next else { return names }
        return names.map { min($0, links) } ?? links
    }

    /// When a stream is looked at next; nil when nothing is due.
    func due(_ link: UpstreamLink) -> MonotonicInstant? { deadlines.due(link.token.slot) }

    /// Arranges that a stream is looked at again at `deadline`.
    func schedule(_ link: UpstreamLink, at deadline: MonotonicInstant) {
        deadlines.schedule(slot: link.token.slot, at: deadline)
    }

    /// Handles the look-ups that got no answer in time.
    func handleNameDeadlines() {
        for answer in resolver.handleDeadline(now: loop.now, poller: loop.poller) { handle(answer) }
    }

    /// Handles the streams whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            if let link = links[slot: slot] { handleDeadline(of: link) }
        }
    }

    // MARK: What all streams share

    /// The stream that a resolver's answer is for; nil when it is gone.
    func link(askedBy id: UInt64) -> UpstreamLink? { links[Token(raw: id)] }

    /// Asks for a name on behalf of a link; returns the answer if it is known already.
    ///
    /// - Parameter requester: whose turn a stranger's question takes.
    func ask(_ query: ResolverQuery, for link: UpstreamLink, requester: UInt128?) -> ResolverAnswer? {
        resolver.ask(
            id: link.token.raw, query, isStrange: link.site.isOpenProxy, requester: requester,
            now: loop.now, poller: loop.poller)
    }

    /// Marks a name so that the next question causes a new look-up. Returns whether that makes a difference.
    func doubt(_ query: ResolverQuery) -> Bool { resolver.doubt(query, now: loop.now) }

    /// Uses a process of the supervisor's that looks up names.
    ///
    /// - Parameter passed: the connection to it; nil when it was lost on the way.
    func useResolver(_ passed: PassedDescriptor?, at place: Int, tag: UInt32) {
        let answers = resolver.connect(passed?.take(), place: place, tag: tag, now: loop.now, poller: loop.poller)
        for answer in answers { handle(answer) }
    }

    /// Takes what the supervisor has to know of these processes.
    func takeResolverReports() -> [ResolverLink.Report] { resolver.takeReports() }

    /// Notes that the supervisor has ended, so that no further such process comes.
    func endResolverSupply() {
        for answer in resolver.endSupply(now: loop.now, poller: loop.poller) { handle(answer) }
    }

    /// Notes that there is another supervisor, which gives such processes.
    func beginResolverSupply() { resolver.resumeSupply() }

    /// Updates the account with what the look-ups hold now.
    func settleNames() { loop.memory.settle(.names, resolver.heldBytes, charged: &chargedNames) }

    /// The number of connections to the address and port that has most, and the most that it may have.
    var fullestServer: (count: Int, limit: Int) { (serverConnections.largest, serverConnections.limit) }

    /// Counts a connection to an address. Returns nil when there are as many as allowed.
    func openPlace(for address: SocketAddress) -> EndpointCounts.Place? {
        guard let ip = address.ipAddress, let port = address.port else { return .uncounted }
        return serverConnections.open(to: Endpoint(address: ip, port: port))
    }

    /// Stops counting the connection.
    func close(_ place: EndpointCounts.Place) { serverConnections.close(place) }

    func hasConnections(to address: SocketAddress) -> Bool {
        guard let ip = address.ipAddress, let port = address.port else { return false }
        return serverConnections.count(of: Endpoint(address: ip, port: port)) > 0
    }

    /// Whether a stream goes to a domain that is not configured.
    func isOfStranger(_ token: Token) -> Bool { links[token]?.site.isOpenProxy ?? false }

    /// Whether every server of every domain is left alone, as far as this is known: where servers are found by DNS, it
    /// is not.
    var sparesAll: Bool { sites.all.allSatisfy { $0.isSpared(by: breakers, now: loop.now) } }

    /// How many servers are left alone or being probed.
    var openBreakerCount: Int { breakers.openCount }

    /// Changes the numbers of the server of a link.
    func countServer(of link: UpstreamLink, _ change: (inout ServerHealth) -> Void) {
        servers.count(at: link.server, change)
    }

    /// Counts a trouble that the operator is to be told of; the result is that of `TroubleLines.note`.
    func count(_ trouble: UpstreamTrouble.Label, about: String) -> UInt64? {
        troubles.note(trouble, about: about, now: loop.now)
    }

    /// How a server stands with its breakers.
    func standing(of server: ServerRecords.Record) -> ServerStanding {
        ServerStanding(server.keys, by: breakers, now: loop.now)
    }

    /// Whether all servers of a site are left alone, as far as this is known.
    func spares(_ site: UpstreamSite) -> Bool { site.isSpared(by: breakers, now: loop.now) }

    /// The servers that one stream each is probing while all others are refused.
    var probedServers: [UpstreamKey] { breakers.probed }

    /// Collects something for the client until the turn of its stream is over.
    func collect(_ change: (inout CollectedStanzas) -> Void) { change(&collected) }

    /// Whether stanzas are collected; never true between two turns.
    var hasCollected: Bool { collected.count > 0 }

    /// Takes what was collected.
    func takeCollected() -> CollectedStanzas? {
        guard hasCollected else { return nil }
        defer { collected = CollectedStanzas() }
        return collected
    }

    /// Lends the buffer for plain text, empty.
    func takePlainScratch() -> [UInt8] {
        var plain = plainScratch
        plainScratch = []
        plain.removeAll(keepingCapacity: true)
        return plain
    }

    /// Takes the buffer back.
    func giveBack(plainScratch: [UInt8]) { self.plainScratch = plainScratch }
}
