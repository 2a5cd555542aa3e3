import Addresses
import COpenSSL

/// The XMPP domain that a server has to prove, compared with the names in its certificate.
///
/// Accepted are only: a dNSName equal to the domain, or with `*` as its whole left-most label; an SRVName
/// `_xmpp-client.DOMAIN` or `_xmpps-client.DOMAIN`; an XmppAddr equal to the domain. The Common Name is never used (RFC
/// 9525 §2). The reference is always the domain, never the host to which an SRV record or the configuration points. A
/// domain that is an IP address is not a DNS name, so only an XmppAddr can prove it.
///
/// Specification: RFC 6120 §13.7.1.2.1 and §13.7.2, RFC 6125 §6, RFC 4985.
struct PeerIdentity {
    /// The domain in ASCII form, sent as SNI (unless `isAddress`) and compared with dNSNames.
    let asciiDomain: String
    /// Whether the domain is an IPv4 or IPv6 address, with or without brackets.
    let isAddress: Bool
    /// The domain as configured, for messages.
    let domain: String

    /// `nil` when `domain` is not a domain name.
    init?(domain: String) {
        guard let ascii = DomainName(domain)?.text else { return nil }
        self.domain = domain
        asciiDomain = ascii
        isAddress = Self.isAddressLiteral(ascii)
    }

    /// Whether `certificate` has a name for the domain. The chain is checked elsewhere.
    func matches(_ certificate: OpaquePointer) -> Bool {
        if !isAddress {
            let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            if unsafe X509_check_host(certificate, asciiDomain, 0, flags, nil) == 1 { return true }
        }
        return unsafe Self.names(of: certificate).contains(where: matches)
    }

    /// Whether an otherName proves the domain; `false` for a dNSName, which OpenSSL compares.
    func matches(_ name: PresentedName) -> Bool {
        switch name {
        case .dns: false
        case .srv(let value): !isAddress && serviceDomain(value).flatMap(DomainName.init)?.text == asciiDomain
        case .xmpp(let value): DomainName(value)?.text == asciiDomain
        }
    }

    /// The domain after the service in an SRVName of a client service. By XEP-0368 §3 certificates are checked the same
    /// way with and without direct TLS, so either service's name counts for both.
    private func serviceDomain(_ name: String) -> Substring? {
        guard let dot = name.firstIndex(of: ".") else { return nil }
        let service = name[..<dot].lowercased()
        return service == "_xmpp-client" || service == "_xmpps-client" ? name[name.index(after: dot)...] : nil
    }

    /// The names in the certificate's subjectAltName that can prove an XMPP domain, in order.
    static func names(of certificate: OpaquePointer) -> [PresentedName] {
        guard let extensionValue = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            ErrorQueue.clear()
            return []
        }
        let list = OpaquePointer(extensionValue)
        defer { unsafe GENERAL_NAMES_free(list) }
        var names: [PresentedName] = []
        for index in 0..<max(0, unsafe holdfast_GENERAL_NAMES_count(list)) {
            guard let entry = unsafe holdfast_GENERAL_NAMES_at(list, index) else { continue }
            if let dns = unsafe holdfast_GENERAL_NAME_dns(entry) {
                names.append(.dns(unsafe text(of: dns)))
            } else if let other = unsafe holdfast_GENERAL_NAME_other(entry) {
                let kind = unsafe OBJ_obj2nid(other.pointee.type_id)
                if kind == NID_SRVName, let value = unsafe holdfast_OTHERNAME_string(other, V_ASN1_IA5STRING) {
                    names.append(.srv(unsafe text(of: value)))
                } else if kind == NID_XmppAddr, let value = unsafe holdfast_OTHERNAME_string(other, V_ASN1_UTF8STRING) {
                    names.append(.xmpp(unsafe text(of: value)))
                }
            }
        }
        return names
    }

    private static func text(of string: UnsafePointer<ASN1_STRING>) -> String {
        // No domain name is longer (RFC 7622 §3.2), so a name that is cut here equals none.
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: min(max(0, Int(ASN1_STRING_length(string))), longestName + 1))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    private static let longestName = 1_023

    private static func isAddressLiteral(_ name: String) -> Bool {
        let bare = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : name
        guard let address = unsafe a2i_IPADDRESS(bare) else {
            ErrorQueue.clear()
            return false
        }
        unsafe ASN1_OCTET_STRING_free(address)
        return true
    }
}

/// A name in a certificate, of one of the kinds that an XMPP server may use.
enum PresentedName: Equatable {
    /// dNSName.
    case dns(String)
    /// otherName 1.3.6.1.5.5.7.8.7, `_service.domain` (RFC 4985).
    case srv(String)
    /// otherName 1.3.6.1.5.5.7.8.5, a JID (RFC 6120 §13.7.1.4).
    case xmpp(String)

    /// The kind and the name for a message, printable and short.
    var description: String {
        switch self {
        case .dns(let value): "DNS:" + printable(value)
        case .srv(let value): "SRV:" + printable(value)
        case .xmpp(let value): "XMPP:" + printable(value)
        }
    }
}

/// Text from a certificate for one log line: at most 128 characters, without any that control a terminal.
func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(128) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            result.append("?")
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
