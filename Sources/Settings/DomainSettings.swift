import Primitives

/// How one served domain is reached. Values that its own table does not have come from the common ones.
package struct DomainSettings: Sendable, Hashable {
    /// Lower case, no final dot, with U-labels as they were written; empty for the open proxy, which serves any domain.
    package let name: String
    package let upstream: UpstreamRoute
    package let tls: UpstreamTLS
    /// A PEM file; `nil` for the system's trust store. Never set when `tls` is `none`, like the other settings of TLS
    /// below.
    package let ca: String?
    /// The pins, one of which the server's key has to match; empty for none.
    package let pins: [PublicKeyPin]
    /// A PEM file, shown to the server; set together with `key`.
    package let certificate: String?
    /// A PEM file.
    package let key: String?
    package let tlsMinimum: TLSMinimum
    /// An OpenSSL list for TLS 1.2; `nil` for OpenSSL's own. Never set with a `tlsMinimum` of 1.3.
    package let ciphers: String?
    package let compresses: Bool
    package let from: UpstreamFrom
    package let proxyProtocol: UpstreamProxyProtocol
}

/// Where the server of a domain is.
package enum UpstreamRoute: Sendable, Hashable {
    /// At the names in the domain's SRV records (RFC 6120 §3.2, XEP-0368).
    case dns
    /// At one of these addresses, by priority and weight; there is at least one.
    case fixed([UpstreamAddress])
}

/// One value of `upstream`.
package enum UpstreamPlace: Sendable, Hashable {
    case dns
    case address(UpstreamAddress)

    /// Reads `dns`, or an address with or without priority and weight.
    init?(_ text: String) {
        if text == "dns" {
            self = .dns
        } else if let address = UpstreamAddress(weighted: text) {
            self = .address(address)
        } else {
            return nil
        }
    }
}

/// How the stream to the XMPP server is encrypted.
package enum UpstreamTLS: String, CaseIterable, Sendable {
    /// Not encrypted; never the default.
    case none
    /// With STARTTLS, which is required (RFC 6120 §5).
    case starttls
    /// With TLS from the first byte on (XEP-0368).
    case direct
}

/// The oldest version of TLS that is accepted from a server.
package enum TLSMinimum: String, CaseIterable, Sendable {
    case v12 = "1.2"
    case v13 = "1.3"
}

/// How a stream to a server is compressed (XEP-0138).
package enum UpstreamCompression: String, CaseIterable, Sendable {
    case off, zlib
}

/// On which streams the header says who the client is (RFC 6120 §4.7.1).
package enum UpstreamFrom: String, CaseIterable, Sendable {
    case never, tls, always
}

/// The PROXY header with which a connection to a server begins, to tell the client's address.
package enum UpstreamProxyProtocol: String, CaseIterable, Sendable {
    case off, v1, v2
}

/// The SHA-256 of a server's public key (SubjectPublicKeyInfo, as in RFC 7469 §2.4).
package struct PublicKeyPin: Sendable, Hashable {
    /// 32 bytes.
    package let digest: [UInt8]

    /// Reads `sha256/BASE64`; `nil` for all else.
    package init?(_ text: String) {
        let prefix = "sha256/"
        guard text.hasPrefix(prefix) else { return nil }
        let encoded = Array(text.dropFirst(prefix.count).utf8)
        guard let digest = Base64.decode(encoded.span), digest.count == 32 else { return nil }
        self.digest = digest
    }
}
