import Addresses
import BOSHCore
import Primitives

/// Every setting, once: name, range, default, example, doc line. Help, documentation and checks are made from this
/// table.
package enum SettingsTable {
    /// All settings in the order of documentation.
    static let sections: [SettingsSection] = [
        SettingsSection(
            "Where clients connect",
            settings: [
                AnySetting(listen), AnySetting(listenProxy), AnySetting(path), AnySetting(publicURL),
                AnySetting(trustedProxy), AnySetting(clientAddressFrom), AnySetting(clientSchemeFrom),
            ]),
        SettingsSection("WebSocket", settings: webSocket),
        SettingsSection("HTTP polling", settings: httpPolling),
        SettingsSection("Pages of other origins", settings: crossOrigin),
        SettingsSection(
            "For the operator",
            settings: [
                AnySetting(admin), AnySetting(adminHost), AnySetting(adminTokenFile), AnySetting(workers),
                AnySetting(linger),
                AnySetting(generations), AnySetting(control), AnySetting(node),
                AnySetting(user), AnySetting(group), AnySetting(coreDumps),
            ]),
        SettingsSection(
            "The log",
            settings: [
                AnySetting(logLevel), AnySetting(logFormat), AnySetting(logPriorities), AnySetting(logUsers),
                AnySetting(accessLog), AnySetting(accessLogFormat), AnySetting(accessLogSample),
            ]),
        SettingsSection(
            "Which domains are served",
            settings: [
                AnySetting(domain), AnySetting(defaultDomain), AnySetting(openProxy), AnySetting(route),
                AnySetting(nameserver),
            ]),
        SettingsSection(
            "How the server of a domain is reached",
            settings: [
                AnySetting(upstream), AnySetting(upstreamTLS), AnySetting(upstreamCA), AnySetting(upstreamPin),
                AnySetting(upstreamCertificate), AnySetting(upstreamKey), AnySetting(upstreamTLSMinimum),
                AnySetting(upstreamCiphers), AnySetting(upstreamCompression), AnySetting(upstreamFrom),
                AnySetting(upstreamProxyProtocol),
            ]),
        SettingsSection(
            "Streams to all servers",
            settings: [
                AnySetting(connectTimeout), AnySetting(upstreamWriteTimeout), AnySetting(stanzaTimeout),
                AnySetting(keepaliveInterval), AnySetting(breakerFailures), AnySetting(breakerPause),
                AnySetting(maxStanza), AnySetting(stanzaDepth), AnySetting(stanzaAttributes), AnySetting(maxSkipped),
            ]),
        SettingsSection(
            "Sessions",
            settings: [
                AnySetting(maxWait), AnySetting(inactivity), AnySetting(maxHold), AnySetting(polling),
                AnySetting(maxpause), AnySetting(sessionBuffer), AnySetting(replayBudget), AnySetting(drain),
            ]),
        SettingsSection(
            "Requests and responses",
            settings: [
                AnySetting(maxBody), AnySetting(xmlDepth), AnySetting(xmlAttributes), AnySetting(headTimeout),
                AnySetting(bodyTimeout), AnySetting(sendTimeout), AnySetting(idleTimeout),
                AnySetting(compressResponses), AnySetting(compressFrom),
            ]),
        SettingsSection("What one peer may take", settings: bounds),
    ]

    /// All rows in the order of documentation.
    package static let rows: [SettingRow] = sections.flatMap(\.rows)

    /// The row of a setting; `nil` for an unknown name.
    package static func row(named name: String) -> SettingRow? {
        byName[name]?.row
    }

    /// Whether the setting of this name may have the value; false without such a setting.
    package static func accepts(_ value: String, as name: String) -> Bool {
        byName[name]?.accepts(value) ?? false
    }

    /// The setting of that name.
    static func setting(named name: String) -> AnySetting? {
        byName[name]
    }

    private static let byName: [String: AnySetting] = Dictionary(
        sections.flatMap(\.settings).map { ($0.row.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// A group of settings under a title.
package struct SettingsSection: Sendable {
    /// The heading.
    package let title: String
    let settings: [AnySetting]

    /// The rows of these settings.
    package var rows: [SettingRow] { settings.map(\.row) }

    init(_ title: String, settings: [AnySetting]) {
        self.title = title
        self.settings = settings
    }

    /// All sections, in the order of documentation.
    package static var all: [SettingsSection] { SettingsTable.sections }
}

// Where clients connect, and the operator.
extension SettingsTable {
    package static let listen = Setting<ListenAddress>.text(
        "listen", valueName: "ADDR:PORT|unix:PATH", allowed: "ADDR:PORT, [IPV6]:PORT or unix:/PATH",
        defaults: ["127.0.0.1:5280"], example: ["127.0.0.1:5280", "[::1]:5280", "unix:/run/holdfast/http.sock"],
        hasFlag: true, isRepeatable: true, hint: AddressHint(allowsSockets: true, port: 5280).words,
        "The addresses for web clients or a proxy; [::] is only IPv6, 0.0.0.0 is IPv4; port 0 means any free port",
        parse: { ListenAddress($0) })

    package static let listenProxy = Setting<ListenAddress>.text(
        "listen-proxy", valueName: "ADDR:PORT|unix:PATH", allowed: "ADDR:PORT, [IPV6]:PORT or unix:/PATH",
        example: ["127.0.0.1:5282"], isRepeatable: true, hint: AddressHint(allowsSockets: true, port: 5280).words,
        "Like listen, but each connection must come from a trusted proxy and begin with a PROXY header, v1 or v2",
        parse: { ListenAddress($0) })

    package static let path = Setting<String>.text(
        "path", valueName: "PATH", allowed: "a path that begins with / and has no query", defaults: ["/http-bind"],
        example: ["/bosh"], hasFlag: true,
        "The path of the BOSH endpoint; slashes at either end make no difference", parse: { endpointPath($0) })

    package static let publicURL = Setting<String>.text(
        "public-url", valueName: "URL", allowed: "an https URL such as https://example.org/http-bind",
        example: ["https://example.org/http-bind"], hasFlag: true, isRepeatable: true,
        "The endpoint's public https URL, which /.well-known/host-meta announces to clients (XEP-0156)",
        parse: { parsePublicURL($0) })

    package static let trustedProxy = Setting<IPNetwork>.text(
        "trusted-proxy", valueName: "NETWORK", allowed: "an IP address or a network such as 10.0.0.0/8",
        defaults: ["127.0.0.0/8", "::1"], example: ["127.0.0.0/8", "::1", "192.0.2.0/24"], isRepeatable: true,
        hint: networkHint,
        "The proxies that are trusted when they name a client's address", parse: { IPNetwork($0) })

    package static let clientAddressFrom = Setting<ForwardedHeader>.choice(
        "client-address-from", valueName: "HEADER", default: .none, example: .xForwardedFor,
        "The header field in which trusted proxies name a client's address; choose the one that your proxy sets")

    package static let clientSchemeFrom = Setting<SchemeHeader>.choice(
        "client-scheme-from", valueName: "HEADER", default: .none, example: .xForwardedProto,
        "The header field in which trusted proxies say whether a client uses https; forwarded goes only with "
            + "client-address-from = forwarded. A PROXY header says it too, without this setting")

    package static let admin = Setting<AdminAddress>.text(
        "admin", valueName: "ADDR:PORT|unix:PATH", allowed: "ADDR:PORT, [IPV6]:PORT, unix:/PATH or off",
        defaults: ["127.0.0.1:5281"], example: ["unix:/run/holdfast/admin.sock"], hasFlag: true,
        hint: AddressHint(allowsSockets: true, port: 5281).words,
        "Where /healthz, /readyz and /stats are served, or off; keep it off public addresses",
        parse: { AdminAddress($0) })

    package static let adminHost = Setting<String>.text(
        "admin-host", valueName: "NAME", allowed: "a host name such as holdfast.example.org",
        example: ["holdfast.example.org"], isRepeatable: true,
        "A host name that requests to admin may use, besides localhost and numeric addresses",
        parse: { hostName($0) })

    package static let adminTokenFile = Setting<String>.text(
        "admin-token-file", valueName: "FILE", allowed: "the path of a file", example: ["/etc/holdfast/admin-token"],
        "A file with a token that requests to admin must show, except those to /healthz, /readyz and /lbcheck",
        parse: { filePath($0) })

    package static let workers = Setting<WorkerCount>.text(
        "workers", valueName: "N|auto|none", allowed: "a number from 1 to 64, auto or none", defaults: ["auto"],
        example: ["4"], hasFlag: true, mayBeNumber: true,
        "How many processes serve clients, each on one processor core; auto: one for each core that may be used; none: the "
            + "program serves alone, and can neither reload its configuration nor be upgraded without losing sessions",
        parse: { WorkerCount($0) })

    package static let linger = Setting.seconds(
        "linger", default: 86_400, in: 0...2_592_000, example: 3600,
        "How long sessions go on with the old settings, or the old program, after a reload or an upgrade; those that are "
            + "left then are told to come back, over the time of drain")

    package static let generations = Setting.count(
        "generations", default: 8, in: 1...32, example: 4,
        "How many configurations may have sessions at the same time, the newest among them; with one more, the sessions of "
            + "the oldest end")

    package static let control = Setting<ControlPlace>.text(
        "control", valueName: "unix:PATH|off", allowed: "unix:/PATH or off", defaults: ["off"],
        example: ["unix:/run/holdfast/control.sock"], hasFlag: true,
        "Where the program takes the commands reload, upgrade, log and reopen, and where a new supervisor finds the workers of one "
            + "that has died; with workers = none it takes log and reopen there",
        parse: { ControlPlace($0) })

    package static let node = Setting<NodeName>.text(
        "node", valueName: "NAME", allowed: "1 to 15 small letters and digits", example: ["web1"],
        "The name of this machine in each sid, by which a balancer finds the owner of a session; without it, what of the "
            + "host's name may stand there",
        parse: { NodeName($0) })

    package static let user = Setting<String>.text(
        "user", valueName: "NAME", allowed: "the name of a user", example: ["holdfast"],
        "The user that serves clients once the listeners are open; only for a start as root",
        parse: { accountName($0) })

    package static let group = Setting<String>.text(
        "group", valueName: "NAME", allowed: "the name of a group", example: ["holdfast"],
        "The group that goes with user, if it is not the user's own",
        parse: { accountName($0) })

    package static let coreDumps = Setting<Switch>.choice(
        "core-dumps", valueName: "on|off", default: .off, example: .on,
        "Whether a crash may write a core dump; it contains every sid and every stanza in memory")

    package static let logUsers = Setting<Switch>.choice(
        "log-users", valueName: "on|off", default: .on, example: .off,
        "Whether the log and /sessions name the users of sessions; the servers' logs do so in any case")
}

// Sessions, requests and responses. The defaults are meant to suit every installation.
extension SettingsTable {
    package static let maxWait = Setting.seconds(
        "max-wait", default: 55, in: 1...3600, example: 50, hasFlag: true,
        "The longest time a request is held; keep it below the read timeout of your proxy, which is often 60")

    package static let inactivity = Setting.seconds(
        "inactivity", default: 60, in: 5...65535, example: 90, hasFlag: true,
        "How long a client may have no request open before its session ends")

    package static let maxHold = Setting.count(
        "max-hold", default: 2, in: 1...10, example: 1, hasFlag: true,
        "The most requests held for one session; a client may have one more open")

    package static let polling = Setting.seconds(
        "polling", default: 2, in: 2...5, example: 5, "The shortest time between the empty requests of a polling client"
    )

    package static let maxpause = Setting.seconds(
        "maxpause", default: 120, in: 5...65535, example: 300, "The longest pause a client may ask for")

    package static let drain = Setting.seconds(
        "drain", default: 10, in: 0...3600, example: 60,
        "Over how long sessions are told that the program ends, so that their clients do not all come back at once")

    package static let sessionBuffer = Setting.bytes(
        "session-buffer", default: 262_144, in: 16384...67_108_864, example: "512 KiB",
        "The bytes that may wait for one session in each direction before the sender has to wait")

    package static let replayBudget = Setting.bytes(
        "replay-budget", default: 16_777_216, in: 0...1_073_741_824, example: "64 MiB",
        "How many bytes of responses all sessions together may keep for repeats, beyond the required ones")

    package static let maxBody = Setting.bytes(
        "max-body", default: 1_048_576, in: 1024...8_388_608, example: "2 MiB", hasFlag: true,
        "The largest request body")

    package static let xmlDepth = Setting.count(
        "xml-depth", default: 100, in: 8...200, example: 64,
        "How deep elements of a request may nest, including the outermost one")

    package static let xmlAttributes = Setting.count(
        "xml-attributes", default: 200, in: 8...1024, example: 64,
        "How many attributes and namespace declarations one element of a request may have")

    package static let headTimeout = Setting.seconds(
        "head-timeout", default: 15, in: 1...300, example: 10, "How long a client may take for the head of a request")

    package static let bodyTimeout = Setting.seconds(
        "body-timeout", default: 60, in: 1...3600, example: 30, "How long a client may take for the body of a request")

    package static let sendTimeout = Setting.seconds(
        "send-timeout", default: 30, in: 1...3600, example: 60, "How long a client may accept no byte of a response")

    // If this program closes a connection while the proxy sends a POST on it, the client gets a 502. So the proxy has
    // to close first, and this is never below 150.
    package static let idleTimeout = Setting.seconds(
        "idle-timeout", default: 180, in: 150...86400, example: 600,
        "How long a connection without a request stays open; keep it longer than your proxy keeps idle connections")

    package static let compressResponses = Setting<Switch>.choice(
        "compress-responses", valueName: "on|off", default: .on, example: .off,
        "Whether responses are compressed for clients that ask for it; responses that contain SASL never are")

    package static let compressFrom = Setting.bytes(
        "compress-from", default: 256, in: 64...1_048_576, example: "1 KiB",
        "The smallest response body that is compressed")
}

/// A setting that is on or off.
package enum Switch: String, CaseIterable, Sendable {
    case on, off
}

/// The address of the admin endpoints, or off.
package enum AdminAddress: Hashable, Sendable {
    case off
    case on(ListenAddress)

    /// Reads `off`, an address and a port, or the path of a Unix socket.
    init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if let address = ListenAddress(text) {
            self = .on(address)
        } else {
            return nil
        }
    }
}

/// Where the program takes commands.
package enum ControlPlace: Hashable, Sendable {
    case off
    case on(ListenAddress)

    /// Reads `off`, or the path of a Unix socket.
    init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if let address = ListenAddress(text), case .unix = address {
            self = .on(address)
        } else {
            return nil
        }
    }
}

/// How many processes serve clients.
package enum WorkerCount: Hashable, Sendable {
    /// One for each processor core that this process may use, at most `most`.
    case auto
    /// This many, 1...`most`.
    case number(Int)
    /// The process that was started serves alone.
    case none

    /// The most workers.
    package static let most = 64

    /// Reads `auto`, `none` or a number.
    init?(_ text: String) {
        if text == "auto" {
            self = .auto
        } else if text == "none" {
            self = .none
        } else if let number = decimal(text), (1...Self.most).contains(number) {
            self = .number(number)
        } else {
            return nil
        }
    }

    /// The number on a machine where this process may use so many cores; 0 when the process serves alone.
    package func number(cores: Int) -> Int {
        switch self {
        case .auto: min(max(cores, 1), Self.most)
        case .number(let number): number
        case .none: 0
        }
    }
}

/// What is wrong with a network.
@Sendable
private func networkHint(_ text: String) -> String? {
    guard let slash = text.firstIndex(of: "/"), let length = decimal(text[text.index(after: slash)...]) else {
        return nil
    }
    if let network = IPNetwork(around: text) { return "bits are set behind the first \(length): write \(network)" }
    if isIPv4(text[..<slash]), length > 32 { return "an IPv4 address has 32 bits" }
    if isIPv6(text[..<slash]), length > 128 { return "an IPv6 address has 128 bits" }
    return nil
}

/// Reads the name of a user or a group, as most systems allow it (useradd(8)).
private func accountName(_ text: String) -> String? {
    guard let first = text.utf8.first, first.isASCIILetter || first == UInt8(ascii: "_") else { return nil }
    let isName = text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "_-.".utf8.contains($0) }
    return isName && text.utf8.count <= 32 ? text : nil
}

/// Reads a name of letters, digits and hyphens with dots between, in lower case (RFC 1123 §2.1).
private func hostName(_ text: String) -> String? {
    let text = withoutFinalStop(text)
    return HostName.isValid(text.utf8) ? text.lowercased() : nil
}

/// Reads a path as in a request target, with one slash in front and none at the end, unless it is the root.
func endpointPath(_ text: String) -> String? {
    let isPath = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"?#"<>\^`{|}"#.utf8.contains($0) }
    guard text.hasPrefix("/"), text.utf8.count <= 1024, isPath else { return nil }
    var core = text.drop { $0 == "/" }
    while core.hasSuffix("/") { core.removeLast() }
    return "/" + core
}
