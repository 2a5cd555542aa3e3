/// All settings of one run, valid: nothing behind this type checks a value again.
package struct Settings: Equatable, Sendable {
    /// Where web clients are served; at least one, no two alike.
    package let listen: [ListenAddress]
    /// Where the admin endpoints are served; `nil` for nowhere.
    package let admin: ListenAddress?
    /// The XMPP domains served, lower case, no final dot; at least one, no two alike.
    package let domains: [String]
    /// The XMPP server.
    package let upstream: UpstreamAddress
    package let upstreamTLS: UpstreamTLS
    /// A PEM file; `nil` for the system's trust store. Never set together with `upstreamTLS` `none`.
    package let upstreamCA: String?
    /// Begins with `/` and does not end with one unless it is `/`.
    package let path: String
    /// `https://…` as clients are told, no two alike; empty when nothing is said.
    package let publicURLs: [String]
    /// 1...3600 s.
    package let maxWait: Duration
    /// 5...65535 s.
    package let inactivity: Duration
    /// 1...10; the `requests` announced is one more.
    package let maxHold: Int
    /// Bytes, 1024...8 MiB, which libxml2 takes in one piece.
    package let maxBody: Int
    package let logLevel: LogLevel

    package let headTimeout: Duration
    package let bodyTimeout: Duration
    package let sendTimeout: Duration
    package let idleTimeout: Duration
    package let polling: Duration
    package let maxpause: Duration
    /// For connecting, TLS and features together.
    package let connectTimeout: Duration
    package let upstreamWriteTimeout: Duration
    package let keepaliveInterval: Duration
    /// Bytes in each direction.
    package let sessionBuffer: Int
    package let compressesResponses: Bool
    /// Bytes of a body, 64...1 MiB.
    package let compressFrom: Int
    /// Bytes.
    package let replayBudget: Int

    /// Where each value that is not a default was written, by the setting's name; of a repeatable one, the first.
    package let origins: [String: SettingOrigin]

    /// The settings that `entries` make.
    ///
    /// A flag wins over the environment, the environment over a file; for a repeatable setting the whole list does.
    ///
    /// - Throws: `SettingsError` for an entry that no setting knows or that is one too many; then, in the order of the table,
    ///   for the first setting that is wrong or missing; then for values that contradict each other.
    package static func resolve(entries: [SettingEntry]) throws(SettingsError) -> Settings {
        try Settings(SettingsReader(entries))
    }

    private init(_ reader: SettingsReader) throws(SettingsError) {
        listen = try reader.all(SettingsTable.listen)
        let adminAddress = try reader.one(SettingsTable.admin)
        domains = try reader.all(SettingsTable.domain)
        upstream = try reader.one(SettingsTable.upstream)
        upstreamTLS = try reader.one(SettingsTable.upstreamTLS)
        upstreamCA = try reader.optional(SettingsTable.upstreamCA)
        path = try reader.one(SettingsTable.path)
        publicURLs = try reader.anyNumber(SettingsTable.publicURL)
        maxWait = try reader.one(SettingsTable.maxWait)
        inactivity = try reader.one(SettingsTable.inactivity)
        maxHold = try reader.one(SettingsTable.maxHold)
        maxBody = try reader.one(SettingsTable.maxBody)
        logLevel = try reader.one(SettingsTable.logLevel)
        headTimeout = try reader.one(SettingsTable.headTimeout)
        bodyTimeout = try reader.one(SettingsTable.bodyTimeout)
        sendTimeout = try reader.one(SettingsTable.sendTimeout)
        idleTimeout = try reader.one(SettingsTable.idleTimeout)
        polling = try reader.one(SettingsTable.polling)
        maxpause = try reader.one(SettingsTable.maxpause)
        connectTimeout = try reader.one(SettingsTable.connectTimeout)
        upstreamWriteTimeout = try reader.one(SettingsTable.upstreamWriteTimeout)
        keepaliveInterval = try reader.one(SettingsTable.keepaliveInterval)
        sessionBuffer = try reader.one(SettingsTable.sessionBuffer)
        compressesResponses = try reader.one(SettingsTable.compressResponses) == .on
        compressFrom = try reader.one(SettingsTable.compressFrom)
        replayBudget = try reader.one(SettingsTable.replayBudget)
        origins = reader.origins

        if case .on(let address) = adminAddress {
            admin = address
            // Two listeners with port 0 get two ports.
            if listen.contains(address), !address.isPortChosenByKernel {
                throw reader.conflict(SettingsTable.admin.row, "is an address of --listen too")
            }
        } else {
            admin = nil
        }
        if upstreamCA != nil, upstreamTLS == .none {
            // Whoever names a CA wants the server checked; without TLS nothing is.
            throw reader.conflict(SettingsTable.upstreamCA.row, "has no use with --upstream-tls none")
        }
    }
}

