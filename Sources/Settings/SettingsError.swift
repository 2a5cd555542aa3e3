/// Why the entries do not make valid settings. `description` is one line that names the setting the way it was written,
/// the value, and what is allowed.
package struct SettingsError: Error, Equatable {
    /// The setting's name without dashes; as written when there is none of that name.
    package let name: String
    /// Where the entry was written; `nil` when there is none.
    package let origin: SettingOrigin?
    /// What is wrong.
    package let problem: Problem

    package enum Problem: Equatable, Sendable {
        /// No setting has this name.
        case unknown
        /// The value is not among those allowed; `allowed` completes "is not …".
        case invalid(value: String, allowed: String)
        /// The setting has no default and was not given; `allowed` says what to write.
        case missing(allowed: String)
        /// The setting takes one value and was given two by the same origin.
        case repeated(value: String)
        /// The value contradicts another setting; `reason` completes "'VALUE' …".
        case conflict(value: String, reason: String)
    }

    package init(name: String, origin: SettingOrigin?, problem: Problem) {
        self.name = name
        self.origin = origin
        self.problem = problem
    }
}

extension SettingsError: CustomStringConvertible {
    package var description: String {
        switch problem {
        case .unknown: "\(place): there is no such setting"
        case .invalid(let value, let allowed): "\(place): '\(Self.printable(value))' is not \(allowed)"
        case .missing(let allowed): "\(place) is missing: give \(allowed)"
        case .repeated(let value): "\(place): '\(Self.printable(value))' is a second value, only one is allowed"
        case .conflict(let value, let reason): "\(place): '\(Self.printable(value))' \(reason)"
        }
    }

    private var place: String {
        let name = Self.printable(name)
        return switch origin {
        case .file(let path, let line, let column): "\(Self.printable(path)):\(line):\(column): \(name)"
        case .environment: SettingRow.environmentName(of: name)
        case .flag: "--\(name)"
        case nil: SettingsTable.row(named: self.name)?.flag ?? name
        }
    }

    /// Text of an entry made fit for one line: control characters replaced, cut at 120 characters.
    package static func printable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(120).map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
            default: Character(scalar)
            }
        }
        return String(shown) + (text.unicodeScalars.count > 120 ? "…" : "")
    }
}
