// The endpoint for WebSockets.
extension SettingsTable {
    /// The settings of this file, in the order of documentation.
    static let webSocket: [AnySetting] = [
        AnySetting(webSocketPath), AnySetting(publicWebSocketURL), AnySetting(webSocketPing),
        AnySetting(requireOrigin),
    ]

    package static let webSocketPath = Setting<EndpointPath>.text(
        "websocket-path", valueName: "PATH|off", allowed: "a path that begins with / and has no query, or off",
        defaults: ["/xmpp-websocket"], example: ["/ws", "/xmpp-websocket"], hasFlag: true, isRepeatable: true,
        "The paths of the WebSocket endpoint (RFC 7395), on the addresses of listen; slashes at either end make no "
            + "difference; off: no WebSockets",
        parse: { EndpointPath($0) })

    package static let publicWebSocketURL = Setting<String>.text(
        "public-websocket-url", valueName: "URL", allowed: "a wss URL such as wss://example.org/xmpp-websocket",
        example: ["wss://example.org/xmpp-websocket"], hasFlag: true, isRepeatable: true,
        "The WebSocket endpoint's public wss URL, which /.well-known/host-meta announces to clients (XEP-0156)",
        parse: { parsePublicURL($0, scheme: "wss") })

    package static let webSocketPing = Setting.seconds(
        "websocket-ping", default: 25, in: 0...3600, example: 50,
        "After how long without a message a WebSocket is sent a ping; keep it below every timeout on the way; 0: never")

    package static let requireOrigin = Setting<Switch>.choice(
        "require-origin", valueName: "on|off", default: .off, example: .on,
        "Whether a WebSocket needs an Origin field, which browsers send and programs do not; cors-origin says which ones"
    )
}

extension Settings {
    /// The paths of the WebSocket endpoint, no two alike; none when it is off.
    ///
    /// - Throws: for `off` beside a path.
    static func readWebSocketPaths(_ scope: SettingsScope) throws(SettingsError) -> [String] {
        let values = try scope.all(SettingsTable.webSocketPath)
        var paths: [String] = []
        for case .path(let path) in values { paths.append(path) }
        if values.contains(.off), values.count > 1 {
            throw scope.conflict(SettingsTable.webSocketPath.row, value: "off", "is not for a list: it stands alone")
        }
        return paths
    }
}
