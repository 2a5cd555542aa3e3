/// One value of one setting as text, with the place it was written at.
package struct SettingEntry: Equatable, Sendable {
    /// The setting's name without dashes in front: `max-wait`.
    package var name: String
    /// The value as written.
    package var value: String
    /// Where it was written.
    package var origin: SettingOrigin
    /// The domain in whose table it stands, as written there; `nil` for what holds for all.
    package var domain: String?
    /// Whether this is no value but a list with nothing in it, which is not the same as saying nothing.
    package var isEmptyList = false

    /// The name of the entry that says that a domain has a table, even one with nothing in it; the value is the domain as
    /// written.
    package static let domainTable = "domains"

    package init(_ name: String, _ value: String, origin: SettingOrigin, domain: String? = nil) {
        self.name = name
        self.value = value
        self.origin = origin
        self.domain = domain
    }

    /// The entry of a repeatable setting that was given a list with nothing in it.
    package static func emptyList(_ name: String, origin: SettingOrigin, domain: String? = nil) -> SettingEntry {
        var entry = SettingEntry(name, "", origin: origin, domain: domain)
        entry.isEmptyList = true
        return entry
    }
}

/// Where a value was written. A later case wins over an earlier one, for a repeatable setting with its whole list.
package enum SettingOrigin: Equatable, Sendable {
    /// A configuration file; line and column count from 1.
    case file(path: String, line: Int, column: Int)
    /// An environment variable, `HOLDFAST_` and the name in capitals.
    case environment
    /// A flag on the command line.
    case flag

    var rank: Int {
        switch self {
        case .file: 0
        case .environment: 1
        case .flag: 2
        }
    }
}
