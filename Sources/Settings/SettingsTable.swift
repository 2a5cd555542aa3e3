/// Every setting, once: name, range, default, doc line. Help, documentation and checks are made from here.
package enum SettingsTable {
    // What the operator says on the command line.

    package static let listen = Setting<ListenAddress>.text(
        "listen", valueName: "ADDR:PORT|unix:PATH", allowed: "ADDR:PORT, [IPV6]:PORT or unix:/PATH",
        defaults: ["127.0.0.1:5280"], isRepeatable: true,
        "Where web clients or a proxy reach this program; port 0 takes a free one", parse: { ListenAddress($0) })

    package static let admin = Setting<AdminAddress>.text(
        "admin", valueName: "ADDR:PORT", allowed: "ADDR:PORT, [IPV6]:PORT or off", defaults: ["127.0.0.1:5281"],
        "Where /healthz, /readyz and /stats are served, or off; keep it off public addresses",
        parse: { AdminAddress($0) })

    package static let domain = Setting<String>.text(
        "domain", valueName: "DOMAIN", allowed: "a domain name such as example.org", isRequired: true,
        isRepeatable: true, "An XMPP domain that clients may log in to; its name must be in the server's certificate",
        parse: { xmppDomain($0) })

    package static let upstream = Setting<UpstreamAddress>.text(
        "upstream", valueName: "HOST:PORT", allowed: "HOST:PORT with a name, an IPv4 address or an [IPv6] address",
        isRequired: true, "The client port of the XMPP server", parse: { UpstreamAddress($0) })

    package static let upstreamTLS = Setting<UpstreamTLS>.choice(
        "upstream-tls", valueName: "MODE", default: .starttls,
        "How the stream to the server is encrypted; the certificate is checked unless none")

    package static let upstreamCA = Setting<String>.text(
        "upstream-ca", valueName: "FILE", allowed: "the path of a PEM file",
        "The CA certificates that the server's certificate may come from, instead of the system's",
        parse: { !$0.isEmpty && $0.utf8.count <= 4095 && isPrintable($0) ? $0 : nil })

    package static let path = Setting<String>.text(
        "path", valueName: "PATH", allowed: "a path that begins with / and has no query", defaults: ["/http-bind"],
        "The path of the BOSH endpoint; a slash at its end makes no difference", parse: { endpointPath($0) })

    package static let publicURL = Setting<String>.text(
        "public-url", valueName: "URL", allowed: "an https URL such as https://example.org/http-bind",
        isRepeatable: true,
        "Where clients reach the endpoint from outside, through TLS; /.well-known/host-meta says so (XEP-0156)",
        parse: { parsePublicURL($0) })

    package static let maxWait = Setting.seconds(
        "max-wait", default: 55, in: 1...3600, hasFlag: true,
        "The longest time a request is held; keep it below the read timeout of a proxy, which is often 60")

    package static let inactivity = Setting.seconds(
        "inactivity", default: 60, in: 5...65535, hasFlag: true,
        "How long a client may have no request open before its session ends")

    package static let maxHold = Setting.count(
        "max-hold", default: 2, in: 1...10, hasFlag: true,
        "The most requests held for one session; a client may have one more open")

    package static let maxBody = Setting.bytes(
        "max-body", default: 1_048_576, in: 1024...8_388_608, hasFlag: true, "The largest request body")

    package static let logLevel = Setting<LogLevel>.choice(
        "log-level", valueName: "LEVEL", default: .info, "The least important messages that are logged")

    // What has no flag. The defaults are meant to be right everywhere.

    package static let headTimeout = Setting.seconds(
        "head-timeout", default: 15, in: 1...300, "How long a client may take for the head of a request")

    package static let bodyTimeout = Setting.seconds(
        "body-timeout", default: 60, in: 1...3600, "How long a client may take for the body of a request")

    package static let sendTimeout = Setting.seconds(
        "send-timeout", default: 30, in: 1...3600, "How long a client may accept no byte of a response")

    // A close that races a POST is a 502 at the proxy, so the proxy has to be the first to close: never below 150.
    package static let idleTimeout = Setting.seconds(
        "idle-timeout", default: 180, in: 150...86400, "How long a connection without a request stays open")

    package static let polling = Setting.seconds(
        "polling", default: 2, in: 2...5, "The shortest time between the empty requests of a polling client")

    package static let maxpause = Setting.seconds(
        "maxpause", default: 120, in: 5...65535, "The longest pause a client may ask for")

    package static let connectTimeout = Setting.seconds(
        "upstream-connect-timeout", default: 20, in: 1...120,
        "How long connecting, TLS and the server's first features may take together")

    package static let upstreamWriteTimeout = Setting.seconds(
        "upstream-write-timeout", default: 30, in: 1...600, "How long the server may accept no byte")

    package static let keepaliveInterval = Setting.seconds(
        "upstream-keepalive", default: 180, in: 120...300,
        "After how long without a byte to the server a space is sent (RFC 6120 §4.6.1)")

    package static let sessionBuffer = Setting.bytes(
        "session-buffer", default: 262_144, in: 16384...67_108_864,
        "The bytes that may wait for one session in each direction before the sender has to wait")

    package static let replayBudget = Setting.bytes(
        "replay-budget", default: 16_777_216, in: 0...1_073_741_824,
        "The bytes of answered responses kept for repeats beyond those that must be, for all sessions together")

    package static let compressResponses = Setting<Switch>.choice(
        "compress-responses", valueName: "on|off", default: .on, hasFlag: false,
        "Whether responses are compressed for clients that ask for it; those with SASL in them never are")

    package static let compressFrom = Setting.bytes(
        "compress-from", default: 256, in: 64...1_048_576, "The smallest response body that is compressed")

    /// All rows, those with a flag first, in the order of documentation.
    package static let rows: [SettingRow] = [
        listen.row, admin.row, domain.row, upstream.row, upstreamTLS.row, upstreamCA.row, path.row,
        publicURL.row, maxWait.row, inactivity.row, maxHold.row, maxBody.row, logLevel.row, headTimeout.row,
        bodyTimeout.row, sendTimeout.row,
        idleTimeout.row, polling.row, maxpause.row, connectTimeout.row, upstreamWriteTimeout.row,
        keepaliveInterval.row, sessionBuffer.row, compressResponses.row, compressFrom.row, replayBudget.row,
    ]

    /// The row of a setting, `nil` when there is none of that name.
    package static func row(named name: String) -> SettingRow? {
        rows.first { $0.name == name }
    }
}

/// How the stream to the XMPP server is encrypted.
package enum UpstreamTLS: String, CaseIterable, Sendable {
    /// Not at all; has to be asked for.
    case none
    /// RFC 6120 §5, required.
    case starttls
    /// From the first byte on (XEP-0368).
    case direct
}

/// Something that is done or not.
package enum Switch: String, CaseIterable, Sendable {
    case on, off
}

/// The importance of a log line, least first.
package enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}

/// Where the admin endpoints are, if anywhere.
package enum AdminAddress: Hashable, Sendable {
    case off
    case on(ListenAddress)

    /// Reads `off`, or an address and a port.
    init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if let address = ListenAddress(text), case .tcp = address {
            self = .on(address)
        } else {
            return nil
        }
    }
}

/// A path as it stands in a request target, without a slash at its end (unless it is the root).
private func endpointPath(_ text: String) -> String? {
    let isPath = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"?#"<>\^`{|}"#.utf8.contains($0) }
    guard text.hasPrefix("/"), text.utf8.count <= 1024, isPath else { return nil }
    var path = text[...]
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    return String(path)
}
