import FoundationEssentials
import Reactor
import Settings
import TOMLCodec

/// The configuration file: TOML in, entries of settings out.
struct ConfigurationFile {
    /// The file's entries, in its order.
    private(set) var entries: [SettingEntry] = []
    /// The faults in the file's structure: unknown tables and values of a wrong type.
    private(set) var faults: [SettingsError] = []

    private let path: String
    private let text: ConfigurationText

    /// More domains than any site has: a file of this size has some 5,000 tables.
    static let largestSize = 1_048_576

    /// Reads the file at `path`.
    ///
    /// - Throws: `ConfigurationFileError` for a file that cannot be read or is not TOML. Faults in its settings are in
    ///   `faults`, or are found by `Settings` in `entries`.
    init(path: String) throws(ConfigurationFileError) {
        try self.init(path: path, text: Self.read(path))
    }

    /// Reads `bytes` as the file at `path`.
    init(path: String, text bytes: [UInt8]) throws(ConfigurationFileError) {
        self.path = path
        guard bytes.count <= Self.largestSize else { throw .tooLarge(path) }
        text = try ConfigurationText(bytes, path: path)
        do throws(TOMLSyntaxError) {
            readRoot(try TOMLReader.read(bytes))
        } catch {
            let fault = SyntaxFault(error, in: text)
            throw ConfigurationFileError(path: path, position: fault.position, reason: fault.reason)
        }
        entries.sort { Self.position($0.origin) < Self.position($1.origin) }
    }

    /// All faults of the file, in its order.
    var allFaults: [SettingsError] {
        (faults + Settings.faults(in: entries)).inOrder
    }

    private static func position(_ origin: SettingOrigin?) -> TOMLPosition {
        guard case .file(_, let line, let column) = origin else { return TOMLPosition(line: 0, column: 0) }
        return TOMLPosition(line: line, column: column)
    }
}

// Tables and values.
extension ConfigurationFile {
    private mutating func readRoot(_ members: [TOMLMember]) {
        for member in members {
            let key = member.key
            if key == SettingEntry.domainTable {
                readDomains(member)
            } else if case .table(let members) = member.value.content {
                readUnknownTable(member, members)
            } else {
                readSetting(member)
            }
        }
    }

    /// A table at the top that is not `domains`: often that of a domain, under another name or without any.
    private mutating func readUnknownTable(_ member: TOMLMember, _ members: [TOMLMember]) {
        let key = member.key
        let inner = members.first { if case .table = $0.value.content { true } else { false } }
        if key == SettingsTable.domain.row.name, let inner {
            fault(.notDomains(Self.unquoted(inner) ?? inner.key), key, at: member)
        } else if SettingsTable.row(named: key) != nil {
            readSetting(member)
        } else if nearest(to: key, among: [SettingEntry.domainTable]) == nil,
            let domain = key.contains(".") ? key : Self.unquoted(member)
        {
            fault(.notDomains(domain), key, at: member)
        } else {
            fault(.unknownTable, key, at: member)
        }
    }

