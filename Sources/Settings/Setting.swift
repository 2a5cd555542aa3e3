/// One row of the table: all that documentation, help and checks need to know about a setting.
package struct SettingRow: Equatable, Sendable {
    /// The name in a file, and after `--` as a flag: lower-case words with dashes. Never changes once released.
    package let name: String
    /// Whether it can be given on the command line.
    package let hasFlag: Bool
    /// What stands for the value in help: `S`, `ADDR:PORT`.
    package let valueName: String
    /// What values there are.
    package let kind: SettingKind
    /// The default as it would be written; empty when a value has to be given or nothing is the default.
    package let defaults: [String]
    /// Whether a value has to be given.
    package let isRequired: Bool
    /// Whether it may be given more than once.
    package let isRepeatable: Bool
    /// What it does, in one line.
    package let doc: String

    /// `--max-wait`; `nil` for a setting without a flag.
    package var flag: String? { hasFlag ? "--" + name : nil }

    /// What values are allowed, with unit and range; completes "is not …" and "give …".
    package var allowed: String { kind.allowed }

    /// The environment variable for `name`: `HOLDFAST_MAX_WAIT`.
    package static func environmentName(of name: String) -> String {
        "HOLDFAST_" + name.uppercased().split(separator: "-", omittingEmptySubsequences: false).joined(separator: "_")
    }
}

/// What kind of value a setting has. Ranges are in whole units of the setting.
package enum SettingKind: Equatable, Sendable {
    /// Whole seconds.
    case seconds(ClosedRange<Int>)
    /// A number without unit.
    case count(ClosedRange<Int>)
    /// Bytes; `k`, `M`, `KiB`, `MiB` may follow.
    case bytes(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// Any other text; `allowed` describes it.
    case text(allowed: String)

    /// See `SettingRow.allowed`.
    package var allowed: String {
        switch self {
        case .seconds(let range): "a number of seconds from \(range.lowerBound) to \(range.upperBound)"
        case .count(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .bytes(let range):
            "a number of bytes from \(range.lowerBound) to \(range.upperBound) (k, M, KiB or MiB may follow)"
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .text(let allowed): allowed
        }
    }
}

/// A setting with the type of its value: the row and how its text becomes a value.
package struct Setting<Value: Sendable>: Sendable {
    /// The row in the table.
    package let row: SettingRow
    /// The value of a text; `nil` when it is not allowed.
    package let parse: @Sendable (String) -> Value?

    fileprivate init(_ row: SettingRow, parse: @escaping @Sendable (String) -> Value?) {
        self.row = row
        self.parse = parse
    }
}

extension Setting where Value == Duration {
    static func seconds(
        _ name: String, default value: Int, in range: ClosedRange<Int>, hasFlag: Bool = false, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, valueName: "S", kind: .seconds(range), defaults: [String(value)],
                isRequired: false, isRepeatable: false, doc: doc)
        ) { text in
            decimal(text).flatMap { range.contains($0) ? .seconds($0) : nil }
        }
    }
}

extension Setting where Value == Int {
    static func count(
        _ name: String, default value: Int, in range: ClosedRange<Int>, hasFlag: Bool = false, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, valueName: "N", kind: .count(range), defaults: [String(value)],
                isRequired: false, isRepeatable: false, doc: doc)
        ) { text in
            decimal(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    static func bytes(
        _ name: String, default value: Int, in range: ClosedRange<Int>, hasFlag: Bool = false, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, valueName: "BYTES", kind: .bytes(range), defaults: [String(value)],
                isRequired: false, isRepeatable: false, doc: doc)
        ) { text in
            byteCount(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static func choice(
        _ name: String, valueName: String, default value: Value, hasFlag: Bool = true, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, valueName: valueName, kind: .choice(Value.allCases.map(\.rawValue)),
                defaults: [value.rawValue], isRequired: false, isRepeatable: false, doc: doc)
        ) { text in
            Value(rawValue: text)
        }
    }
}

extension Setting {
    static func text(
        _ name: String, valueName: String, allowed: String, defaults: [String] = [], isRequired: Bool = false,
        isRepeatable: Bool = false, _ doc: String, parse: @escaping @Sendable (String) -> Value?
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: true, valueName: valueName, kind: .text(allowed: allowed), defaults: defaults,
                isRequired: isRequired, isRepeatable: isRepeatable, doc: doc),
            parse: parse)
    }
}

private func byteCount(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    let unit: Int? =
        switch text[digits.endIndex...] {
        case "": 1
        case "k": 1000
        case "M": 1_000_000
        case "KiB": 1024
        case "MiB": 1_048_576
        default: nil
        }
    // Ten digits times a mebibyte stay far below the end of Int.
    guard let unit, let number = decimal(digits) else { return nil }
    return number * unit
}
