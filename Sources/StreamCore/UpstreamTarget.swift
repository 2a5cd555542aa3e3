/// How the connection to a server is protected.
package enum TLSMode: Sendable, Hashable {
    /// The connection is not protected; an offer of STARTTLS is ignored.
    case none
    /// By STARTTLS, or there is no connection at all (RFC 6120 §5).
    case startTLS
    /// By TLS from the first byte on (XEP-0368).
    case direct
}

/// In which headers of a stream `from` may name the client (RFC 6120 §4.7.1).
package enum ClientNaming: Sendable, Hashable {
    /// In no header.
    case never
    /// Only where nobody on the way can read it.
    case overTLS
    /// Also in unencrypted headers.
    case always
}

/// One place where a domain may be served: a name or a numeric address, and the protocol there.
package struct UpstreamTarget: Sendable, Hashable {
    /// A host name in A-labels without final dot, or an IP address without brackets.
    package var host: String
    /// The TCP port, 1 to 65535.
    package var port: UInt16
    /// How the connection is protected.
    package var tls: TLSMode
    /// Targets of a lower priority come first (RFC 2782).
    package var priority: UInt16
    /// The share of connections among targets of one priority (RFC 2782).
    package var weight: UInt16

    /// Creates a target. Without priority and weight it belongs to a plain list.
    package init(host: String, port: UInt16, tls: TLSMode, priority: UInt16 = 0, weight: UInt16 = 0) {
        self.host = host
        self.port = port
        self.tls = tls
        self.priority = priority
        self.weight = weight
    }
}

/// How the targets of a domain are found.
package enum TargetRoute: Sendable, Equatable {
    /// The targets are configured.
    case fixed([UpstreamTarget])
    /// The targets are looked up in the DNS (RFC 6120 §3.2, XEP-0368). `domain` is in A-labels; `tls` says which
    /// services are asked for.
    case dns(domain: String, tls: TLSMode)
}

/// A service record (RFC 2782).
package struct ServiceRecord: Sendable, Hashable {
    /// Records of a lower priority come first.
    package var priority: UInt16
    /// The share of connections among records of one priority.
    package var weight: UInt16
    /// The TCP port; a record with port 0 is ignored.
    package var port: UInt16
    /// The host's name without final dot; `.` alone says that the domain does not offer this service.
    package var target: String

    /// Creates a record from its parts.
    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// A kind of service record that leads clients to an XMPP server.
package enum ServiceKind: String, Sendable, Hashable, CaseIterable {
    /// TLS from the first byte on (XEP-0368 §2).
    case directTLS = "_xmpps-client._tcp."
    /// STARTTLS or no TLS (RFC 6120 §3.2.1).
    case plain = "_xmpp-client._tcp."

    /// The DNS name that is looked up for `domain`.
    package func ownerName(of domain: String) -> String { rawValue + domain }
}

/// The family of an IP address.
package enum AddressFamily: Sendable, Hashable {
    /// IPv4.
    case ipv4
    /// IPv6.
    case ipv6
}
