// What is allowed but is probably not meant.
extension Settings {
    /// The wait above which the proxies in common use give up a request, in seconds, by their defaults.
    private static let usualProxyTimeout = Duration.seconds(60)

    /// The warnings about entries that make valid settings, in the order of the settings' names in the table. Each has the
    /// form of an error.
    static func warnings(
        _ reader: SettingsReader, maxWait: Duration, domains: [DomainSettings], hasOpenProxy: Bool
    ) -> [SettingsError] {
        var warnings: [SettingsError] = []
        for scope in [reader.common] + reader.tables.map(\.scope) {
            for row in SettingsTable.rows where row.isRepeatable { warnings += scope.doubles(row) }
        }
        if maxWait >= usualProxyTimeout {
            warnings.append(
                reader.common.conflict(
                    SettingsTable.maxWait.row,
                    "is as long as most proxies wait for an answer (60 s) or longer: the proxy needs a longer read timeout"
                ))
        }
        // Each table is that of a domain that is served, so with as many domains each of them has one.
        if !hasOpenProxy, domains.count == reader.tables.count {
            for row in SettingsTable.rows where row.isPerDomain && reader.common.isGiven(row) {
                guard reader.tables.allSatisfy({ $0.scope.hasOwn(row) }) else { continue }
                let reason = "is not used: the table of each domain has its own \(row.name)"
                warnings.append(reader.common.conflict(row, reason))
            }
        }
        return warnings
    }
}

extension SettingsScope {
    /// A complaint about each value of a list that this scope itself has twice.
    fileprivate func doubles(_ row: SettingRow) -> [SettingsError] {
        guard hasOwn(row) else { return [] }
        var seen: Set<String> = []
        return nearestEntries(row).filter { !$0.isEmptyList && !seen.insert($0.value).inserted }.map { entry in
            SettingsError(
                name: row.name, domain: entry.domain, origin: entry.origin,
                problem: .conflict(value: entry.value, reason: "is there twice"))
        }
    }
}
