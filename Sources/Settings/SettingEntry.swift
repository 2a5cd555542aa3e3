/// One value of one setting as text, with the place where it was written.
package struct SettingEntry: Equatable, Sendable {
    /// The setting's name without leading dashes: `max-wait`.
    package var name: String
    /// The value as written.
    package var value: String
    /// Where it was written.
    package var origin: SettingOrigin
    /// The domain in whose table the value stands, as written there; `nil` for a value for all domains.
    package var domain: String?
    /// Whether the entry stands for an empty list, which differs from no entry.
    package var isEmptyList = false

    /// The name of an entry which says that a domain has a table, even an empty one. Its value is the domain as
    /// written.
    package static let domainTable = "domains"

    package init(_ name: String, _ value: String, origin: SettingOrigin, domain: String? = nil) {
        self.name = name
        self.value = value
        self.origin = origin
        self.domain = domain
    }

    /// The entry of a repeatable setting whose list is empty.
    package static func emptyList(_ name: String, origin: SettingOrigin, domain: String? = nil) -> SettingEntry {
        var entry = SettingEntry(name, "", origin: origin, domain: domain)
        entry.isEmptyList = true
        return entry
    }
}

/// Where a value was written. A later case wins over an earlier one; for a repeatable setting its whole list does.
package enum SettingOrigin: Equatable, Comparable, Sendable {
    /// A configuration file; line and column count from 1.
    case file(path: String, line: Int, column: Int)
    /// An environment variable, `HOLDFAST_` and the name in capitals.
    case environment
    /// A flag on the command line.
    case flag

    /// Whether the right origin wins over the left one.
    package static func < (left: SettingOrigin, right: SettingOrigin) -> Bool { left.rank < right.rank }

    var rank: Int {
        switch self {
        case .file: 0
        case .environment: 1
        case .flag: 2
        }
    }
}
