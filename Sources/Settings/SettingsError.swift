/// Why the entries do not make valid settings. `description` is one line with the setting's name as it was written, the
/// value, and what is allowed.
package struct SettingsError: Error, Equatable {
    /// The setting's name without dashes; the written name when there is no such setting.
    package let name: String
    /// The domain in whose table it stands, as written there; `nil` for a value for all domains.
    package let domain: String?
    /// Where the entry was written; `nil` when there is no entry.
    package let origin: SettingOrigin?
    /// What is wrong.
    package let problem: Problem

    package enum Problem: Equatable, Sendable {
        /// No setting has this name.
        case unknown
        /// No table has this name.
        case unknownTable
        /// A domain's table cannot set this.
        case notPerDomain
        /// A table that seems to be that of this domain is not below `domains`.
        case notDomains(String)
        /// A domain's name is not quoted, so its dots make nested tables.
        case unquotedDomain(String)
        /// This domain, as written, already has a table.
        case repeatedDomain(String, of: String)
        /// The value is of another type; `found` completes "this is …", `allowed` "not …".
        case wrongType(found: String, allowed: String)
        /// The value is not allowed; `allowed` completes "is not …".
        case invalid(value: String, allowed: String)
        /// The file that the value names cannot be used; `reason` is a sentence that names it.
        case unusable(String)
        /// The setting has no default and was not given; `allowed` says what to write.
        case missing(allowed: String)
        /// The setting takes one value, but the same origin gave two.
        case repeated(value: String)
        /// The value contradicts another setting; `reason` completes "'VALUE' …".
        case conflict(value: String, reason: String)
    }

    package init(name: String, domain: String? = nil, origin: SettingOrigin?, problem: Problem) {
        self.name = name
        self.domain = domain
        self.origin = origin
        self.problem = problem
    }
}

extension SettingsError: CustomStringConvertible {
    package var description: String {
        switch problem {
        case .unknown: "\(place): there is no such setting\(suggestion(among: names))"
        case .unknownTable: "\(place): there is no such table\(suggestion(among: [SettingEntry.domainTable]))"
        case .notDomains(let domain):
            "\(place): there is no such table; did you mean [domains.\(Self.quoted(domain))]?"
        case .notPerDomain: "\(place): this holds for all domains and has to stand above the first [table]"
        case .unquotedDomain(let domain):
            "\(place): a domain's name has to stand in quotes: [domains.\(Self.quoted(domain))]"
        case .repeatedDomain(let written, let domain):
            "\(place): '\(Self.printable(written))' is a second table of \(Self.printable(domain))"
        case .wrongType(let found, let allowed): "\(place): this is \(found), not \(allowed)"
        case .invalid(let value, let allowed):
            "\(place): '\(Self.printable(value))' is not \(allowed)\(Self.hint(name, value))"
        case .unusable(let reason): "\(place): \(Self.printable(reason, most: 400))"
        case .missing(let allowed): "\(place) is missing: give \(allowed)"
        case .repeated(let value): "\(place): '\(Self.printable(value))' is a second value, only one is allowed"
        case .conflict(let value, let reason): "\(place): '\(Self.printable(value))' \(reason)"
        }
    }

    /// How the value can be mended, if that is known.
    private static func hint(_ name: String, _ value: String) -> String {
        SettingsTable.setting(named: name)?.hint(value).map { "; " + printable($0, most: 400) } ?? ""
    }

    private var place: String {
        let name = Self.printable(name)
        switch origin {
        case .file(let path, let line, let column):
            let key = domain.map { "\(SettingEntry.domainTable).\(Self.quoted($0)).\(name)" } ?? name
            return "\(Self.printable(path)):\(line):\(column): \(key)"
        case .environment: return SettingRow.environmentName(of: name)
        case .flag: return "--\(name)"
        case nil: return SettingsTable.row(named: self.name)?.flag ?? name
        }
    }

    /// The names that may have been meant.
    private var names: [String] {
        SettingsTable.rows.filter { ($0.hasFlag || origin != .flag) && ($0.isPerDomain || domain == nil) }.map(\.name)
    }

    private func suggestion(among names: [String]) -> String {
        guard let near = nearest(to: name, among: names) else { return "" }
        switch origin {
        case .environment: return "; did you mean '\(SettingRow.environmentName(of: near))'?"
        case .flag: return "; did you mean '--\(near)'?"
        case .file, nil: return "; did you mean '\(near)'?"
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(printable(text))\"" }

    /// Text of an entry for one line of output: control characters are replaced, and it is cut after `most` characters.
    package static func printable(_ text: String, most: Int = 120) -> String {
        let shown = text.unicodeScalars.prefix(most).map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
            default: Character(scalar)
            }
        }
        return String(shown) + (text.unicodeScalars.count > most ? "…" : "")
    }
}
