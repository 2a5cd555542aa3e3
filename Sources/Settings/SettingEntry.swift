/// One value of one setting as text, with the place it was written at.
package struct SettingEntry: Equatable, Sendable {
    /// The setting's name without dashes in front: `max-wait`.
    package var name: String
    /// The value as written.
    package var value: String
    /// Where it was written.
    package var origin: SettingOrigin

    package init(_ name: String, _ value: String, origin: SettingOrigin) {
        self.name = name
        self.value = value
        self.origin = origin
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
