/// A setting with the values that count, as they were written, and where.
package struct EffectiveSetting: Equatable, Sendable {
    /// The setting.
    package let row: SettingRow
    /// The values: those of the defaults when nothing was written; none for an empty list, and for a setting that is not
    /// set.
    package let values: [String]
    /// Where they were written; nil for the defaults.
    package let origin: SettingOrigin?
}

/// The settings of a domain's own table.
package struct EffectiveTable: Equatable, Sendable {
    /// The domain as written.
    package let domain: String
    /// Where the table begins.
    package let origin: SettingOrigin
    /// What the table itself sets, in the order of documentation.
    package let settings: [EffectiveSetting]
}

extension Settings {
    /// All settings for all domains, in the order of documentation, and the tables of domains.
    package var effective: (common: [EffectiveSetting], tables: [EffectiveTable]) {
        let reader: SettingsReader
        do throws(SettingsError) {
            reader = try SettingsReader(entries)
        } catch {
            // The entries made these settings, so they are valid.
            return ([], [])
        }
        let common = SettingsTable.rows.map { reader.common.effective($0) }
        let tables = reader.tables.compactMap { table in
            table.scope.table.map { entry in
                EffectiveTable(
                    domain: entry.value, origin: entry.origin,
                    settings: SettingsTable.rows.filter { table.scope.hasOwn($0) }.map { table.scope.effective($0) })
            }
        }
        return (common, tables)
    }
}

extension SettingsScope {
    /// What counts for a setting in this scope.
    fileprivate func effective(_ row: SettingRow) -> EffectiveSetting {
        let entries = nearestEntries(row)
        guard let first = entries.first else {
            return EffectiveSetting(row: row, values: row.defaults, origin: nil)
        }
        return EffectiveSetting(
            row: row, values: entries.filter { !$0.isEmptyList }.map(\.value), origin: first.origin)
    }
}
