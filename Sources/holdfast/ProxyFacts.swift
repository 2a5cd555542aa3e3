import Addresses
import HTTPWire
import Settings

/// What the configuration of a proxy needs to know of the settings in force. The texts for the proxies are made of this
/// value and nothing else.
struct ProxyFacts {
    /// Where the proxy connects: one Unix socket, which has no limit of ports, or all addresses. Never empty.
    let places: [ListenAddress]
    /// Whether connections have to begin with a PROXY header.
    let wantsProxyHeader: Bool
    /// The name that clients use.
    let host: String
    /// The paths of BOSH, then of WebSocket, then of host-meta: each is in one of the lists.
    let path: String
    let webSocketPaths: [String]
    /// The path of HTTP polling, whose clients need the end of each connection.
    let pollingPath: String?
    /// Seconds.
    let maxWait: Int64
    let webSocketPing: Int64
    let pollingHold: Int64
    let idleTimeout: Int64
    /// Bytes.
    let maxBody: Int
    let addressField: ForwardedHeader
    let schemeField: SchemeHeader
    let crossOrigin: CrossOriginPolicy
    /// Where health is told; nil when the operator's listener is off.
    let admin: (host: String, port: UInt16)?

    static let hostMeta = ["/.well-known/host-meta", "/.well-known/host-meta.json"]

    /// Why no configuration can be made of the settings: a line for the operator.
    struct Obstacle: Error, Equatable {
        let line: String
    }

    /// The facts of these settings.
    ///
    /// - Throws: for a port that is not known before the start, and for a path that would need quoting.
    init(_ settings: Settings) throws(Obstacle) {
        wantsProxyHeader = settings.listen.isEmpty
        let all = settings.listen.isEmpty ? settings.listenProxy : settings.listen
        let sockets = all.filter { if case .unix = $0 { true } else { false } }
        places = sockets.isEmpty ? all.map(Self.reachable) : [sockets[0]]
        for case .tcp(_, let port) in places where port == 0 {
            throw Obstacle(line: "listen has port 0, which is another one at each start: give it a port")
        }
        path = settings.path
        webSocketPaths = settings.webSocketPaths
        pollingPath = settings.pollingPath
        var written = [settings.path] + settings.webSocketPaths + [settings.pollingPath].compactMap { $0 }
        for case .unix(let path) in places { written.append(path) }
        for text in written where !text.utf8.allSatisfy(Self.isPlain) {
            throw Obstacle(
                line: "'\(SettingsError.printable(text))' has a byte that the configuration of a proxy would have to "
                    + "quote: letters, digits and / . - _ ~ are written")
        }
        host = Self.host(settings)
        maxWait = settings.maxWait.components.seconds
        webSocketPing = settings.webSocketPaths.isEmpty ? 0 : settings.webSocketPing.components.seconds
        pollingHold = settings.pollingPath == nil ? 0 : Self.roundedUp(settings.pollingHold)
        idleTimeout = settings.idleTimeout.components.seconds
        maxBody = settings.maxBody
        addressField = settings.clientAddressFrom
        schemeField = settings.clientSchemeFrom
        crossOrigin = settings.crossOrigin
        if case .tcp(let host, let port)? = settings.admin.map(Self.reachable), port != 0 {
            admin = (host, port)
        } else {
            admin = nil
        }
    }

    // MARK: Numbers

    /// How long the proxy has to wait for an answer, in seconds: the longest silence that is meant, and `margin`.
    var readTimeout: Int64 { longestSilence + Self.margin }

    /// The longest time for which Holdfast says nothing on purpose.
    private var longestSilence: Int64 { max(maxWait, webSocketPing, pollingHold) }

    /// How long the proxy keeps an idle connection to Holdfast: less than Holdfast does, because a request that meets the
    /// end of its connection is a 502.
    var keptIdle: Int64 { min(60, idleTimeout / 2) }

