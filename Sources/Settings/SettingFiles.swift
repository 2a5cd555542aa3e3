/// The contents of the files that settings name, read once. Whoever serves with the settings reads no file.
///
/// The bytes of keys are secret.
package struct SettingFiles: Sendable, Equatable {
    private var contents: [String: [UInt8]] = [:]

    /// No contents.
    package init() {}

    /// The bytes of the file that the settings name `path`; nil when it was not read.
    package subscript(path: String) -> [UInt8]? {
        get { contents[path] }
        set { contents[path] = newValue }
    }

    /// The paths, in the order of their names.
    package var paths: [String] { contents.keys.sorted() }

    /// The most bytes that all files may have together. The CA certificates of a whole system take a quarter of a
    /// megabyte, a certificate with its chain and key 10 KB.
    package static let mostBytes = 8 << 20
}

extension SettingFiles: CustomStringConvertible {
    /// The paths alone, so that no key is ever printed.
    package var description: String { paths.joined(separator: ", ") }
}

/// A file that a setting names.
package struct NamedFile: Sendable, Equatable {
    /// What a file is for.
    package enum Kind: Sendable {
        /// The certificates in which a server's chain must end.
        case trust
        /// The certificate that servers are shown.
        case certificate
        /// Its key.
        case key
        /// The token for the admin endpoints.
        case token
    }

    /// What it is for.
    package let kind: Kind
    /// As the setting has it.
    package let path: String
    /// The first domain that needs it; empty for the open proxy, and for a file of no domain.
    package let domain: String

    /// A file that the settings of a domain name.
    package init(kind: Kind, path: String, domain: String) {
        self.kind = kind
        self.path = path
        self.domain = domain
    }

    /// One line for the operator: the setting, the domain, the file, and what is wrong with it.
    package func line(_ fault: String) -> String {
        let (setting, name) =
            switch kind {
            case .trust: ("upstream-ca", "CA file")
            case .certificate: ("upstream-certificate", "certificate file")
            case .key: ("upstream-certificate", "key file")
            case .token: ("admin-token-file", "token file")
            }
        let place = domain.isEmpty ? "" : " of \(domain)"
        return "\(setting)\(place): \(name) '\(SettingsError.printable(path))' \(fault)"
    }
}

extension DomainSettings {
    /// The files that this domain's settings name.
    package var files: [NamedFile] {
        let named: [(NamedFile.Kind, String?)] = [(.trust, ca), (.certificate, certificate), (.key, key)]
        return named.compactMap { kind, path in path.map { NamedFile(kind: kind, path: $0, domain: name) } }
    }
}

extension Settings {
    /// The files that the settings name, each path once, in the order of the domains.
    package var files: [NamedFile] {
        var seen: Set<String> = []
        let token = adminTokenFile.map { NamedFile(kind: .token, path: $0, domain: "") }
        let ofDomains = (domains + [openProxy].compactMap { $0 }).flatMap(\.files)
        return (ofDomains + [token].compactMap { $0 }).filter { seen.insert($0.path).inserted }
    }
}
