import Primitives

// Domains and their servers.
extension SettingsTable {
    package static let domain = Setting<String>.text(
        "domain", valueName: "DOMAIN", allowed: "a domain name such as example.org",
        example: ["example.org", "chat.example.org"], hasFlag: true, isRequired: true, isRepeatable: true,
        "An XMPP domain that clients may log in to; its name must be in the server's certificate",
        parse: { xmppDomain($0) })

    package static let defaultDomain = Setting<String>.text(
        "default-domain", valueName: "DOMAIN", allowed: "a domain name such as example.org", example: ["example.org"],
        "The domain for clients that name none; it must be one of the served domains", parse: { xmppDomain($0) })

    package static let openProxy = Setting<Switch>.choice(
        "open-proxy", valueName: "on|off", default: .off, example: .on,
        "Whether clients may log in to any other domain too, found by DNS and never at a private address")

    package static let route = Setting<UpstreamAddress>.text(
        "route", valueName: "HOST:PORT", allowed: addressAllowed, example: ["xmpp2.example.org:5222"],
        isRepeatable: true, hint: AddressHint(allowsNames: true, port: 5222).words,
        "A server that clients (by route) may ask for and servers (by see-other-host) may redirect to; no others",
        parse: { UpstreamAddress($0) })

    package static let nameserver = Setting<String>.text(
        "nameserver", valueName: "ADDR:PORT", allowed: "ADDR:PORT or [IPV6]:PORT", example: ["127.0.0.1:53"],
        hint: AddressHint(port: 53).words,
        "The name server that is used instead of the system's", parse: { nameserverAddress($0) })
}

// The server of one domain.
extension SettingsTable {
    package static let upstream = Setting<UpstreamPlace>.text(
        "upstream", valueName: "HOST:PORT|dns",
        allowed: "\(addressAllowed), behind which priority=N and weight=N may stand, or dns",
        example: ["xmpp1.example.org:5222 priority=10 weight=2", "xmpp2.example.org:5222 priority=10 weight=1"],
        hasFlag: true, isPerDomain: true, isRequired: true, isRepeatable: true,
        hint: { AddressHint(allowsNames: true, port: 5222).words(String($0.prefix { $0 != " " })) },
        "The client port of the XMPP server, or dns to look up the domain's SRV records", parse: { UpstreamPlace($0) })

    package static let upstreamTLS = Setting<UpstreamTLS>.choice(
        "upstream-tls", valueName: "MODE", default: .starttls, example: .direct, hasFlag: true, isPerDomain: true,
        "How the stream to the server is encrypted; the certificate is checked unless none")

    package static let upstreamCA = Setting<String>.text(
        "upstream-ca", valueName: "FILE", allowed: fileAllowed, example: ["/etc/holdfast/ca.pem"], hasFlag: true,
        isPerDomain: true,
        "The CA certificates that are trusted for the server's certificate, instead of the system's",
        parse: { filePath($0) })

    package static let upstreamPin = Setting<PublicKeyPin>.text(
        "upstream-pin", valueName: "PIN",
        allowed: "sha256/ and the base64 of the SHA-256 of a public key (44 characters)",
        example: ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="], isPerDomain: true, isRepeatable: true,
        "A public key of the server; if any are given, one must match, and the certificate must be valid too",
        parse: { PublicKeyPin($0) })

    package static let upstreamCertificate = Setting<String>.text(
        "upstream-certificate", valueName: "FILE", allowed: fileAllowed, example: ["/etc/holdfast/client.pem"],
        isPerDomain: true,
        "The certificate shown to a server that asks for one, with its chain; no client can log in with it",
        parse: { filePath($0) })

    package static let upstreamKey = Setting<String>.text(
        "upstream-key", valueName: "FILE", allowed: fileAllowed, example: ["/etc/holdfast/client.key"],
        isPerDomain: true, "The private key of upstream-certificate, without a passphrase", parse: { filePath($0) })

    package static let upstreamTLSMinimum = Setting<TLSMinimum>.choice(
        "upstream-tls-minimum", valueName: "VERSION", default: .v12, example: .v13, isPerDomain: true,
        "The oldest version of TLS that is accepted")