    /// How many idle connections to Holdfast a proxy keeps: more than there are requests at the same time that are answered
    /// at once.
    static let keptConnections = 1_024

    /// For a busy machine, and for the login that a poll may wait for.
    private static let margin: Int64 = 20

    // MARK: Words

    /// Why the read timeout is what it is.
    var timeoutReason: String {
        var parts = ["A poll is held for \(maxWait) s (max-wait)"]
        if webSocketPing > 0 { parts.append("a WebSocket is silent for \(webSocketPing) s (websocket-ping)") }
        if pollingHold > 0 { parts.append("HTTP polling waits for \(pollingHold) s (polling-hold)") }
        let last = parts.removeLast()
        let list = parts.isEmpty ? last : parts.joined(separator: ", ") + ", and " + last
        return "\(list): \(longestSilence) s + \(Self.margin) s."
    }

    /// What has to be in the file so that Holdfast reads what this configuration says of clients; empty if it is there.
    var missingLines: [String] {
        var lines: [String] = []
        if addressField == .none { lines.append("client-address-from = \"x-forwarded-for\"") }
        if schemeField == .none { lines.append("client-scheme-from = \"x-forwarded-proto\"") }
        return lines
    }

    /// The field that names the client, whether it is read already or not.
    var givenAddress: ForwardedHeader { addressField == .none ? .xForwardedFor : addressField }

    /// Whether the scheme has a field of its own.
    var givesScheme: Bool { schemeField != .forwarded }

    /// The comment about the client's address and scheme, of lines without a comment sign.
    var clientComment: [String] {
        guard !missingLines.isEmpty else { return ["The client's address and scheme, as client-address-from says."] }
        let these = missingLines.count == 1 ? "this line" : "these lines"
        return ["The client's address and scheme. Holdfast reads them only with \(these) in holdfast.toml:"]
            + missingLines.map { "    \($0)" }
    }

    /// All paths, each without a slash at its end; the root is empty.
    var paths: [String] { ([path] + webSocketPaths).map(Self.trimmed) + Self.hostMeta }

    /// All paths as a regular expression.
    var pattern: String { Self.pattern(paths) }

    /// Paths as a regular expression, with or without a slash at the end.
    static func pattern(_ paths: [String]) -> String {
        "^(\(paths.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")))/?$"
    }

    /// Each path as clients may write it.
    static func spellings(_ paths: [String]) -> String {
        paths.flatMap { path in
            hostMeta.contains(path) ? [path] : path.isEmpty ? ["/"] : [path, path + "/"]
        }.joined(separator: " ")
    }

    /// The path without a slash at its end.
    static func trimmed(_ path: String) -> String { path == "/" ? "" : path }

    // MARK: What the settings say

    /// The address at which a local program reaches a listener on all addresses.
    private static func reachable(_ place: ListenAddress) -> ListenAddress {
        switch place {
        case .tcp("0.0.0.0", let port): .tcp(host: "127.0.0.1", port: port)
        case .tcp("::", let port): .tcp(host: "::1", port: port)
        case .tcp, .unix: place
        }
    }

    /// The host of the public address, or else a domain that is served.
    private static func host(_ settings: Settings) -> String {
        let url = settings.publicURLs.first ?? settings.publicWebSocketURLs.first
        let host = url.flatMap { url in url.split(separator: "/").dropFirst().first?.split(separator: ":").first }
        let domain = settings.defaultDomain ?? settings.domains.first?.name
        for name in [host.map(String.init), domain] {
            guard let name, !name.isEmpty, name.utf8.allSatisfy(isPlain), !name.contains("/"), !name.contains("~")
            else {
                continue
            }
            return name
        }
        return "example.org"
    }

    private static func roundedUp(_ time: Duration) -> Int64 {
        time.components.seconds + (time.components.attoseconds > 0 ? 1 : 0)
    }

    /// A byte that no proxy's configuration quotes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "/.-_~".utf8.contains(byte)
        }
    }
}
