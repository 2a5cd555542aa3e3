import Reactor
import Settings

/// Makes the settings of a run from all the places where they may be written.
enum Configuration {
    /// The most faults that are reported at once.
    static let mostFaults = 20

    /// The file that is read when none is named.
    static let usualPath = "/etc/holdfast/holdfast.toml"

    /// The usual file, if there is one. One that this user may not see counts as there, so that it is not passed over.
    static var usual: String? { FilePlace.exists(usualPath) ? usualPath : nil }

    /// The settings that the file, if there is one, and the other entries make together.
    ///
    /// - Throws: all faults of single entries and of the files that they name; if there are none, the first fault between
    ///   entries.
    static func settings(file: String?, entries: [SettingEntry]) throws(SettingsFaults) -> Settings {
        var all: [SettingEntry] = []
        var faults: [SettingsError] = []
        if let path = file {
            do throws(ConfigurationFileError) {
                let file = try ConfigurationFile(path: path)
                all = file.entries
                faults = file.allFaults
            } catch {
                throw SettingsFaults(lines: [error.description], isOfFlags: false)
            }
        }
        all += entries
        faults += Settings.faults(in: entries)
        guard faults.isEmpty else {
            throw SettingsFaults((faults + MachineCheck(all, for: nil).faults).inOrder, file: file)
        }
        do throws(SettingsError) {
            return try Settings.resolve(entries: all)
        } catch {
            guard error.origin != nil || file != nil || error.name != SettingsTable.domain.row.name else {
                throw SettingsFaults(lines: beginning, isOfFlags: true)
            }
            throw SettingsFaults(([error] + MachineCheck(all, for: nil).faults).inOrder, file: file)
        }
    }
}

extension Configuration {
    /// What to write when nothing says which domain is served.
    private static var beginning: [String] {
        [
            "no domain is given: begin with 'holdfast run --domain example.org --upstream 127.0.0.1:5222', or write "
                + "\(usualPath), for which this is enough:"
        ] + ConfigurationOutput.shortest.split(separator: "\n").map { "    \($0)" }
    }
}

extension [SettingsError] {
    /// The faults of the file in its order, then the others.
    var inOrder: [SettingsError] {
        func rank(_ fault: SettingsError) -> (Int, Int, Int) {
            switch fault.origin {
            case .file(_, let line, let column)?: (0, line, column)
            case .environment?: (1, 0, 0)
            case .flag?, nil: (2, 0, 0)
            }
        }
        return sorted { rank($0) < rank($1) }
    }
}

/// The faults in the settings of a run.
struct SettingsFaults: Error, Equatable {
    /// One line for each fault, without the program's name.
    let lines: [String]
    /// Whether all faults are in the command line.
    let isOfFlags: Bool

    init(lines: [String], isOfFlags: Bool) {
        self.lines = lines
        self.isOfFlags = isOfFlags
    }

    /// Faults of entries and missing settings. If there is a file, missing settings count as its fault.
    fileprivate init(_ faults: [SettingsError], file: String?) {
        var lines = faults.prefix(Configuration.mostFaults).map { Self.line($0, file) }
        if faults.count > lines.count { lines.append("… and \(faults.count - lines.count) more") }
        self.lines = lines
        isOfFlags = faults.allSatisfy { $0.origin == .flag || ($0.origin == nil && file == nil) }
    }

    private static func line(_ fault: SettingsError, _ file: String?) -> String {
        guard fault.origin == nil, case .missing(let allowed) = fault.problem, let file else {
            return fault.description
        }
        return "\(SettingsError.printable(file)): \(fault.name) is missing: give \(allowed)"
    }
}
