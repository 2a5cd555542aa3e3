import Addresses
import Primitives
import Reactor
import Settings
import StreamCore
import TLSCodec

/// How one served domain is reached, and what its sessions share. An open proxy has one more site for all other
/// domains.
final class UpstreamSite {
    let settings: DomainSettings
    /// Whether strangers name the domains of this site, so that only public addresses may be connected to.
    let isOpenProxy: Bool
    /// Its number among all sites of the worker, in the order of the configuration.
    fileprivate(set) var number = SessionRecord.none
    /// Trust anchors, keys and tickets; nil when nothing is encrypted.
    let tls: TLSContext?
    let tlsMode: TLSMode
    /// The rules for its streams.
    let rules: UpstreamRules
    var health = UpstreamHealth()
    /// Which settings its streams showed to be wrong.
    var advice = Reminders<StreamAdvice>()

    private init(_ settings: DomainSettings, of all: Settings, isOpenProxy: Bool, tls: TLSContext?) {
        self.settings = settings
        self.isOpenProxy = isOpenProxy
        self.tls = tls
        tlsMode = TLSMode(settings.tls)
        rules = UpstreamRules(settings, of: all, isOpenProxy: isOpenProxy)
    }

    /// The site's name in the statistics: the domain, or `*`.
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

    /// The route to `domain`, which is this site's, or any domain for an open proxy; nil for a name that cannot stand
    /// in the DNS.
    func route(to domain: String) -> TargetRoute? {
        switch settings.upstream {
        case .dns: return DomainName(domain).map { .dns(domain: $0.text, tls: tlsMode) }
        case .fixed(let addresses): return .fixed(addresses.map { UpstreamTarget($0, tls: tlsMode) })
        }
    }

    /// The servers that its settings name; none when they are found by DNS.
    var namedServers: [UpstreamTarget] {
        guard case .fixed(let addresses) = settings.upstream else { return [] }
        return addresses.map { UpstreamTarget($0, tls: tlsMode) }
    }

    /// Whether all its servers are left alone at present. Nobody knows that of servers that are found by DNS.
    func isSpared(by breakers: Breakers, now: MonotonicInstant) -> Bool {
        guard !isOpenProxy, case .fixed(let addresses) = settings.upstream else { return false }
        return addresses.allSatisfy { address in
            let target = UpstreamTarget(address, tls: tlsMode)
            return breakers.spares(UpstreamKey(target, of: settings.name), now: now)
        }
    }

    /// A route over a single address, which the client asked for and the operator allows.
    func route(over address: UpstreamAddress) -> TargetRoute {
        .fixed([UpstreamTarget(address, tls: tlsMode)])
    }
}

extension UpstreamTarget {
    /// The server at an address that the operator names.
    fileprivate init(_ address: UpstreamAddress, tls: TLSMode) {
        self.init(
            host: DomainName(address.host)?.text ?? address.host, port: address.port, tls: tls,
            priority: address.priority, weight: address.weight)
    }
}

extension UpstreamRules {
    /// Makes the rules of one domain's site.
    fileprivate init(_ domain: DomainSettings, of settings: Settings, isOpenProxy: Bool) {
        let mode = TLSMode(domain.tls)
        self.init(
            tls: mode, connectTimeout: settings.connectTimeout, writeTimeout: settings.upstreamWriteTimeout,
            stanzaTimeout: settings.stanzaTimeout, keepalive: settings.keepaliveInterval)
        compresses = domain.compresses
        naming = ClientNaming(domain.from)
        self.isOpenProxy = isOpenProxy
        tellsClientAddress = domain.proxyProtocol != .off
        usesDNS = domain.upstream == .dns
        mostReturning = settings.sessionBuffer
        var listed: [UpstreamAddress] = []
        if case .fixed(let addresses) = domain.upstream { listed = addresses }
        redirects = (listed + settings.routes).map {
            Place(host: $0.host, port: $0.port, target: UpstreamTarget($0, tls: mode))
        }
    }
}

/// All sites of a worker, by domain.
struct UpstreamSites {
    private var sites: [String: UpstreamSite] = [:]
    private var openProxy: UpstreamSite?

