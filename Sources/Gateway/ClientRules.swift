import Addresses
import HTTPWire
import Reactor
import Settings

/// The rules for connections of clients, made once from the settings.
struct ClientRules {
    let http: HTTPRules
    /// The rules for peers that are trusted when they name the client they forward for.
    let proxy: HTTPRules
    let admin: HTTPRules
    let adminAccess: AdminAccess
    /// What requests on the operator's listener have to show; nil when it is nothing.
    let adminToken: AdminToken?
    let trustedProxies: TrustedProxies
    let patience: Patience

    init(_ settings: Settings, adminToken: AdminToken? = nil) {
        self.adminToken = adminToken
        let limits = HTTPLimits(body: settings.maxBody, answers: settings.connectionBuffer)
        let keepsAgents = settings.accessLog != .off
        http = HTTPRules(limits: limits, crossOrigin: settings.crossOrigin, keepsAgents: keepsAgents)
        proxy = HTTPRules(
            limits: limits, crossOrigin: settings.crossOrigin,
            captures: CapturedField(settings.clientAddressFrom),
            capturesScheme: settings.clientSchemeFrom == .xForwardedProto, keepsAgents: keepsAgents)
        admin = HTTPRules(limits: HTTPLimits(body: 0), captures: .provenance)
        adminAccess = AdminAccess(names: settings.adminHosts)
        patience = Patience(
            head: settings.headTimeout, body: settings.bodyTimeout, idle: settings.idleTimeout,
            send: settings.sendTimeout, bodyRate: settings.bodyRate, sendRate: settings.sendRate)
        trustedProxies = TrustedProxies(networks: settings.trustedProxies, trustsUnix: true)
    }

    /// The rules for a connection that came in at `origin`.
    func rules(for origin: ClientConnection.Origin) -> HTTPRules {
        origin.role == .admin ? admin : origin.isFromProxy ? proxy : http
    }
}

extension CapturedField {
    /// The field in which a proxy names its client.
    init(_ header: ForwardedHeader) {
        switch header {
        case .none: self = .none
        case .xForwardedFor: self = .xForwardedFor
        case .forwarded: self = .forwarded
        case .xRealIP: self = .xRealIP
        }
    }
}
