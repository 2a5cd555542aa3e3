import Settings

/// Makes settings of environment variables: `HOLDFAST_MAX_WAIT=50`.
enum EnvironmentEntries {
    /// The entries of all variables of this program, sorted by name. Commas separate the values of a list.
    ///
    /// A variable that belongs to no setting becomes an entry without a setting, which `Settings` reports, because it
    /// is probably mistyped.
    static func entries(of environment: [String: String]) -> [SettingEntry] {
        environment.sorted { $0.key < $1.key }.flatMap { name, value in
            isForSettings(name, value) ? entries(settingName(of: name), value) : []
        }
    }

    private static func isForSettings(_ name: String, _ value: String) -> Bool {
        guard name.hasPrefix(SettingRow.environmentPrefix) else { return false }
        let rest = name.dropFirst(SettingRow.environmentPrefix.count)
        return !["EFFORT", "HISTORIES", "INHERITED_DESCRIPTOR", "ROOMS", "SEED"].contains(rest)
            && !isOfKubernetes(rest, value)
    }

    /// Whether Kubernetes set the variable. It does so in every container for a service whose name begins like this
    /// program's: `…_SERVICE_HOST`, `…_SERVICE_PORT`, `…_PORT=tcp://10.0.0.1:5280`, `…_PORT_5280_TCP`.
    private static func isOfKubernetes(_ name: Substring, _ value: String) -> Bool {
        let words = name.split(separator: "_")
        if zip(words, words.dropFirst()).contains(where: { $0 == "SERVICE" && ($1 == "HOST" || $1 == "PORT") }) {
            return true
        }
        guard let port = words.firstIndex(of: "PORT") else { return false }
        return port + 1 == words.count ? value.contains("://") : words[port + 1].allSatisfy(\.isNumber)
    }

    private static func settingName(of variable: String) -> String {
        String(variable.dropFirst(SettingRow.environmentPrefix.count).lowercased().map { $0 == "_" ? "-" : $0 })
    }

    private static func entries(_ name: String, _ value: String) -> [SettingEntry] {
        guard SettingsTable.row(named: name)?.isRepeatable == true else {
            return [SettingEntry(name, value, origin: .environment)]
        }
        if value.isEmpty { return [.emptyList(name, origin: .environment)] }
        return value.split(separator: ",", omittingEmptySubsequences: false).map {
            SettingEntry(name, trimmed($0), origin: .environment)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
