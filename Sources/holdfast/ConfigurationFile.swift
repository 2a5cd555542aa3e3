import FoundationEssentials
import Settings
import TOMLKit

/// The configuration file: TOML in, entries of settings out.
struct ConfigurationFile {
    /// The file's entries, in its order.
    private(set) var entries: [SettingEntry] = []
    /// The faults in the file's structure: unknown tables and values of a wrong type.
    private(set) var faults: [SettingsError] = []

    private let path: String
    private let locator: TOMLLocator

    /// More domains than any site has: a file of this size has some 5,000 tables.
    static let largestSize = 1_048_576

    /// Reads the file at `path`.
    ///
    /// - Throws: `ConfigurationFileError` for a file that cannot be read or is not TOML. Faults in its settings are in
    ///   `faults`, or are found by `Settings` in `entries`.
    init(path: String) throws(ConfigurationFileError) {
        try self.init(path: path, text: Self.read(path))
    }

    /// Reads `text` as the file at `path`.
    init(path: String, text: [UInt8]) throws(ConfigurationFileError) {
        self.path = path
        guard text.count <= Self.largestSize else {
            throw ConfigurationFileError(
                path: path, reason: "larger than \(Self.largestSize) bytes, the limit for a configuration file")
        }
        let table = try Self.parse(path, text)
        locator = TOMLLocator(text)
        if let position = locator.nullCharacter {
            throw ConfigurationFileError(
                path: path, position: position, reason: "no value may have the character U+0000")
        }
        readRoot(table)
        // The library sorts its keys alphabetically.
        entries.sort { Self.position($0.origin) < Self.position($1.origin) }
    }

    /// All faults of the file, in its order.
    var allFaults: [SettingsError] {
        (faults + Settings.faults(in: entries)).sorted { Self.position($0.origin) < Self.position($1.origin) }
    }

    private static func position(_ origin: SettingOrigin?) -> TOMLPosition {
        guard case .file(_, let line, let column) = origin else { return TOMLPosition(line: 0, column: 0) }
        return TOMLPosition(line: line, column: column)
    }
}

// Tables and values.
extension ConfigurationFile {
    private mutating func readRoot(_ table: TOMLTable) {
        for (key, value) in Self.members(of: table) {
            if key == SettingEntry.domainTable {
                readDomains(value)
            } else if SettingsTable.row(named: key) == nil, value.type == .table {
                fault(.unknownTable, key, at: [key])
            } else {
                readSetting(key, value, at: [key])
            }
        }
    }

