/// One row of the table: all that documentation, help and checks need about a setting.
package struct SettingRow: Equatable, Sendable {
    /// The name in a file, and after `--` as a flag: lower-case words with dashes. Never changes once released.
    package let name: String
    /// Whether it can be given on the command line.
    package let hasFlag: Bool
    /// Whether a domain's own table may set it, for this domain.
    package let isPerDomain: Bool
    /// The placeholder for the value in help: `S`, `ADDR:PORT`.
    package let valueName: String
    /// The kind of values.
    package let kind: SettingKind
    /// The default as it would be written; empty when a value is required or there is none by default.
    package let defaults: [String]
    /// Whether a value is required, unless tables of domains or the open proxy replace it.
    package let isRequired: Bool
    /// Whether it may be given more than once.
    package let isRepeatable: Bool
    /// A value for documentation, never the default; a repeatable setting may have several.
    package let example: [String]
    /// The setting's purpose in one line.
    package let doc: String

    /// `--max-wait`; `nil` for a setting without a flag.
    package var flag: String? { hasFlag ? "--" + name : nil }

    /// The allowed values, with unit and range; completes "is not …" and "give …".
    package var allowed: String { kind.allowed }

    /// The environment variable of `name`: `HOLDFAST_MAX_WAIT`.
    package static func environmentName(of name: String) -> String {
        environmentPrefix
            + name.uppercased().split(separator: "-", omittingEmptySubsequences: false).joined(separator: "_")
    }

    /// The beginning of the name of each of this program's variables.
    package static let environmentPrefix = "HOLDFAST_"
}

/// The kind of a setting's values. Ranges are in whole units of the setting.
package enum SettingKind: Equatable, Sendable {
    /// Whole seconds.
    case seconds(ClosedRange<Int>)
    /// Whole milliseconds.
    case milliseconds(ClosedRange<Int>)
    /// A number without unit.
    case count(ClosedRange<Int>)
    /// Bytes; `k`, `M`, `KiB`, `MiB` may follow.
    case bytes(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// A number or a word; `allowed` describes both.
    case numberOrWord(allowed: String)
    /// Any other text; `allowed` describes it.
    case text(allowed: String)

    /// See `SettingRow.allowed`.
    package var allowed: String {
        switch self {
        case .seconds(let range): "a number of seconds from \(range.lowerBound) to \(range.upperBound)"
        case .milliseconds(let range): "a number of milliseconds from \(range.lowerBound) to \(range.upperBound)"
        case .count(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .bytes(let range):
            "a number of bytes from \(range.lowerBound) to \(range.upperBound) (k, M, KiB or MiB may follow)"
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .numberOrWord(let allowed), .text(let allowed): allowed
        }
    }

    /// Whether a value may be a number, which a file writes without quotes.
    package var isNumber: Bool {
        switch self {
        case .seconds, .milliseconds, .count, .bytes, .numberOrWord: true
        case .choice, .text: false
        }
    }

    /// Whether a value is on or off, which a file may write as `true` or `false`.
    package var isSwitch: Bool { self == .choice(Switch.allCases.map(\.rawValue)) }
}