    private mutating func readDomains(_ member: TOMLMember) {
        let name = SettingEntry.domainTable
        guard case .table(let domains) = member.value.content else {
            fault(
                .wrongType(
                    found: Self.words(for: member.value),
                    allowed: #"tables such as [domains."example.org"]; a list is domain = [...]"#),
                name, at: member)
            return
        }
        for domain in domains {
            guard case .table(let members) = domain.value.content else {
                fault(
                    .wrongType(
                        found: Self.words(for: domain.value),
                        allowed: #"a table of a domain such as [domains."example.org"]"#),
                    "\(name).\(domain.key)", at: domain)
                continue
            }
            // A name with a dot in it was quoted.
            if !domain.key.contains("."), let whole = Self.unquoted(domain) {
                fault(.unquotedDomain(whole), name, at: domain)
                continue
            }
            entries.append(SettingEntry(name, domain.key, origin: origin(of: domain)))
            for member in members { readSetting(member, domain: domain.key) }
        }
    }

    /// The domain that `[domains.example.org]` meant, where each label became a table.
    private static func unquoted(_ table: TOMLMember) -> String? {
        guard case .table(let members) = table.value.content else { return nil }
        for member in members where SettingsTable.row(named: member.key) == nil {
            guard case .table = member.value.content else { continue }
            return "\(table.key)." + (unquoted(member) ?? member.key)
        }
        return nil
    }

    private mutating func readSetting(_ member: TOMLMember, domain: String? = nil) {
        let name = member.key
        guard let row = SettingsTable.row(named: name), row.isPerDomain || domain == nil else {
            // The value does not matter: there is no such setting here.
            entries.append(SettingEntry(name, "", origin: origin(of: member), domain: domain))
            return
        }
        guard row.isRepeatable, case .array(let array) = member.value.content else {
            readValue(member.value, row, origin(of: member), domain)
            return
        }
        if array.isEmpty { entries.append(.emptyList(name, origin: origin(of: member), domain: domain)) }
        for element in array { readValue(element, row, origin(element.begin), domain) }
    }

    private mutating func readValue(_ value: TOMLValue, _ row: SettingRow, _ origin: SettingOrigin, _ domain: String?) {
        if let text = Self.text(of: value, for: row) {
            entries.append(SettingEntry(row.name, text, origin: origin, domain: domain))
            return
        }
        var allowed = row.allowed
        if row.kind.isSwitch { allowed += ", true, false" } else if !row.kind.isNumber { allowed += ", in quotes" }
        var found = Self.words(for: value)
        if case .float = value.content, let exponent = ExponentNumber(text.text(from: value.begin, to: value.end)) {
            found = "a number with an exponent"
            if row.kind.isNumber, let digits = exponent.digits { allowed += "; write \(digits)" }
        }
        faults.append(
            SettingsError(
                name: row.name, domain: domain, origin: origin, problem: .wrongType(found: found, allowed: allowed)))
    }

    /// The value as it would be written on the command line; `nil` when it has another type.
    private static func text(of value: TOMLValue, for row: SettingRow) -> String? {
        switch value.content {
        case .string(let text): text
        case .integer(let number): row.kind.isNumber ? String(number) : nil
        case .boolean(let isOn): row.kind.isSwitch ? (isOn ? Switch.on : Switch.off).rawValue : nil
        case .table, .array, .float, .date, .time, .dateTime: nil
        }
    }

    /// Completes "this is …".
    private static func words(for value: TOMLValue) -> String {
        switch value.content {
        case .table: "a table"
        case .array: "an array"
        case .string: "a string"
        case .integer: "a whole number"
        case .float: "a number with a fraction"
        case .boolean: "a boolean"
        case .date, .dateTime: "a date"
        case .time: "a time"
        }
    }

    private mutating func fault(_ problem: SettingsError.Problem, _ name: String, at member: TOMLMember) {
        faults.append(SettingsError(name: name, origin: origin(of: member), problem: problem))
    }

    /// The place of a key, or of the bracket of the header that has it.
    private func origin(of member: TOMLMember) -> SettingOrigin {
        origin(min(member.position, member.value.begin))
    }

    private func origin(_ position: TOMLPosition) -> SettingOrigin {
        .file(path: path, line: position.line, column: position.column)
    }
}

/// A number that was written with an exponent, such as `1e3`.
private struct ExponentNumber {
    /// The number in digits; nil when it is no whole number or a very large one.
    let digits: String?

    init?(_ text: String?) {
        guard let text, text.contains(where: { $0 == "e" || $0 == "E" }) else { return nil }
        let number = Double(text.filter { $0 != "_" })
        digits = number.flatMap { Int(exactly: $0) }.map { String($0) }
    }
}

// The file.
extension ConfigurationFile {
    private static func read(_ path: String) throws(ConfigurationFileError) -> [UInt8] {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try FileContents.bytes(of: path, atMost: largestSize)
        } catch {
            throw ConfigurationFileError(path: path, reason: FileFault.reason(error))
        }
        guard let bytes else { throw .tooLarge(path) }
        return bytes
    }
}

/// Why a file that the operator names cannot be read.
enum FileFault {
    /// The reason, behind the file's name.
    static func predicate(_ error: SystemError) -> String {
        if error.isMissing { return "does not exist" }
        if error.isFolder { return "is a folder, not a file" }
        return error.isNotPermitted ? "may not be read by \(user)" : "cannot be read: \(error.reason)"
    }

    /// Who reads.
    private static var user: String {
        let name = ProcessInfo.processInfo.userName
        return name.isEmpty ? "this user" : "user \(name)"
    }

    /// The reason as a sentence by itself.
    static func reason(_ error: SystemError) -> String {
        if error.isMissing { return "there is no such file" }
        if error.isFolder { return "this is a folder, not a file" }
        return error.isNotPermitted ? "\(user) may not read it" : "it cannot be read: \(error.reason)"
    }
}

/// Why a configuration file cannot be used at all. `description` is one line that names the file.
struct ConfigurationFileError: Error, Equatable, CustomStringConvertible {
    let path: String
    var position: TOMLPosition?
    let reason: String

    static func tooLarge(_ path: String) -> ConfigurationFileError {
        ConfigurationFileError(
            path: path, reason: "larger than \(ConfigurationFile.largestSize) bytes, the limit for a configuration file"
        )
    }

    var description: String {
        let place = position.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(SettingsError.printable(path))\(place): \(SettingsError.printable(reason, most: 400))"
    }
}
