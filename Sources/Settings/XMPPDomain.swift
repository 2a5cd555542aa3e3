/// Reads an XMPP domain: a DNS name of ASCII labels and U-labels, or an IP address (IPv6 in brackets). RFC 7622 §3.2.
///
/// - Returns: the domain in lower case, without a final dot; `nil` when the text is no domain.
func xmppDomain(_ text: String) -> String? {
    let domain = withoutFinalStop(text.lowercased())
    // RFC 7622 §3.1 bounds each part of a JID at 1,023 bytes.
    guard domain.utf8.count <= 1023 else { return nil }
    if domain.hasPrefix("["), domain.hasSuffix("]") { return isIPv6(domain.dropFirst().dropLast()) ? domain : nil }
    let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
    return labels.allSatisfy(isDomainLabel) ? domain : nil
}

private func isDomainLabel(_ label: Substring) -> Bool {
    guard let first = label.unicodeScalars.first, let last = label.unicodeScalars.last, label.utf8.count <= 252 else {
        return false
    }
    guard first != "-", last != "-", !isMark(first) else { return false }
    let isASCII = label.utf8.allSatisfy { $0 < 0x80 }
    // RFC 1035 §2.3.4. The bound of a U-label applies to its encoded form, which DNS and TLS check.
    guard !isASCII || label.utf8.count <= 63 else { return false }
    return label.unicodeScalars.allSatisfy(isDomainCharacter)
}

/// Letters, marks and digits of any script as in RFC 5892 §2.1, `-`, `_` (seen in real deployments), and the dots and
/// joiners that RFC 5892 §2.6 allows inside words.
private func isDomainCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "0"..."9", "-", "_", "\u{B7}", "\u{30FB}", "\u{200C}", "\u{200D}": return true
    case "\u{0}"..."\u{7F}": return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber: return true
    default: return isMark(scalar)
    }
}

private func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark: true
    default: false
    }
}
