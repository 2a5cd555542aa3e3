/// The entries that count, by name: the common ones, and those of each domain's own table.
struct SettingsReader {
    /// The values for all domains.
    let common: SettingsScope
    /// The tables of domains in the order they were written, each domain once. Each falls back to the common values.
    let tables: [(domain: String, scope: SettingsScope)]

    /// - Throws: for an entry with an unknown name, with a value that is not allowed, or given too often.
    init(_ all: [SettingEntry]) throws(SettingsError) {
        var common: [String: [SettingEntry]] = [:]
        var tables: [(domain: String, entry: SettingEntry, entries: [String: [SettingEntry]])] = []
        for entry in all {
            if let fault = entry.fault { throw fault }
        }
        for entry in all where entry.isDomainTable {
            guard let domain = SettingsTable.domain.parse(entry.value) else { continue }
            guard !tables.contains(where: { $0.domain == domain }) else {
                throw SettingsError(
                    name: entry.name, origin: entry.origin, problem: .repeatedDomain(entry.value, of: domain))
            }
            tables.append((domain, entry, [:]))
        }
        for entry in all where !entry.isDomainTable {
            guard let written = entry.domain else {
                try Self.add(entry, to: &common)
                continue
            }
            guard let index = tables.firstIndex(where: { $0.entry.value == written }) else {
                throw SettingsError(name: SettingEntry.domainTable, origin: entry.origin, problem: .unknownTable)
            }
            try Self.add(entry, to: &tables[index].entries)
        }
        self.common = SettingsScope(common: common)
        self.tables = tables.map { table in
            (table.domain, SettingsScope(common: common, own: table.entries, table: table.entry))
        }
    }

    /// Keeps the entry of the highest origin; for a repeatable setting all entries of that origin.
    private static func add(_ entry: SettingEntry, to entries: inout [String: [SettingEntry]]) throws(SettingsError) {
        guard let earlier = entries[entry.name]?.first, earlier.origin.rank >= entry.origin.rank else {
            entries[entry.name] = [entry]
            return
        }
        guard earlier.origin.rank == entry.origin.rank else { return }
        guard let row = SettingsTable.row(named: entry.name), row.isRepeatable else {
            throw SettingsError(
                name: entry.name, domain: entry.domain, origin: entry.origin, problem: .repeated(value: entry.value))
        }
        entries[entry.name, default: []].append(entry)
    }
}

extension SettingEntry {
    /// Whether the entry says that a domain has a table.
    var isDomainTable: Bool { name == Self.domainTable && domain == nil && isFromFile }

    /// The fault of the entry by itself.
    var fault: SettingsError? {
        if isDomainTable {
            let domain = SettingsTable.domain
            return domain.parse(value) == nil
                ? fault(.invalid(value: value, allowed: domain.row.allowed)) : nil
        }
        guard let setting = SettingsTable.setting(named: name), setting.row.hasFlag || origin != .flag else {
            return fault(.unknown)
        }
        guard setting.row.isPerDomain || domain == nil else { return fault(.notPerDomain) }
        if isEmptyList {
            return setting.row.isRepeatable ? nil : fault(.invalid(value: "", allowed: setting.row.allowed))
        }
        return setting.accepts(value) ? nil : fault(.invalid(value: value, allowed: setting.row.allowed))
    }

    private func fault(_ problem: SettingsError.Problem) -> SettingsError {
        SettingsError(name: name, domain: domain, origin: origin, problem: problem)
    }

    private var isFromFile: Bool {
        if case .file = origin { true } else { false }
    }
}

/// The values for one domain, or the common ones.
struct SettingsScope {
    private let common: [String: [SettingEntry]]
    private let own: [String: [SettingEntry]]
    /// The entry of the domain's table; `nil` for the common values.
    let table: SettingEntry?

    init(common: [String: [SettingEntry]], own: [String: [SettingEntry]] = [:], table: SettingEntry? = nil) {
        self.common = common
        self.own = own
        self.table = table
    }

    /// Where each common value was written, by name.
    var origins: [String: SettingOrigin] {
        common.compactMapValues { $0.first?.origin }
    }

    /// The values of a repeatable setting, each once: none for an empty list, the defaults without an entry.
    func all<Value: Equatable>(_ setting: Setting<Value>) throws(SettingsError) -> [Value] {
        var values: [Value] = []
        for entry in entries(setting.row) ?? Self.defaults(of: setting.row) where !entry.isEmptyList {
            let value = try Self.value(of: entry, as: setting)
            if !values.contains(value) { values.append(value) }
        }
        return values
    }

    func one<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value {
        guard let entry = (entries(setting.row) ?? Self.defaults(of: setting.row)).first else {
            throw missing(setting.row)
        }
        return try Self.value(of: entry, as: setting)
    }

    /// The value of a setting that may be left out.
    func optional<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value? {
        guard let entry = entries(setting.row)?.first else { return nil }
        return try Self.value(of: entry, as: setting)
    }

    /// Whether `row` has an entry at least as near to the domain as that of `other`. An empty list does not count.
    func says(_ row: SettingRow, atLeastAsNearAs other: SettingRow) -> Bool {
        guard let entry = entries(row)?.first, !entry.isEmptyList else { return false }
        return own[row.name] != nil || own[other.name] == nil
    }

    /// Which of two settings that belong together has no partner, at the place where either is set.
    func lonely(_ row: SettingRow, _ other: SettingRow) -> SettingRow? {
        let entries = own[row.name] == nil && own[other.name] == nil ? common : own
        switch (entries[row.name], entries[other.name]) {
        case (_?, nil): return row
        case (nil, _?): return other
        case (nil, nil), (_?, _?): return nil
        }
    }

    /// Whether the scope itself has an entry for the setting, as written: a domain's own table, or the common values.
    func hasOwn(_ row: SettingRow) -> Bool { (table == nil ? common : own)[row.name] != nil }

    /// Whether the setting has an entry in this scope or in the common one.
    func isGiven(_ row: SettingRow) -> Bool { entries(row) != nil }

    /// The scope's own entries for the setting, or the common ones; none when there are neither.
    func nearestEntries(_ row: SettingRow) -> [SettingEntry] { entries(row) ?? [] }

    /// The error for a required value.
    func missing(_ row: SettingRow) -> SettingsError {
        SettingsError(
            name: row.name, domain: table?.value, origin: table?.origin, problem: .missing(allowed: row.allowed))
    }

    /// The error for a value that contradicts another: the first value, or the one written like `value`.
    func conflict(_ row: SettingRow, value: String? = nil, _ reason: String) -> SettingsError {
        let entry = entries(row)?.first { value == nil || $0.value == value }
        return SettingsError(
            name: row.name, domain: entry?.domain, origin: entry?.origin,
            problem: .conflict(value: entry?.value ?? value ?? row.defaults.first ?? "", reason: reason))
    }

    private func entries(_ row: SettingRow) -> [SettingEntry]? {
        own[row.name] ?? common[row.name]
    }

    private static func defaults(of row: SettingRow) -> [SettingEntry] {
        row.defaults.map { SettingEntry(row.name, $0, origin: .flag) }
    }

    private static func value<Value>(
        of entry: SettingEntry, as setting: Setting<Value>
    ) throws(SettingsError) -> Value {
        guard let value = setting.parse(entry.value) else {
            throw SettingsError(
                name: entry.name, domain: entry.domain, origin: entry.origin,
                problem: .invalid(value: entry.value, allowed: setting.row.allowed))
        }
        return value
    }
}
