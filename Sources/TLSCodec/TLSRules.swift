import COpenSSL

/// The certificates in which a server's chain must end.
package enum TLSTrust: Sendable, Hashable {
    /// The machine's trust store (`/etc/ssl/certs` on Debian; SSL_CERT_FILE and SSL_CERT_DIR are respected).
    case system
    /// Only the certificates of this file.
    case file(PEMFile)
}

/// The oldest accepted protocol version.
package enum TLSVersion: Sendable, Hashable, CaseIterable {
    /// TLS 1.2 (RFC 5246).
    case tls12
    /// TLS 1.3 (RFC 8446).
    case tls13

    /// OpenSSL's number for the version.
    var number: Int32 {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

/// The rules for the streams of one TLS context, and what they show for this side.
///
/// Two domains with equal rules may share a context, because sessions are kept by domain.
package struct TLSRules: Sendable, Hashable {
    /// The anchors of a server's chain.
    package var trust: TLSTrust
    /// SHA-256 over the SubjectPublicKeyInfo of a server's own certificate, 32 bytes each (RFC 7469 §2.4). Empty: any
    /// key. Otherwise the key has to be one of these, and chain and name are checked as well.
    package var pins: [[UInt8]]
    /// The certificate for servers that ask for one, then its chain. `nil`: none is shown.
    package var certificate: PEMFile?
    /// The certificate's private key, not encrypted. `nil`: it is in the certificate's file.
    package var key: PEMFile?
    /// The oldest protocol version.
    package var minimumVersion: TLSVersion
    /// The cipher suites up to TLS 1.2 in OpenSSL's words, such as `ECDHE+AESGCM`. `nil`: OpenSSL's own choice. Suites
    /// without a certificate or without encryption are always left out. TLS 1.3 has no weak suites.
    package var cipherList: String?

    package init(
        trust: TLSTrust = .system, pins: [[UInt8]] = [], certificate: PEMFile? = nil, key: PEMFile? = nil,
        minimumVersion: TLSVersion = .tls12, cipherList: String? = nil
    ) {
        self.trust = trust
        self.pins = pins
        self.certificate = certificate
        self.key = key
        self.minimumVersion = minimumVersion
        self.cipherList = cipherList
    }
}