    private mutating func readDomains(_ value: TOMLValue) {
        let name = SettingEntry.domainTable
        guard let domains = value.table else {
            fault(
                .wrongType(found: Self.words(for: value), allowed: #"tables such as [domains."example.org"]"#), name,
                at: [name])
            return
        }
        for (domain, value) in Self.members(of: domains) {
            let path = [name, domain]
            guard let table = value.table else {
                fault(
                    .wrongType(
                        found: Self.words(for: value), allowed: #"a table of a domain such as [domains."example.org"]"#),
                    "\(name).\(domain)", at: path)
                continue
            }
            // A name with a dot in it was quoted.
            if !domain.contains("."), let whole = Self.unquoted(domain, table) {
                fault(.unquotedDomain(whole), name, at: path)
                continue
            }
            entries.append(SettingEntry(name, domain, origin: origin(path)))
            for (key, value) in Self.members(of: table) {
                readSetting(key, value, at: path + [key], domain: domain)
            }
        }
    }

    /// The domain that `[domains.example.org]` meant, where each label became a table.
    private static func unquoted(_ label: String, _ table: TOMLTable) -> String? {
        for (key, value) in members(of: table) where SettingsTable.row(named: key) == nil {
            guard let inner = value.table else { continue }
            return unquoted("\(label).\(key)", inner) ?? "\(label).\(key)"
        }
        return nil
    }

    private mutating func readSetting(_ name: String, _ value: TOMLValue, at path: [String], domain: String? = nil) {
        guard let row = SettingsTable.row(named: name), row.isPerDomain || domain == nil else {
            // The value does not matter: there is no such setting here.
            entries.append(SettingEntry(name, "", origin: origin(path), domain: domain))
            return
        }
        guard row.isRepeatable, let array = value.array else {
            readValue(value, row, origin(path), domain)
            return
        }
        if array.isEmpty { entries.append(.emptyList(name, origin: origin(path), domain: domain)) }
        let positions = locator.elements[path] ?? []
        for (index, element) in array.enumerated() {
            let place = index < positions.count ? origin(positions[index]) : origin(path)
            readValue(element.tomlValue, row, place, domain)
        }
    }

    private mutating func readValue(_ value: TOMLValue, _ row: SettingRow, _ origin: SettingOrigin, _ domain: String?) {
        if let text = Self.text(of: value, for: row) {
            entries.append(SettingEntry(row.name, text, origin: origin, domain: domain))
            return
        }
        var allowed = row.allowed
        if row.kind.isSwitch { allowed += ", true, false" } else if !row.kind.isNumber { allowed += ", in quotes" }
        faults.append(
            SettingsError(
                name: row.name, domain: domain, origin: origin,
                problem: .wrongType(found: Self.words(for: value), allowed: allowed)))
    }

    /// The value as it would be written on the command line; `nil` when it has another type.
    private static func text(of value: TOMLValue, for row: SettingRow) -> String? {
        switch value.type {
        case .string: value.string
        case .int: row.kind.isNumber ? value.int.map { String($0) } : nil
        case .bool: row.kind.isSwitch ? value.bool.map { ($0 ? Switch.on : Switch.off).rawValue } : nil
        case .table, .array, .double, .date, .time, .dateTime: nil
        }
    }

    /// The members of a table. The library's own iterator treats all lookups as found.
    private static func members(of table: TOMLTable) -> [(String, TOMLValue)] {
        table.keys.compactMap { key in table[key].map { (key, $0.tomlValue) } }
    }

    /// Completes "this is …".
    private static func words(for value: TOMLValue) -> String {
        switch value.type {
        case .table: "a table"
        case .array: "an array"
        case .string: "a string"
        case .int: "a whole number"
        case .double: "a number with a fraction"
        case .bool: "a boolean"
        case .date, .dateTime: "a date"
        case .time: "a time"
        }
    }

    private mutating func fault(_ problem: SettingsError.Problem, _ name: String, at path: [String]) {
        faults.append(SettingsError(name: name, origin: origin(path), problem: problem))
    }

    private func origin(_ path: [String]) -> SettingOrigin {
        origin(locator.keys[path] ?? TOMLPosition(line: 1, column: 1))
    }

    private func origin(_ position: TOMLPosition) -> SettingOrigin {
        .file(path: path, line: position.line, column: position.column)
    }
}

// The file and its syntax.
extension ConfigurationFile {
    private static func parse(_ path: String, _ text: [UInt8]) throws(ConfigurationFileError) -> TOMLTable {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw ConfigurationFileError(path: path, reason: "not UTF-8")
        }
        // The library takes a NUL for the end of the text.
        guard !text.contains(0) else {
            throw ConfigurationFileError(path: path, reason: "not a text: it has NUL bytes")
        }
        do {
            return try TOMLTable(string: string)
        } catch let error as TOMLParseError {
            let position = TOMLPosition(line: error.source.begin.line, column: error.source.begin.column)
            throw ConfigurationFileError(path: path, position: position, reason: "no valid TOML: \(error.description)")
        } catch {
            throw ConfigurationFileError(path: path, reason: "no valid TOML")
        }
    }

    private static func read(_ path: String) throws(ConfigurationFileError) -> [UInt8] {
        let files = FileManager.default
        var isDirectory = false
        guard files.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ConfigurationFileError(path: path, reason: "there is no such file")
        }
        guard !isDirectory else { throw ConfigurationFileError(path: path, reason: "this is a folder, not a file") }
        guard files.isReadableFile(atPath: path), let data = files.contents(atPath: path) else {
            throw ConfigurationFileError(path: path, reason: "it cannot be read")
        }
        return [UInt8](data)
    }
}

/// Why a configuration file cannot be used at all. `description` is one line that names the file.
struct ConfigurationFileError: Error, Equatable, CustomStringConvertible {
    let path: String
    var position: TOMLPosition?
    let reason: String

    var description: String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(SettingsError.printable(path))\(place): \(SettingsError.printable(reason))"
    }
}
