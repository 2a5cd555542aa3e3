import Addresses
import BOSHCore
import HTTPWire

/// All settings of one run. They are valid: no code that has this type checks a value again.
package struct Settings: Equatable, Sendable {
    /// The addresses at which web clients connect. No two are alike; empty only when `listenProxy` is not.
    package let listen: [ListenAddress]
    /// The addresses at which connections begin with a PROXY header. No two are alike, and none is in `listen` too.
    package let listenProxy: [ListenAddress]
    /// The peers that are believed when they name a client's address.
    package let trustedProxies: [IPNetwork]
    package let clientAddressFrom: ForwardedHeader
    /// `forwarded` only if `clientAddressFrom` is that too.
    package let clientSchemeFrom: SchemeHeader
    /// The address of the admin endpoints; `nil` when they are off.
    package let admin: ListenAddress?
    /// The domains served by name, each once; empty only with the open proxy.
    package let domains: [DomainSettings]
    /// The `name` of one of `domains`.
    package let defaultDomain: String?
    /// How domains that are not in `domains` are reached: by DNS, without pins, certificates or PROXY headers, which
    /// are for known servers. `nil` when such domains are not served.
    package let openProxy: DomainSettings?
    /// The servers that a client or another server may ask for. Their priority and weight have no meaning.
    package let routes: [UpstreamAddress]
    /// `ADDR:PORT`, with an IPv6 address in brackets; `nil` for the system's resolver.
    package let nameserver: String?
    /// Begins with one `/` and does not end with one, unless it is `/`.
    package let path: String
    /// `https://…` URLs as clients are told, no two alike; empty when none are told.
    package let publicURLs: [String]
    /// The paths of the WebSocket endpoint, in the same form as `path`; empty when it is off.
    package let webSocketPaths: [String]
    /// `wss://…` URLs as clients are told, no two alike.
    package let publicWebSocketURLs: [String]
    /// 0...3600 s; 0 for no pings.
    package let webSocketPing: Duration
    /// The path of the endpoint for HTTP polling, in the same form as `path`; nil when it is off.
    package let pollingPath: String?
    /// How long a request of HTTP polling waits for the server to send something.
    package let pollingHold: Duration
    /// How long a client of HTTP polling may send no request until its session ends.
    package let pollingInactivity: Duration
    /// Whether a client of HTTP polling has to use keys.
    package let pollingRequiresKeys: Bool
    /// Whether a WebSocket needs an `Origin`.
    package let requiresOrigin: Bool
    /// Which pages may use the endpoint.
    package let crossOrigin: CrossOriginPolicy
    /// The header fields that pages may send; empty for all that their browsers ask for.
    package let crossOriginHeaders: [String]
    /// 1...3600 s.
    package let maxWait: Duration
    /// 5...65535 s.
    package let inactivity: Duration
    /// 1...10; the `requests` announced is one more.
    package let maxHold: Int
    /// Bytes, 1024...8 MiB, the most that libxml2 takes in one piece.
    package let maxBody: Int
    package let logLevel: LogLevels
    /// Whether operators are told the accounts of users.
    package let logsUsers: Bool
    package let logFormat: LogFormat
    package let logPriorities: LogPriorities
    package let accessLog: AccessLogPlace
    package let accessLogFormat: AccessLogFormat
    /// 1...1,000,000.
    package let accessLogSample: Int

    package let headTimeout: Duration
    package let bodyTimeout: Duration
    package let drain: Duration
    package let sendTimeout: Duration
    package let idleTimeout: Duration
    package let polling: Duration
    package let maxpause: Duration
    /// For connecting, TLS and features together.
    package let connectTimeout: Duration
    package let upstreamWriteTimeout: Duration
    /// For the rest of an element that a server has begun.
    package let stanzaTimeout: Duration
    package let keepaliveInterval: Duration
    /// Failures in a row, 0...1000; 0 turns the breaker off.
    package let breakerFailures: Int
    /// The longest pause, 1...3600 s.
    package let breakerPause: Duration
    /// Bytes of one element from a server, 10,000...8 MiB; a larger one is skipped.
    package let maxStanza: Int
    /// 8...10,000, for an element from a server.
    package let stanzaDepth: Int
    /// 8...10,000 for one element from a server, namespace declarations included.
    package let stanzaAttributes: Int
    /// Bytes of one skipped element, 8 MiB...1 GiB.
    package let maxSkipped: Int
    /// 8...200 in a request, the outermost element included.
    package let xmlDepth: Int
    /// 8...1024 for one element in a request, namespace declarations included.
    package let xmlAttributes: Int
    /// Bytes in each direction.
    package let sessionBuffer: Int
    package let compressesResponses: Bool
    /// Bytes of a body, 64...1 MiB.
    package let compressFrom: Int
    /// Bytes.
    package let replayBudget: Int

    /// Host names in lower case.
    package let adminHosts: [String]
    /// The path of the file with the token for the admin endpoints; nil when none is needed.
    package let adminTokenFile: String?
    package let workers: WorkerCount
    /// 0...2,592,000 s.
    package let linger: Duration
    /// 1...32.
    package let generations: Int
    /// Nil when no commands are taken.
    package let control: ListenAddress?
    /// The name of this machine in each `sid`; nil when it is made of the host's name.
    package let node: NodeName?
    /// The name of the user that serves; nil when the user does not change.
    package let user: String?
    /// The name of the group that goes with it; nil for the user's own, and always without a user.
    package let group: String?
    package let coreDumps: Bool

    package let memoryLimit: ByteLimit
    /// 0 for no limit.
    package let maxSessions: Int
    /// In a second; 0 for no limit.
    package let creationRate: Int
    /// From a session's creation until its server accepts the login.
    package let loginTimeout: Duration
    /// Bytes of a request body before login.
    package let loginBody: Int
    /// Sessions that have not logged in; 0 for half of the descriptors.
    package let loginSessions: Int
    package let addressConnections: Int
    package let addressSessions: Int
    package let addressLogins: Int
    /// In a minute.
    package let addressCreations: Int
    /// In a minute; 0 for no limit.
    package let addressLoginFailures: Int
    /// Bytes.
    package let addressMemory: Int
    package let addressLookups: Int
    /// Bits, 32...128.
    package let ipv6Prefix: Int
    /// In a second.
    package let sessionRequests: Int
    /// In a second.
    package let sessionRepeats: Int
    /// Bytes of answers that may wait on one connection.
    package let connectionBuffer: Int
    /// Bytes a second; 0 for no lowest rate.
    package let bodyRate: Int
    /// Bytes a second; 0 for no lowest rate.
    package let sendRate: Int
    /// Bytes of a request body for each byte of its compressed form.
    package let maxExpansion: Int
    package let xmlElements: Int
    /// Streams to one address and port.
    package let upstreamConnections: Int

    /// The place where each value that is not a default was written, by the setting's name; for a repeatable setting,
    /// its first.
    package let origins: [String: SettingOrigin]
    /// What is allowed and probably not meant, each in the form of an error.
    package let warnings: [SettingsError]
    /// The entries that `resolve` was given: it makes equal settings of them in another process.
    package let entries: [SettingEntry]

    /// Makes settings of `entries`.
    ///
    /// A flag wins over the environment, and the environment over a file; for a repeatable setting the whole list does.
    /// A value in a domain's own table wins over all of these.
    ///
    /// - Throws: `SettingsError` for the first entry that is invalid by itself or given too often; then for a missing
    ///   setting; then for values that contradict each other.
    package static func resolve(entries: [SettingEntry]) throws(SettingsError) -> Settings {
        try Settings(SettingsReader(entries), entries)
    }

    /// All faults of single entries, in their order, for a caller that wants to report them all at once. `resolve`
    /// finds faults between entries.
    package static func faults(in entries: [SettingEntry]) -> [SettingsError] {
        entries.compactMap(\.fault)
    }

    private init(_ reader: SettingsReader, _ entries: [SettingEntry]) throws(SettingsError) {
        self.entries = entries
        let common = reader.common
        listen = try common.all(SettingsTable.listen)
        listenProxy = try common.all(SettingsTable.listenProxy)
        trustedProxies = try common.all(SettingsTable.trustedProxy)
        clientAddressFrom = try common.one(SettingsTable.clientAddressFrom)
        clientSchemeFrom = try common.one(SettingsTable.clientSchemeFrom)
        let adminAddress = try common.one(SettingsTable.admin)
        domains = try Self.domains(reader)
        openProxy =
            try common.one(SettingsTable.openProxy) == .on ? try DomainSettings(openProxy: common) : nil
        defaultDomain = try common.optional(SettingsTable.defaultDomain)
        routes = try common.all(SettingsTable.route)
        nameserver = try common.optional(SettingsTable.nameserver)
        path = try common.one(SettingsTable.path)
        publicURLs = try common.all(SettingsTable.publicURL)
        webSocketPaths = try Self.readWebSocketPaths(common)
        publicWebSocketURLs = try common.all(SettingsTable.publicWebSocketURL)
        webSocketPing = try common.one(SettingsTable.webSocketPing)
        pollingPath = try Self.readPollingPath(common, others: [path] + webSocketPaths)
        pollingHold = try common.one(SettingsTable.pollingHold)
        pollingInactivity = try common.one(SettingsTable.pollingInactivity)
        pollingRequiresKeys = try common.one(SettingsTable.pollingRequireKeys) == .on
        requiresOrigin = try common.one(SettingsTable.requireOrigin) == .on
        (crossOrigin, crossOriginHeaders) = try Self.readCrossOrigin(common)
        maxWait = try common.one(SettingsTable.maxWait)
        inactivity = try common.one(SettingsTable.inactivity)
        maxHold = try common.one(SettingsTable.maxHold)
        maxBody = try common.one(SettingsTable.maxBody)
        logLevel = try common.one(SettingsTable.logLevel)
        logsUsers = try common.one(SettingsTable.logUsers) == .on
        logFormat = try common.one(SettingsTable.logFormat)
        logPriorities = try common.one(SettingsTable.logPriorities)
        accessLog = try common.one(SettingsTable.accessLog)
        accessLogFormat = try common.one(SettingsTable.accessLogFormat)
        accessLogSample = try common.one(SettingsTable.accessLogSample)
        headTimeout = try common.one(SettingsTable.headTimeout)
        bodyTimeout = try common.one(SettingsTable.bodyTimeout)
        drain = try common.one(SettingsTable.drain)
        sendTimeout = try common.one(SettingsTable.sendTimeout)
        idleTimeout = try common.one(SettingsTable.idleTimeout)
        polling = try common.one(SettingsTable.polling)
        maxpause = try common.one(SettingsTable.maxpause)
        connectTimeout = try common.one(SettingsTable.connectTimeout)
        upstreamWriteTimeout = try common.one(SettingsTable.upstreamWriteTimeout)
        stanzaTimeout = try common.one(SettingsTable.stanzaTimeout)
        keepaliveInterval = try common.one(SettingsTable.keepaliveInterval)
        breakerFailures = try common.one(SettingsTable.breakerFailures)
        breakerPause = try common.one(SettingsTable.breakerPause)
        maxStanza = try common.one(SettingsTable.maxStanza)
        stanzaDepth = try common.one(SettingsTable.stanzaDepth)
        stanzaAttributes = try common.one(SettingsTable.stanzaAttributes)
        maxSkipped = try common.one(SettingsTable.maxSkipped)
        xmlDepth = try common.one(SettingsTable.xmlDepth)
        xmlAttributes = try common.one(SettingsTable.xmlAttributes)
        sessionBuffer = try common.one(SettingsTable.sessionBuffer)
        compressesResponses = try common.one(SettingsTable.compressResponses) == .on
        compressFrom = try common.one(SettingsTable.compressFrom)
        replayBudget = try common.one(SettingsTable.replayBudget)
        adminHosts = try common.all(SettingsTable.adminHost)
        adminTokenFile = try common.optional(SettingsTable.adminTokenFile)
        workers = try common.one(SettingsTable.workers)
        linger = try common.one(SettingsTable.linger)
        generations = try common.one(SettingsTable.generations)
        control = if case .on(let place) = try common.one(SettingsTable.control) { place } else { nil }
        node = try common.optional(SettingsTable.node)
        user = try common.optional(SettingsTable.user)
        group = try common.optional(SettingsTable.group)
        coreDumps = try common.one(SettingsTable.coreDumps) == .on
        memoryLimit = try common.one(SettingsTable.memoryLimit)
        maxSessions = try common.one(SettingsTable.maxSessions)
        creationRate = try common.one(SettingsTable.creationRate)
        loginTimeout = try common.one(SettingsTable.loginTimeout)
        loginBody = try common.one(SettingsTable.loginBody)
        loginSessions = try common.one(SettingsTable.loginSessions)
        addressConnections = try common.one(SettingsTable.addressConnections)
        addressSessions = try common.one(SettingsTable.addressSessions)
        addressLogins = try common.one(SettingsTable.addressLogins)
        addressCreations = try common.one(SettingsTable.addressCreations)
        addressLoginFailures = try common.one(SettingsTable.addressLoginFailures)
        addressMemory = try common.one(SettingsTable.addressMemory)
        addressLookups = try common.one(SettingsTable.addressLookups)
        ipv6Prefix = try common.one(SettingsTable.ipv6Prefix)
        sessionRequests = try common.one(SettingsTable.sessionRequests)
        sessionRepeats = try common.one(SettingsTable.sessionRepeats)
        connectionBuffer = try common.one(SettingsTable.connectionBuffer)
        bodyRate = try common.one(SettingsTable.bodyRate)
        sendRate = try common.one(SettingsTable.sendRate)
        maxExpansion = try common.one(SettingsTable.maxExpansion)
        xmlElements = try common.one(SettingsTable.xmlElements)
        upstreamConnections = try common.one(SettingsTable.upstreamConnections)
        origins = common.origins
        warnings = Self.warnings(reader, maxWait: maxWait, domains: domains, hasOpenProxy: openProxy != nil)
        admin = if case .on(let address) = adminAddress { address } else { nil }

        if listen.isEmpty, listenProxy.isEmpty { throw common.missing(SettingsTable.listen.row) }
        if let control {
            if (listen + listenProxy).contains(control) {
                throw common.conflict(SettingsTable.control.row, "is an address for clients too")
            }
            if admin == control { throw common.conflict(SettingsTable.control.row, "is the address of admin too") }
        }
        try Self.checkOverlaps(
            common,
            [
                (SettingsTable.listen.row, listen), (SettingsTable.listenProxy.row, listenProxy),
                (SettingsTable.admin.row, [admin].compactMap { $0 }),
            ])
        if clientSchemeFrom == .forwarded, clientAddressFrom != .forwarded {
            throw common.conflict(
                SettingsTable.clientSchemeFrom.row,
                "goes only with client-address-from = forwarded: the scheme stands beside the address")
        }
        if group != nil, user == nil { throw common.conflict(SettingsTable.group.row, "has no meaning without user") }
        if let defaultDomain, !domains.contains(where: { $0.name == defaultDomain }) {
            throw common.conflict(SettingsTable.defaultDomain.row, "is none of the domains served")
        }
    }

    /// The domains of the list, then those that only have tables.
    private static func domains(_ reader: SettingsReader) throws(SettingsError) -> [DomainSettings] {
        let listed = try reader.common.all(SettingsTable.domain)
        if listed.isEmpty, reader.tables.isEmpty, try reader.common.one(SettingsTable.openProxy) == .off {
            throw reader.common.missing(SettingsTable.domain.row)
        }
        var domains: [DomainSettings] = []
        for name in listed {
            let table = reader.tables.first { $0.domain == name }
            domains.append(try DomainSettings(name, table?.scope ?? reader.common))
        }
        for table in reader.tables where !listed.contains(table.domain) {
            domains.append(try DomainSettings(table.domain, table.scope))
        }
        return domains
    }
}
