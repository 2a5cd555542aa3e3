import Settings

/// The settings of a run, out of all the places where they may be written.
enum Configuration {
    /// The most faults that are told of at once.
    static let mostFaults = 20

    /// The settings that the file, if there is one, and the other entries make together.
    ///
    /// - Throws: all that is wrong with any entry; if none is, the first thing that is wrong with them together.
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
        guard faults.isEmpty else { throw SettingsFaults(faults, file: file) }
        do throws(SettingsError) {
            return try Settings.resolve(entries: all)
        } catch {
            throw SettingsFaults([error], file: file)
        }
    }
}

/// What is wrong with the settings of a run.
struct SettingsFaults: Error, Equatable {
    /// One for each fault, without the program's name.
    let lines: [String]
    /// Whether it is all the command line's fault.
    let isOfFlags: Bool

    init(lines: [String], isOfFlags: Bool) {
        self.lines = lines
        self.isOfFlags = isOfFlags
    }

    /// Faults of entries, and of what is missing, for which the file is to blame if there is one.
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