extension ListenAddress {
    fileprivate var isPortChosenByKernel: Bool {
        if case .tcp(_, port: 0) = self { true } else { false }
    }
}

/// The entries that count, by name, and the values they give.
private struct SettingsReader {
    private var entries: [String: [SettingEntry]] = [:]

    init(_ all: [SettingEntry]) throws(SettingsError) {
        for entry in all {
            guard let row = SettingsTable.row(named: entry.name), row.hasFlag || entry.origin != .flag else {
                throw SettingsError(name: entry.name, origin: entry.origin, problem: .unknown)
            }
            guard let earlier = entries[entry.name]?.first, earlier.origin.rank >= entry.origin.rank else {
                entries[entry.name] = [entry]
                continue
            }
            guard earlier.origin.rank == entry.origin.rank else { continue }
            guard row.isRepeatable else {
                throw SettingsError(name: entry.name, origin: entry.origin, problem: .repeated(value: entry.value))
            }
            entries[entry.name, default: []].append(entry)
        }
    }

    var origins: [String: SettingOrigin] {
        entries.compactMapValues { $0.first?.origin }
    }

    /// The values of a repeatable setting, each once.
    func all<Value: Equatable>(_ setting: Setting<Value>) throws(SettingsError) -> [Value] {
        var values: [Value] = []
        for entry in try given(setting.row) {
            let value = try Self.value(of: entry, as: setting)
            if !values.contains(value) { values.append(value) }
        }
        return values
    }

    /// The values of a repeatable setting that may be left out, each once.
    func anyNumber<Value: Equatable>(_ setting: Setting<Value>) throws(SettingsError) -> [Value] {
        entries[setting.row.name] == nil ? [] : try all(setting)
    }

    func one<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value {
        guard let entry = try given(setting.row).first else {
            throw SettingsError(name: setting.row.name, origin: nil, problem: .missing(allowed: setting.row.allowed))
        }
        return try Self.value(of: entry, as: setting)
    }

    /// The value of a setting that may be left out.
    func optional<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value? {
        guard let entry = entries[setting.row.name]?.first else { return nil }
        return try Self.value(of: entry, as: setting)
    }

    /// The error for a value that is fine by itself.
    func conflict(_ row: SettingRow, _ reason: String) -> SettingsError {
        let entry = entries[row.name]?.first
        return SettingsError(
            name: row.name, origin: entry?.origin,
            problem: .conflict(value: entry?.value ?? row.defaults.first ?? "", reason: reason))
    }

    /// The entries of a setting, or its defaults as entries; never empty.
    private func given(_ row: SettingRow) throws(SettingsError) -> [SettingEntry] {
        if let given = entries[row.name] { return given }
        guard !row.defaults.isEmpty else {
            throw SettingsError(name: row.name, origin: nil, problem: .missing(allowed: row.allowed))
        }
        return row.defaults.map { SettingEntry(row.name, $0, origin: .flag) }
    }

    private static func value<Value>(
        of entry: SettingEntry, as setting: Setting<Value>
    ) throws(SettingsError) -> Value {
        guard let value = setting.parse(entry.value) else {
            throw SettingsError(
                name: entry.name, origin: entry.origin,
                problem: .invalid(value: entry.value, allowed: setting.row.allowed))
        }
        return value
    }
}
