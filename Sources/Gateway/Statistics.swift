import BOSHCore
import Bridge
import Primitives
import Settings
import StreamCore

/// What `/stats` shows. Names are stable; new ones may be added.
struct Statistics: Encodable {
    struct Sessions: Encodable {
        let now: Int
        let ever: UInt64
        let opening: Int
        let notLoggedIn: Int
        let addresses: Int
        let heldRequests: Int
        let ended: [String: UInt64]
        let refused: [String: UInt64]
        let unknownSid: UInt64
        let spareResponseBytes: Int
        let responsesEvicted: UInt64
    }

    struct HTTP: Encodable {
        let connectionsNow: Int
        let connectionsEver: UInt64
        let connectionsTurnedAway: UInt64
        let connectionsUntrusted: UInt64
        let requests: UInt64
        let requestsRefused: UInt64
        let bytesIn: UInt64
        let bytesOut: UInt64
    }

    struct Upstream: Encodable {
        let streamsNow: Int
        let connects: UInt64
        let failures: [String: UInt64]
        let bytesIn: UInt64
        let bytesOut: UInt64
        let stanzasIn: UInt64
        let stanzasOut: UInt64
        let stanzasReturned: UInt64
        let breakersOpen: Int
    }

    /// What peers have the worker hold, in bytes; not what OpenSSL and the kernel hold for them.
    struct Memory: Encodable {
        let limit: Int
        let held: Int
        let bodies: Int
        let answers: Int
        let requests: Int
        let replays: Int
        let stanzas: Int
        let upstream: Int
        let names: Int
        /// 0, or 1 above the first mark and 2 above the second.
        let pressure: Int
    }

    /// One site: a domain, or `*` for all that an open proxy reaches.
    struct Site: Encodable {
        let streamsNow: Int
        let streamsOpened: UInt64
        let connects: UInt64
        let handshakesResumed: UInt64
        let failures: [String: UInt64]
        let connectTime: Latency
        let handshakeTime: Latency
        let openTime: Latency
    }

    /// Seconds; `atMost` counts by upper bound.
    struct Latency: Encodable {
        let count: UInt64
        let sum: Double
        let longest: Double
        let atMost: [String: UInt64]
    }

    let schema = 1
    let version: String
    let uptimeSeconds: Int64
    let sessions: Sessions
    let http: HTTP
    let upstream: Upstream
    let sites: [String: Site]
    /// How often each bound was reached, by the name of its setting.
    let limits: [String: UInt64]
    let memory: Memory

    private enum CodingKeys: CodingKey {
        case schema, version, uptimeSeconds, sessions, http, upstream, sites, limits, memory
    }

    init(of worker: Worker) {
        let counters = worker.loop.counters
        var held = 0
        var opening = 0
        for driver in worker.sessions.all {
            held += driver.session.heldCount
            if driver.session.phase == .opening { opening += 1 }
        }
        worker.loop.addresses.forgetRested(now: worker.loop.planTime)
        version = Version.text
        uptimeSeconds = worker.loop.now.elapsed(since: worker.loop.startedAt).components.seconds
        sessions = Sessions(
            now: worker.sessions.count, ever: counters.sessionsEver, opening: opening,
            notLoggedIn: worker.sessions.loginCount, addresses: worker.loop.addresses.count, heldRequests: held,
            ended: Self.named(counters.sessionEnds), refused: Self.named(counters.sessionsRefused),
            unknownSid: counters.unknownSessions, spareResponseBytes: worker.sessions.spareResponseBytes,
            responsesEvicted: counters.responsesEvicted)
        http = HTTP(
            connectionsNow: worker.clients.count, connectionsEver: counters.connectionsEver,
            connectionsTurnedAway: counters.connectionsTurnedAway,
            connectionsUntrusted: counters.connectionsUntrusted, requests: counters.requests,
            requestsRefused: counters.requestsRefused, bytesIn: counters.bytesFromClients,
            bytesOut: counters.bytesToClients)
        upstream = Upstream(
            streamsNow: worker.upstreams.count, connects: counters.upstreamConnects,
            failures: counters.upstreamFailures,
            bytesIn: counters.bytesFromUpstream, bytesOut: counters.bytesToUpstream,
            stanzasIn: counters.stanzasToClients, stanzasOut: counters.stanzasToUpstream,
            stanzasReturned: counters.stanzasReturned,
            breakersOpen: worker.upstreams.openBreakerCount)
        sites = Dictionary(
            worker.upstreams.sites.all.map { ($0.name, Site(of: $0.health)) }, uniquingKeysWith: { first, _ in first })
        limits = counters.bounds.byName
        memory = Memory(of: worker.loop.memory)
    }

    /// Every reason appears, those that never occurred with zero, so that a graph can be drawn from the first day.
    private static func named<Reason: RawRepresentable<String> & CaseIterable & Hashable>(
        _ counts: [Reason: UInt64]
    ) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: Reason.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
    }
}

extension Statistics.Memory {
    init(of account: ByteAccount) {
        limit = account.limit
        held = account.total
        bodies = account.held(.bodies)
        answers = account.held(.answers)
        requests = account.held(.requests)
        replays = account.held(.replays)
        stanzas = account.held(.stanzas)
        upstream = account.held(.upstream)
        names = account.held(.names)
        pressure = account.pressure.rawValue
    }
}

extension Statistics.Site {
    init(of health: UpstreamHealth) {
        streamsNow = health.openNow
        streamsOpened = health.opened
        connects = health.connects
        handshakesResumed = health.resumedHandshakes
        let zeros = Dictionary(uniqueKeysWithValues: StreamFailure.labels.map { ($0, UInt64(0)) })
        failures = zeros.merging(health.failures) { _, count in count }
        connectTime = Statistics.Latency(health.connectTime)
        handshakeTime = Statistics.Latency(health.handshakeTime)
        openTime = Statistics.Latency(health.openTime)
    }
}

extension Statistics.Latency {
    init(_ summary: LatencySummary) {
        count = summary.count
        sum = summary.sum / .seconds(1)
        longest = summary.longest / .seconds(1)
        let bounds = LatencySummary.bounds.map { "\($0 / .seconds(1))" } + ["inf"]
        var total: UInt64 = 0
        var counts: [String: UInt64] = [:]
        for (bound, count) in zip(bounds, summary.buckets) {
            total &+= count
            counts[bound] = total
        }
        atMost = counts
    }
}