    package static let upstreamCiphers = Setting<String>.text(
        "upstream-ciphers", valueName: "LIST", allowed: "an OpenSSL cipher list such as ECDHE+AESGCM:ECDHE+CHACHA20",
        example: ["ECDHE+AESGCM:ECDHE+CHACHA20"], isPerDomain: true,
        "The allowed ciphers of TLS 1.2 as an OpenSSL list; with TLS 1.3 all are allowed", parse: { cipherList($0) })

    package static let upstreamCompression = Setting<UpstreamCompression>.choice(
        "upstream-compression", valueName: "METHOD", default: .off, example: .zlib, isPerDomain: true,
        "Whether the stream is compressed after login when the server offers it (XEP-0138)")

    package static let upstreamFrom = Setting<UpstreamFrom>.choice(
        "upstream-from", valueName: "WHERE", default: .tls, example: .always, isPerDomain: true,
        "When a stream header names the account that the client claims: over TLS, always (readable on the way), never"
    )

    package static let upstreamProxyProtocol = Setting<UpstreamProxyProtocol>.choice(
        "upstream-proxy-protocol", valueName: "VERSION", default: .off, example: .v2, isPerDomain: true,
        "The version of the PROXY header that tells the server the client's address; the server must expect it")

    private static let addressAllowed = "HOST:PORT with a name, an IPv4 address or an [IPv6] address"
    private static let fileAllowed = "the path of a PEM file"
}

// The streams to all servers.
extension SettingsTable {
    package static let connectTimeout = Setting.seconds(
        "upstream-connect-timeout", default: 20, in: 1...120, example: 10,
        "How long connecting, TLS and the server's first features may take together")

    package static let upstreamWriteTimeout = Setting.seconds(
        "upstream-write-timeout", default: 30, in: 1...600, example: 60,
        "How long the server may accept no byte; a byte is accepted when the server's machine acknowledges it")

    package static let stanzaTimeout = Setting.seconds(
        "upstream-stanza-timeout", default: 30, in: 1...600, example: 60,
        "How long the server may take for the rest of an element that it began")

    package static let keepaliveInterval = Setting.seconds(
        "upstream-keepalive", default: 180, in: 10...600, example: 45,
        "After how long without a byte to the server a space is sent; set it below the timeout of any balancer")

    package static let breakerFailures = Setting.count(
        "upstream-breaker-failures", default: 5, in: 0...1000, example: 10,
        "After how many failures in a row a server is left alone for a while and clients are refused; 0 for never")

    package static let breakerPause = Setting.seconds(
        "upstream-breaker-pause", default: 30, in: 1...3600, example: 60,
        "The longest pause for which a failing server is left alone; the first is 1, each further one twice the last")

    package static let maxStanza = Setting.bytes(
        "max-stanza", default: 8_388_608, in: 10_000...8_388_608, example: "2 MiB",
        "The largest element of a server that is delivered; a larger one is skipped and its sender is told")

    package static let stanzaDepth = Setting.count(
        "stanza-depth", default: 1_000, in: 8...10_000, example: 200,
        "How deep an element of a server may nest to be delivered; a deeper one is skipped and its sender is told")

    package static let stanzaAttributes = Setting.count(
        "stanza-attributes", default: 1_024, in: 8...10_000, example: 256,
        "How many attributes and namespace declarations one element of a server may have to be delivered")

    package static let maxSkipped = Setting.bytes(
        "max-skipped", default: 67_108_864, in: 8_388_608...1_073_741_824, example: "128 MiB",
        "The largest element that is skipped; a larger one ends the stream")
}

/// The path of a file, as a setting names it; nil for a text that is none.
func filePath(_ text: String) -> String? {
    !text.isEmpty && text.utf8.count <= 4095 && isPrintable(text) ? text : nil
}

/// Checks the syntax of ciphers(1). OpenSSL decides later whether it knows the words.
private func cipherList(_ text: String) -> String? {
    let isList = text.utf8.allSatisfy {
        $0.isASCIILetter || $0.isASCIIDigit || ":+-!@=_,".utf8.contains($0)
    }
    return isList && (1...1024).contains(text.utf8.count) ? text : nil
}
