// The limits for one peer. The defaults suit a public endpoint: no client that keeps to the rules reaches them.
extension SettingsTable {
    /// The settings of this file, in the order of documentation.
    static let bounds: [AnySetting] = [
        AnySetting(memoryLimit), AnySetting(maxSessions), AnySetting(creationRate), AnySetting(loginTimeout),
        AnySetting(loginBody), AnySetting(loginSessions),
        AnySetting(addressConnections), AnySetting(addressSessions), AnySetting(addressLogins),
        AnySetting(addressCreations), AnySetting(addressLoginFailures), AnySetting(addressMemory),
        AnySetting(addressLookups), AnySetting(ipv6Prefix),
        AnySetting(sessionRequests), AnySetting(sessionRepeats), AnySetting(connectionBuffer), AnySetting(bodyRate),
        AnySetting(sendRate), AnySetting(maxExpansion), AnySetting(xmlElements), AnySetting(upstreamConnections),
    ]

    package static let memoryLimit = Setting<ByteLimit>.text(
        "memory-limit", valueName: "BYTES",
        allowed: "auto, or a number of bytes from 16 MiB (k, M, KiB or MiB may follow)",
        defaults: ["auto"], example: ["512 MiB"], mayBeNumber: true,
        "The bytes that all peers together may make this program hold; auto: half of the machine's or cgroup's memory",
        parse: { ByteLimit($0) })

    package static let maxSessions = Setting.count(
        "max-sessions", default: 0, in: 0...10_000_000, example: 20_000,
        "The most sessions of all clients; 0 for as many as there are file descriptors and memory for")

    package static let creationRate = Setting.count(
        "creation-rate", default: 0, in: 0...1_000_000, example: 200,
        "The most sessions of all clients that may begin in a second; twice as many may come at once; 0 for any number")

    package static let loginTimeout = Setting.seconds(
        "login-timeout", default: 30, in: 1...600, example: 60,
        "How long a client may take from its first request until the server lets it in")

    package static let loginBody = Setting.bytes(
        "login-body", default: 65_536, in: 4_096...8_388_608, example: "32 KiB",
        "The largest request body of a session that has not logged in")

    package static let loginSessions = Setting.count(
        "login-sessions", default: 0, in: 0...1_000_000, example: 2_000,
        "The most sessions of all clients without login; above it the oldest ends; 0: half of the file descriptors"
    )

    package static let addressConnections = Setting.count(
        "address-connections", default: 3_000, in: 1...1_000_000, example: 500,
        "The most connections of one client address; those of trusted proxies are not counted")

    package static let addressSessions = Setting.count(
        "address-sessions", default: 2_000, in: 1...1_000_000, example: 500,
        "The most sessions of one client address")

    package static let addressLogins = Setting.count(
        "address-logins", default: 500, in: 1...1_000_000, example: 50,
        "The most sessions of one client address that have not logged in")

    package static let addressCreations = Setting.count(
        "address-creations", default: 1_200, in: 1...1_000_000, example: 300,
        "The most sessions that one client address may begin in a minute")

    package static let addressLoginFailures = Setting.count(
        "address-login-failures", default: 600, in: 0...1_000_000, example: 60,
        "The most failed log-ins of one client address in a minute; after that it begins no session; 0 for any number")

    package static let addressMemory = Setting.bytes(
        "address-memory", default: 67_108_864, in: 1_048_576...1_073_741_824, example: "32 MiB",
        "The bytes that one client address may make this program hold")

    package static let addressLookups = Setting.count(
        "address-lookups", default: 2, in: 1...64, example: 1,
        "With open-proxy, the most names of one client address that are looked up at the same time")

    package static let ipv6Prefix = Setting.count(
        "address-prefix", default: 64, in: 32...128, example: 56,
        "How many bits of an IPv6 address make one client address for these limits")

    package static let sessionRequests = Setting.count(
        "session-requests", default: 500, in: 10...1_000_000, example: 100,
        "The most requests a second of one session; twice as many may come at once")

    package static let sessionRepeats = Setting.count(
        "session-repeats", default: 20, in: 1...1_000_000, example: 5,
        "The most repeated requests a second of one session; five times as many may come at once")

    package static let connectionBuffer = Setting.bytes(
        "connection-buffer", default: 262_144, in: 16_384...67_108_864, example: "512 KiB",
        "The bytes of answers that may wait on one connection before its requests are no longer read")

    package static let bodyRate = Setting.count(
        "body-rate", default: 500, in: 0...1_000_000, example: 1_000,
        "The lowest rate, in bytes a second, at which a client may send a request body; 0 for any")

    package static let sendRate = Setting.count(
        "send-rate", default: 500, in: 0...1_000_000, example: 1_000,
        "The lowest rate, in bytes a second over send-timeout, at which a client may read its answers; 0 for any")

    package static let maxExpansion = Setting.count(
        "max-expansion", default: 5, in: 2...1_000, example: 20,
        "How many times its own size a compressed request body may expand to")

    package static let xmlElements = Setting.count(
        "xml-elements", default: 10_000, in: 100...1_000_000, example: 5_000,
        "How many elements one request body may have")

    package static let upstreamConnections = Setting.count(
        "upstream-connections", default: 25_000, in: 1...60_000, example: 10_000,
        "The most streams to one address and port of a server; never more than the ports of this machine allow")
}

/// A number of bytes, or one derived from the machine's memory.
package enum ByteLimit: Equatable, Sendable {
    /// Half of the memory that this program may use.
    case auto
    case bytes(Int)

    /// The least that leaves room to work.
    private static let least = 16_777_216

    /// Reads `auto` or a size.
    init?(_ text: String) {
        if text == "auto" {
            self = .auto
        } else if let bytes = byteCount(text), bytes >= Self.least {
            self = .bytes(bytes)
        } else {
            return nil
        }
    }
}
