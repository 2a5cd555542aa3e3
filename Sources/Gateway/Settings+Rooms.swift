import Addresses
import BOSHCore
import Bridge
import Settings
import XMLCodec

extension SessionPolicy {
    init(_ settings: Settings) {
        self.init(
            maxWait: settings.maxWait, maxHold: settings.maxHold, inactivity: settings.inactivity,
            polling: settings.polling, maxpause: settings.maxpause, outboundBound: settings.sessionBuffer,
            inboundBound: settings.sessionBuffer, domains: ServedDomains(settings))
        loginTimeout = settings.loginTimeout
        registrationTimeout = max(registrationTimeout, settings.loginTimeout)
        requestsPerSecond = settings.sessionRequests
        repeatsPerSecond = settings.sessionRepeats
    }
}

extension ServedDomains {
    init(_ settings: Settings) {
        var names: [String: [String]] = [:]
        for domain in settings.domains {
            names[domain.name] = DomainName(domain.name).map { [$0.text] } ?? []
        }
        self.init(
            names: names, fallback: settings.defaultDomain, acceptsAny: settings.openProxy != nil,
            routes: Set(settings.routes.map(\.description)))
    }
}

extension XMLLimits {
    /// The limits for bodies from clients.
    static func ofClients(_ settings: Settings) -> XMLLimits {
        XMLLimits(
            depth: settings.xmlDepth, attributes: settings.xmlAttributes, elements: settings.xmlElements,
            oddNamespaces: 128, elementSize: settings.maxBody)
    }

    init(_ settings: Settings, elementSize: Int) {
        self.init(depth: settings.xmlDepth, attributes: settings.xmlAttributes, elementSize: elementSize)
    }
}
