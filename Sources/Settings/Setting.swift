/// A setting with the type of its value: the table's row, and the function that reads the value.
package struct Setting<Value: Sendable>: Sendable {
    /// The row in the table.
    package let row: SettingRow
    /// Reads the value; `nil` when it is not allowed.
    package let parse: @Sendable (String) -> Value?
    /// Says how a value that is not allowed can be mended; nil when nothing in particular is known.
    let hint: @Sendable (String) -> String?

    fileprivate init(
        _ row: SettingRow, hint: @escaping @Sendable (String) -> String? = { _ in nil },
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.row = row
        self.hint = hint
        self.parse = parse
    }
}

/// A setting without its type, as the table keeps it.
struct AnySetting: Sendable {
    let row: SettingRow
    /// Whether a value is allowed.
    let accepts: @Sendable (String) -> Bool
    /// See `Setting.hint`.
    let hint: @Sendable (String) -> String?

    init<Value>(_ setting: Setting<Value>) {
        row = setting.row
        hint = setting.hint
        accepts = { setting.parse($0) != nil }
    }
}

extension Setting where Value == Duration {
    static func seconds(
        _ name: String, default value: Int, in range: ClosedRange<Int>, example: Int, hasFlag: Bool = false,
        _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, isPerDomain: false, valueName: "S", kind: .seconds(range),
                defaults: [String(value)], isRequired: false, isRepeatable: false, example: [String(example)], doc: doc)
        ) { text in
            decimal(text).flatMap { range.contains($0) ? .seconds($0) : nil }
        }
    }
}

extension Setting where Value == Duration {
    static func milliseconds(
        _ name: String, default value: Int, in range: ClosedRange<Int>, example: Int, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: false, isPerDomain: false, valueName: "MS", kind: .milliseconds(range),
                defaults: [String(value)], isRequired: false, isRepeatable: false, example: [String(example)], doc: doc)
        ) { text in
            decimal(text).flatMap { range.contains($0) ? .milliseconds($0) : nil }
        }
    }
}

extension Setting where Value == Int {
    static func count(
        _ name: String, default value: Int, in range: ClosedRange<Int>, example: Int, hasFlag: Bool = false,
        _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, isPerDomain: false, valueName: "N", kind: .count(range),
                defaults: [String(value)], isRequired: false, isRepeatable: false, example: [String(example)], doc: doc)
        ) { text in
            decimal(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    static func bytes(
        _ name: String, default value: Int, in range: ClosedRange<Int>, example: String, hasFlag: Bool = false,
        _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, isPerDomain: false, valueName: "BYTES", kind: .bytes(range),
                defaults: [String(value)], isRequired: false, isRepeatable: false, example: [example], doc: doc)
        ) { text in
            byteCount(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static func choice(
        _ name: String, valueName: String, default value: Value, example: Value, hasFlag: Bool = false,
        isPerDomain: Bool = false, _ doc: String
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, isPerDomain: isPerDomain, valueName: valueName,
                kind: .choice(Value.allCases.map(\.rawValue)), defaults: [value.rawValue], isRequired: false,
                isRepeatable: false, example: [example.rawValue], doc: doc)
        ) { text in
            Value(rawValue: text)
        }
    }
}

extension Setting {
    static func text(
        _ name: String, valueName: String, allowed: String, defaults: [String] = [], example: [String],
        hasFlag: Bool = false, isPerDomain: Bool = false, isRequired: Bool = false, isRepeatable: Bool = false,
        mayBeNumber: Bool = false, hint: @escaping @Sendable (String) -> String? = { _ in nil }, _ doc: String,
        parse: @escaping @Sendable (String) -> Value?
    ) -> Setting {
        Setting(
            SettingRow(
                name: name, hasFlag: hasFlag, isPerDomain: isPerDomain, valueName: valueName,
                kind: mayBeNumber ? .numberOrWord(allowed: allowed) : .text(allowed: allowed), defaults: defaults,
                isRequired: isRequired, isRepeatable: isRepeatable,
                example: example, doc: doc),
            hint: hint, parse: parse)
    }
}

/// Reads digits, which a unit may follow, with a space between.
func byteCount(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    var rest = text[digits.endIndex...]
    if rest.count > 1, rest.first == " " { rest.removeFirst() }
    let unit: Int? =
        switch rest {
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
