extension DomainSettings {
    /// A domain with the values that apply to it.
    ///
    /// - Throws: when `upstream` is missing, and when values contradict each other.
    init(_ name: String, _ scope: SettingsScope) throws(SettingsError) {
        self.name = name
        upstream = try Self.route(scope)
        tls = try scope.one(SettingsTable.upstreamTLS)
        tlsMinimum = try scope.one(SettingsTable.upstreamTLSMinimum)
        try Self.checkTLS(scope, tls, tlsMinimum)
        // A value for all domains may be of no use for this one, when its own table says `none` or `1.3`.
        let isEncrypted = tls != .none
        ca = isEncrypted ? try scope.optional(SettingsTable.upstreamCA) : nil
        pins = isEncrypted ? try scope.all(SettingsTable.upstreamPin) : []
        certificate = isEncrypted ? try scope.optional(SettingsTable.upstreamCertificate) : nil
        key = isEncrypted ? try scope.optional(SettingsTable.upstreamKey) : nil
        ciphers = isEncrypted && tlsMinimum == .v12 ? try scope.optional(SettingsTable.upstreamCiphers) : nil
        compresses = try scope.one(SettingsTable.upstreamCompression) == .zlib
        from = try scope.one(SettingsTable.upstreamFrom)
        proxyProtocol = try scope.one(SettingsTable.upstreamProxyProtocol)
    }

    /// Settings for any domain: the common values, except those that are for known servers only.
    init(openProxy scope: SettingsScope) throws(SettingsError) {
        name = ""
        upstream = .dns
        tls = try scope.one(SettingsTable.upstreamTLS)
        tlsMinimum = try scope.one(SettingsTable.upstreamTLSMinimum)
        try Self.checkTLS(scope, tls, tlsMinimum)
        ca = tls != .none ? try scope.optional(SettingsTable.upstreamCA) : nil
        pins = []
        certificate = nil
        key = nil
        ciphers = tls != .none && tlsMinimum == .v12 ? try scope.optional(SettingsTable.upstreamCiphers) : nil
        compresses = try scope.one(SettingsTable.upstreamCompression) == .zlib
        from = try scope.one(SettingsTable.upstreamFrom)
        proxyProtocol = .off
    }

    private static func route(_ scope: SettingsScope) throws(SettingsError) -> UpstreamRoute {
        let places = try scope.all(SettingsTable.upstream)
        guard !places.isEmpty else { throw scope.missing(SettingsTable.upstream.row) }
        var addresses: [UpstreamAddress] = []
        for case .address(let address) in places { addresses.append(address) }
        if addresses.isEmpty { return .dns }
        guard addresses.count == places.count else {
            throw scope.conflict(SettingsTable.upstream.row, value: "dns", "has to stand alone, without addresses")
        }
        return .fixed(addresses)
    }

    /// A CA, a key or a cipher says that the server is to be checked. Where TLS is off, that is a mistake. A value for
    /// all domains is simply not used by a domain whose own table says `none`.
    private static func checkTLS(
        _ scope: SettingsScope, _ tls: UpstreamTLS, _ minimum: TLSMinimum
    ) throws(SettingsError) {
        let ofTLS = [
            SettingsTable.upstreamCA.row, SettingsTable.upstreamPin.row, SettingsTable.upstreamCertificate.row,
            SettingsTable.upstreamKey.row, SettingsTable.upstreamCiphers.row,
        ]
        for row in ofTLS where tls == .none && scope.says(row, atLeastAsNearAs: SettingsTable.upstreamTLS.row) {
            throw scope.conflict(row, "has no use with upstream-tls none")
        }
        let ciphers = SettingsTable.upstreamCiphers.row
        if minimum == .v13, scope.says(ciphers, atLeastAsNearAs: SettingsTable.upstreamTLSMinimum.row) {
            throw scope.conflict(ciphers, "has no use with upstream-tls-minimum 1.3")
        }
        let certificate = SettingsTable.upstreamCertificate.row
        let key = SettingsTable.upstreamKey.row
        if let row = scope.lonely(certificate, key) {
            throw scope.conflict(row, "needs \(row == key ? certificate.name : key.name) beside it")
        }
    }
}