    /// Loads the certificates that the domains name.
    ///
    /// - Parameter files: the contents of the files that the settings name.
    /// - Throws: `StartError`, which names the setting and the file.
    init(_ settings: Settings, files: SettingFiles) throws(StartError) {
        var contexts: [TLSRules: TLSContext] = [:]
        var all: [UpstreamSite] = []
        for domain in settings.domains {
            let site = try UpstreamSite(domain, of: settings, files, isOpenProxy: false, contexts: &contexts)
            sites[domain.name] = site
            all.append(site)
        }
        if let domain = settings.openProxy {
            let site = try UpstreamSite(domain, of: settings, files, isOpenProxy: true, contexts: &contexts)
            openProxy = site
            all.append(site)
        }
        self.all = all
        for (number, site) in all.enumerated() { site.number = UInt16(clamping: number) }
    }

    /// The name of a site by its number; nil for none.
    func name(_ number: UInt16) -> String? { number < all.count ? all[Int(number)].name : nil }

    /// The site of a domain that the policy has admitted.
    subscript(domain: String) -> UpstreamSite? { sites[domain] ?? openProxy }

    /// All sites, in the order of the configuration.
    let all: [UpstreamSite]

    /// Which domains go where; domains with the same way are named together.
    var summary: String {
        var ways: [(way: String, domains: [String])] = []
        for site in all {
            if let index = ways.firstIndex(where: { $0.way == site.summary }) {
                ways[index].domains.append(site.name)
            } else {
                ways.append((site.summary, [site.name]))
            }
        }
        return ways.map { "\($0.domains.joined(separator: ", ")) -> \($0.way)" }.joined(separator: "; ")
    }
}

extension UpstreamSite {
    /// Creates a site with a TLS context for its rules. Domains with the same rules share one, because trust anchors
    /// take megabytes.
    fileprivate convenience init(
        _ settings: DomainSettings, of all: Settings, _ files: SettingFiles, isOpenProxy: Bool,
        contexts: inout [TLSRules: TLSContext]
    ) throws(StartError) {
        guard settings.tls != .none else {
            self.init(settings, of: all, isOpenProxy: isOpenProxy, tls: nil)
            return
        }
        let rules = try TLSRules(settings, files)
        if let context = contexts[rules] {
            self.init(settings, of: all, isOpenProxy: isOpenProxy, tls: context)
            return
        }
        do throws(TLSError) {
            let context = try TLSContext(rules: rules)
            contexts[rules] = context
            self.init(settings, of: all, isOpenProxy: isOpenProxy, tls: context)
        } catch {
            let setting =
                switch error {
                case .trustAnchors: "upstream-ca"
                case .clientCertificate: "upstream-certificate"
                default: "upstream-tls"
                }
            throw StartError("\(setting)\(settings.name.isEmpty ? "" : " of \(settings.name)"): \(error)")
        }
    }
}

extension TLSRules {
    /// - Throws: `StartError`, when a file that the settings name is not among `files`.
    fileprivate init(_ settings: DomainSettings, _ files: SettingFiles) throws(StartError) {
        if let missing = settings.files.first(where: { files[$0.path] == nil }) {
            throw StartError(missing.line("was not read"))
        }
        func file(_ path: String?) -> PEMFile? {
            path.flatMap { path in files[path].map { PEMFile(path: path, bytes: $0) } }
        }
        self.init(
            trust: file(settings.ca).map { .file($0) } ?? .system, pins: settings.pins.map(\.digest),
            certificate: file(settings.certificate), key: file(settings.key),
            minimumVersion: settings.tlsMinimum == .v13 ? .tls13 : .tls12, cipherList: settings.ciphers)
    }
}

extension ClientNaming {
    init(_ setting: UpstreamFrom) {
        self =
            switch setting {
            case .never: .never
            case .tls: .overTLS
            case .always: .always
            }
    }
}

extension TLSMode {
    init(_ setting: UpstreamTLS) {
        self =
            switch setting {
            case .none: .none
            case .starttls: .startTLS
            case .direct: .direct
            }
    }
}
