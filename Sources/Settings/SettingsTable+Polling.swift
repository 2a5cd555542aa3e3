// The endpoint for HTTP polling.
extension SettingsTable {
    /// The settings of this file, in the order of documentation.
    static let httpPolling: [AnySetting] = [
        AnySetting(pollingPath), AnySetting(pollingHold), AnySetting(pollingInactivity),
        AnySetting(pollingRequireKeys),
    ]

    package static let pollingPath = Setting<EndpointPath>.text(
        "polling-path", valueName: "PATH|off", allowed: "a path that begins with / and has no query, or off",
        defaults: ["off"], example: ["/http-poll"],
        "The path of the endpoint for HTTP polling (XEP-0025), which is obsolete, on the addresses of listen; slashes at "
            + "either end make no difference; off: no HTTP polling. A client that vanishes without a goodbye stays "
            + "available to others for polling-inactivity",
        parse: { EndpointPath($0) })

    package static let pollingHold = Setting.milliseconds(
        "polling-hold", default: 500, in: 0...10_000, example: 200,
        "How long a request of HTTP polling waits for the server to send something; such clients send nothing while a "
            + "request is open")

    package static let pollingInactivity = Setting.seconds(
        "polling-inactivity", default: 300, in: 30...3600, example: 600,
        "How long a client of HTTP polling may send no request until its session ends; such clients ask up to every 120 s"
    )

    package static let pollingRequireKeys = Setting<Switch>.choice(
        "polling-require-keys", valueName: "on|off", default: .off, example: .on,
        "Whether a client of HTTP polling has to use keys. They hold off who can read requests but not delay them, and do "
            + "not replace TLS")
}

extension Settings {
    /// The path of the endpoint for HTTP polling; nil when it is off.
    ///
    /// - Throws: for the path of another endpoint, because a request could be for either.
    static func readPollingPath(_ scope: SettingsScope, others: [String]) throws(SettingsError) -> String? {
        guard case .path(let path) = try scope.one(SettingsTable.pollingPath) else { return nil }
        guard !others.contains(path) else {
            throw scope.conflict(SettingsTable.pollingPath.row, value: path, "is the path of another endpoint")
        }
        return path
    }
}
