import Reactor
import Settings
import StreamCore
import TLSCodec

/// How one served domain is reached, and what its sessions share. With an open proxy, one more stands for all other domains.
final class UpstreamSite {
    let settings: DomainSettings
    /// Whether its domains are named by strangers, so that only public addresses may be connected to.
    let isOpenProxy: Bool
    /// Trust anchors, keys and tickets; nil when nothing is encrypted.
    let tls: TLSContext?
    let tlsMode: TLSMode
    var health = UpstreamHealth()

    private init(_ settings: DomainSettings, isOpenProxy: Bool, tls: TLSContext?) {
        self.settings = settings
        self.isOpenProxy = isOpenProxy
        self.tls = tls
        tlsMode = TLSMode(settings.tls)
    }

    /// What stands for the site in the statistics: the domain, or `*`.
    var name: String { isOpenProxy ? "*" : settings.name }

    /// Where its streams go, for the line at the start.
    var summary: String {
        let places =
            switch settings.upstream {
            case .dns: "DNS"
            case .fixed(let addresses): addresses.map(\.description).joined(separator: ", ")
            }
        return "\(places) (TLS: \(settings.tls.rawValue))"
    }

    /// The way to `domain`, which is this site's, or, for an open proxy, any; nil for a name that cannot stand in DNS.
    func route(to domain: String) -> TargetRoute? {
        switch settings.upstream {
        case .dns: return DomainName(domain).map { .dns(domain: $0.text, tls: tlsMode) }
        case .fixed(let addresses): return .fixed(addresses.map { target($0) })
        }
    }

    /// A single address as the way to a domain: what a client or a server asked for and the operator allows.
    func route(over address: UpstreamAddress) -> TargetRoute {
        .fixed([target(address)])
    }

    /// Whether the operator lists `address` for this domain.
    func lists(_ address: UpstreamAddress) -> Bool {
        guard case .fixed(let addresses) = settings.upstream else { return false }
        return addresses.contains { $0.isSamePlace(as: address) }
    }

    private func target(_ address: UpstreamAddress) -> UpstreamTarget {
        UpstreamTarget(
            host: DomainName(address.host)?.text ?? address.host, port: address.port, tls: tlsMode,
            priority: address.priority, weight: address.weight)
    }
}

/// All sites of a worker, by domain.
struct UpstreamSites {
    private var sites: [String: UpstreamSite] = [:]
    private var openProxy: UpstreamSite?

    /// Reads the certificates that the domains name.
    ///
    /// - Throws: `StartError` that names the setting and the file.
    init(_ settings: Settings) throws(StartError) {
        var contexts: [TLSRules: TLSContext] = [:]
        for domain in settings.domains {
            sites[domain.name] = try UpstreamSite(domain, isOpenProxy: false, contexts: &contexts)
        }
        if let domain = settings.openProxy {
            openProxy = try UpstreamSite(domain, isOpenProxy: true, contexts: &contexts)
        }
    }

    /// The site of a domain that the policy let pass.
    subscript(domain: String) -> UpstreamSite? { sites[domain] ?? openProxy }

    /// All of them, ordered by name.
    var all: [UpstreamSite] { sites.values.sorted { $0.name < $1.name } + (openProxy.map { [$0] } ?? []) }
}

extension UpstreamSite {
    /// A site with a context for its rules; domains with the same rules share one, because trust anchors take megabytes.
    fileprivate convenience init(
        _ settings: DomainSettings, isOpenProxy: Bool, contexts: inout [TLSRules: TLSContext]
    ) throws(StartError) {
        guard settings.tls != .none else {
            self.init(settings, isOpenProxy: isOpenProxy, tls: nil)
            return
        }
        let rules = TLSRules(settings)
        if let context = contexts[rules] {
            self.init(settings, isOpenProxy: isOpenProxy, tls: context)
            return
        }
        do throws(TLSError) {
            let context = try TLSContext(rules: rules)
            contexts[rules] = context
            self.init(settings, isOpenProxy: isOpenProxy, tls: context)
        } catch {
            let place = settings.name.isEmpty ? "upstream TLS" : "upstream TLS of \(settings.name)"
            throw StartError("\(place): \(error)")
        }
    }
}

extension TLSRules {
    fileprivate init(_ settings: DomainSettings) {
        self.init(
            trust: settings.ca.map { .file($0) } ?? .system, pins: settings.pins.map(\.digest),
            certificateFile: settings.certificate,
            keyFile: settings.key, minimumVersion: settings.tlsMinimum == .v13 ? .tls13 : .tls12,
            cipherList: settings.ciphers)
    }
}

extension UpstreamAddress {
    /// Whether both name one host and port, whatever their priority.
    func isSamePlace(as other: UpstreamAddress) -> Bool {
        host == other.host && port == other.port
    }

    /// Reads what a server sends us elsewhere with: a host, an IPv6 address in brackets, and perhaps a port
    /// (RFC 6120 §4.9.3.19).
    init?(redirect text: String) {
        guard let address = UpstreamAddress(text) ?? UpstreamAddress("\(text):5222") else { return nil }
        self = address
    }
}
