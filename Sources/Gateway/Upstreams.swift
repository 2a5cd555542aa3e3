import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import Resolver
import Settings
import StreamCore
import XMLCodec

/// The streams to servers: which there are, whose turn it is, when something has to happen on one, and what all of them
/// share: names, breakers, how many connections each server has.
///
/// It knows no client and no protocol of clients: what a stream is told and tells are values of `Bridge`.
final class Upstreams {
    let loop: Loop
    let sites: UpstreamSites
    let reader: UpstreamReader
    let stanzaReturn: StanzaReturn
    unowned let sessions: Sessions

    private var links = SlotArray<UpstreamLink>(.link)
    private var deadlines = DeadlineQueue()
    /// Links that are written at the end of the batch.
    private var dirty: [UpstreamLink] = []
    /// Links that go on with bytes which they have read earlier, when it is their turn.
    private var waiting: [UpstreamLink] = []
    /// Links that the kernel refused to watch for what was wanted.
    private var unwatchable: [Token] = []
    /// Connections that race for a link.
    private var races = SlotArray<RaceSocket>(.race)
    private var resolver: ResolverLink
    /// What the account has of the names that are asked for.
    private(set) var chargedNames: UInt32 = 0
    /// How many connections there are to each server.
    private var serverConnections: EndpointCounts
    /// The servers that failed lately.
    private var breakers: Breakers
    /// Reused for the effects of one input.
    private var effects = UpstreamEffects()
    /// Stanzas of the turn that is being taken.
    private var collected = CollectedStanzas()
    /// Reused for plain text.
    private var plainScratch: [UInt8] = []

    /// - Throws: `StartError`: a certificate that the settings name cannot be read.
    init(_ loop: Loop, sessions: Sessions) throws(StartError) {
        self.loop = loop
        self.sessions = sessions
        let settings = loop.settings
        sites = try UpstreamSites(settings)
        // Some ports are others', and those of connections that ended are not free at once.
        let ports = LocalPorts.count.map { $0 / 10 * 9 + $0 % 10 } ?? settings.upstreamConnections
        serverConnections = EndpointCounts(limit: min(settings.upstreamConnections, ports))
        breakers = Breakers(failures: settings.breakerFailures, longestPause: settings.breakerPause)
        let limits = XMLLimits(ofServers: settings)
        reader = UpstreamReader(limits: limits, largestFromClient: settings.maxBody)
        stanzaReturn = StanzaReturn(limits: limits)
        resolver = ResolverLink(
            arguments: ["holdfast", "resolver"] + (settings.nameserver.map { ["--nameserver", $0] } ?? []),
            tokens: (0..<Self.resolverCount).map { Token(.resolver, slot: $0).raw },
            lookupsOfAddress: settings.addressLookups)
    }

    // MARK: Which there are

    /// All streams, in no order that means anything.
    var all: [UpstreamLink] { links.all }

    /// How many streams there are.
    var count: Int { links.count }

    /// All connections that race to become a stream's.
    var allRaces: [RaceSocket] { races.all }

    /// How many of those there are.
    var raceCount: Int { races.count }

    /// How many servers some connection counts for.
    var serverCount: Int { serverConnections.endCount }

    /// Makes the link of a session's stream, which `begin` has looked for its server; nil for a domain that is not served.
    ///
    /// - Parameter client: the browser, for a server that wants to know it.
    func open(
        _ request: StreamRequest, stream: StreamNumber, session: UInt32, sid: SessionID, client: Endpoint?
    ) -> Token? {
        guard let site = sites[request.domain] else { return nil }
        let token = links.nextToken()
        let link = UpstreamLink(
            token: token, session: session, sid: sid, stream: stream, site: site, request: request,
            search: search(request, at: site, for: client), now: loop.now)
        links.insert(link, at: token)
        loop.descriptorsInUse += 1
        return token
    }

    /// Looks for the server of a link that was made just now.
    func begin(_ token: Token) {
        if let link = links[token] { begin(link) }
    }

    /// Has a stream do something; nothing happens where it has ended.
    func execute(_ command: UpstreamCommand, on token: Token) {
        if let link = links[token] { execute(command, on: link) }
    }

    /// The session of a stream is over, and the stream has been told.
    func detach(_ token: Token) { links[token]?.session = nil }

    /// Lets go of a link that is closed.
    func forget(_ link: UpstreamLink) {
        links.remove(link.token)
        loop.descriptorsInUse -= 1
    }

    /// The token of the race that `add` will keep next; races are made with it.
    func nextRaceToken() -> Token { races.nextToken() }

    /// Keeps a connection that races, made with the token that `nextRaceToken` just gave.
    func add(_ race: RaceSocket) {
        races.insert(race, at: race.token)
        loop.descriptorsInUse += 1
    }

    /// Lets go of a race that has ended.
    func forget(_ race: RaceSocket) {
        races.remove(race.token)
        loop.descriptorsInUse -= 1
    }

    /// Takes in an event of a stream's connection, of one that races, or of a resolver.
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

    /// Ends what the kernel refused to watch for what was wanted: nothing would ever be heard of it again.
    func endUnwatchable() {
        while let token = unwatchable.popLast() { links[token].map(lost) }
    }

    /// Has a stream ended with the turn, because the kernel does not watch it for what is wanted.
    func giveUp(_ link: UpstreamLink) { unwatchable.append(link.token) }

    // MARK: What the machines say

    /// Gives the machine of a stream an input and does what it says, and what follows from that at once.
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

    /// Whether some stream goes on without an event.
    var hasTurns: Bool { !waiting.isEmpty }

    /// Whether something is to be written at the end of the turn.
    var hasDirty: Bool { !dirty.isEmpty }

    /// How many wait for a turn of the loop, or for its end.
    var waitingCount: Int { dirty.count + waiting.count }

    func markDirty(_ link: UpstreamLink) {
        guard !link.isDirty, !link.isClosed else { return }
        link.isDirty = true
        dirty.append(link)
    }

    /// Writes what the batch produced: one write for each connection, however many events led to it.
    func flushDirty() {
        let batch = dirty
        dirty = []
        for link in batch {
            link.isDirty = false
            flush(link)
        }
    }

    /// Puts a link behind those that have not handled all they read.
    func letGoOn(_ link: UpstreamLink) {
        guard !link.isWaiting, link.backlog != nil, link.mayGoOn else { return }
        link.isWaiting = true
        waiting.append(link)
    }

    /// Lets the links that were not done go on, the one that has waited longest first, as far as it goes in one turn.
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

    /// The earliest deadline of a stream or of a question for a name.
    var nextDeadline: MonotonicInstant? {
        let names = resolver.nextDeadline
        guard let links = deadlines.next else { return names }
        return names.map { min($0, links) } ?? links
    }

    /// When a stream is looked at next; nil when nothing is due.
    func due(_ link: UpstreamLink) -> MonotonicInstant? { deadlines.due(link.token.slot) }

    /// Has a stream looked at again at `deadline`.
    func schedule(_ link: UpstreamLink, at deadline: MonotonicInstant) {
        deadlines.schedule(slot: link.token.slot, at: deadline)
    }

    /// Sees to the questions that nobody has answered.
    func handleNameDeadlines() {
        for answer in resolver.handleDeadline(now: loop.now, poller: loop.poller) { handle(answer) }
    }

    /// Sees to the streams whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            if let link = links[slot: slot] { handleDeadline(of: link) }
        }
    }

    // MARK: What all streams share

    /// The stream that a resolver's answer is for; nil when it is gone.
    func link(askedBy id: UInt64) -> UpstreamLink? { links[Token(raw: id)] }

    /// Asks for a name on a link's behalf; the answer when it is known already.
    ///
    /// - Parameter requester: whose turn a stranger's question takes.
    func ask(_ query: ResolverQuery, for link: UpstreamLink, requester: UInt128?) -> ResolverAnswer? {
        resolver.ask(
            id: link.token.raw, query, isStrange: link.site.isOpenProxy, requester: requester,
            now: loop.now, poller: loop.poller)
    }

    /// Has a name looked up again by whoever asks next; whether that makes a difference.
    func doubt(_ query: ResolverQuery) -> Bool { resolver.doubt(query, now: loop.now) }

    /// Takes in what the questions hold now.
    func settleNames() { loop.memory.settle(.names, resolver.heldBytes, charged: &chargedNames) }

    /// Counts a connection to an address; nil when there are as many as there may be.
    func openPlace(for address: SocketAddress) -> EndpointCounts.Place? {
        guard let ip = address.ipAddress, let port = address.port else { return .uncounted }
        return serverConnections.open(to: Endpoint(address: ip, port: port))
    }

    /// Counts it no more.
    func close(_ place: EndpointCounts.Place) { serverConnections.close(place) }

    func hasConnections(to address: SocketAddress) -> Bool {
        guard let ip = address.ipAddress, let port = address.port else { return false }
        return serverConnections.count(of: Endpoint(address: ip, port: port)) > 0
    }

    /// How many servers are left alone, or are being tried again.
    var openBreakerCount: Int { breakers.openCount }

    /// The servers that one stream each is trying, while all others are refused.
    var probedServers: [UpstreamKey] { breakers.probed }

    /// Keeps something for the client until the turn of its stream is over.
    func collect(_ change: (inout CollectedStanzas) -> Void) { change(&collected) }

    /// Takes what was kept.
    func takeCollected() -> CollectedStanzas? {
        guard collected.count > 0 else { return nil }
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

    /// Takes it back.
    func giveBack(plainScratch: [UInt8]) { self.plainScratch = plainScratch }

    /// How many names are looked up at the same time: a name server that is slow to answer for one must not hold up all. Two
    /// are for the operator's domains, and of the rest one stranger may take `address-lookups`.
    private static let resolverCount: UInt32 = 6
}
