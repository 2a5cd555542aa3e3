import Settings
import Testing

@Suite struct DomainSettingsTests {
    private static let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    /// Entries of a file, one a line: `name value`; those of a domain's table come after `[domain]`.
    private func entries(_ text: String) -> [SettingEntry] {
        var entries: [SettingEntry] = []
        var domain: String?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            let origin = SettingOrigin.file(path: "f", line: index + 1, column: 1)
            if line.hasPrefix("[") {
                let name = String(line.dropFirst().dropLast())
                domain = name
                entries.append(SettingEntry("domains", name, origin: origin))
                continue
            }
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            entries.append(
                words.count == 2
                    ? SettingEntry(words[0], words[1], origin: origin, domain: domain)
                    : .emptyList(words[0], origin: origin, domain: domain))
        }
        return entries
    }

    private func settings(_ text: String) throws(SettingsError) -> Settings {
        try Settings.resolve(entries: entries(text))
    }

    private func complaint(_ text: String) -> String? {
        do throws(SettingsError) {
            _ = try settings(text)
            return nil
        } catch {
            return error.description
        }
    }

    private func fixed(_ texts: String...) -> UpstreamRoute {
        .fixed(texts.compactMap { UpstreamAddress(weighted: $0) })
    }

    @Test func `What a domain's table does not say holds for all`() throws {
        let settings = try settings(
            """
            upstream a:1
            upstream b:2 priority=5
            upstream-tls direct
            upstream-ca ca.pem
            upstream-pin \(Self.pin)
            upstream-certificate c.pem
            upstream-key k.pem
            upstream-ciphers ECDHE
            upstream-compression zlib
            upstream-proxy-protocol v2
            domain listed.example
            [own.example]
            upstream dns
            upstream-tls starttls
            upstream-ca own.pem
            upstream-pin
            upstream-certificate own-c.pem
            upstream-key own-k.pem
            upstream-tls-minimum 1.3
            upstream-compression off
            upstream-proxy-protocol off
            [empty.example]
            """)
        #expect(settings.domains.map(\.name) == ["listed.example", "own.example", "empty.example"])
        for domain in [settings.domains[0], settings.domains[2]] {
            #expect(domain.upstream == fixed("a:1", "b:2 priority=5"))
            #expect(domain.tls == .direct)
            #expect(domain.ca == "ca.pem")
            #expect(domain.pins == [try #require(PublicKeyPin(Self.pin))])
            #expect(domain.certificate == "c.pem" && domain.key == "k.pem")
            #expect(domain.tlsMinimum == .v12)
            #expect(domain.ciphers == "ECDHE")
            #expect(domain.compresses)
            #expect(domain.proxyProtocol == .v2)
        }
        let own = settings.domains[1]
        #expect(own.upstream == .dns)
        #expect(own.tls == .starttls)
        #expect(own.ca == "own.pem")
        #expect(own.pins == [])
        #expect(own.certificate == "own-c.pem" && own.key == "own-k.pem")
        #expect(own.tlsMinimum == .v13)
        #expect(own.ciphers == nil)
        #expect(!own.compresses)
        #expect(own.proxyProtocol == .off)
    }

    @Test func `Only a table, and a table for a listed domain`() throws {
        let settings = try settings(
            """
            domain B.example
            domain a.example
            upstream x:1
            [b.EXAMPLE.]
            upstream y:1
            [c.example]
            """)
        #expect(settings.domains.map(\.name) == ["b.example", "a.example", "c.example"])
        #expect(settings.domains.map(\.upstream) == [fixed("y:1"), fixed("x:1"), fixed("x:1")])
        #expect(try self.settings("[a]\nupstream b:1").domains.map(\.name) == ["a"])
    }

    @Test func `A flag overrides what holds for all, not a domain's table`() throws {
        let file = entries("upstream x:1\nupstream-tls direct\ndomain a\n[b]\nupstream y:1")
        let settings = try Settings.resolve(
            entries: file + [
                SettingEntry("upstream", "z:1", origin: .flag),
                SettingEntry("upstream-tls", "none", origin: .environment),
                SettingEntry("domain", "c", origin: .flag),
            ])
        #expect(settings.domains.map(\.name) == ["c", "b"])
        #expect(settings.domains.map(\.upstream) == [fixed("z:1"), fixed("y:1")])
        #expect(settings.domains.allSatisfy { $0.tls == .none })
    }

    @Test func `The open proxy needs no domain and shows nothing to strangers`() throws {
        #expect(complaint("open-proxy off") == "--domain is missing: give a domain name such as example.org")
        let settings = try settings(
            """
            open-proxy on
            upstream x:1
            upstream-tls direct
            upstream-ca ca.pem
            upstream-pin \(Self.pin)
            upstream-certificate c.pem
            upstream-key k.pem
            upstream-ciphers ECDHE
            upstream-compression zlib
            upstream-proxy-protocol v2
            """)
        #expect(settings.domains == [])
        let open = try #require(settings.openProxy)
        #expect(open.name == "")
        #expect(open.upstream == .dns)
        #expect(open.tls == .direct)
        #expect(open.ca == "ca.pem")
        #expect(open.ciphers == "ECDHE")
        #expect(open.compresses)
        #expect(open.pins == [] && open.certificate == nil && open.key == nil)
        #expect(open.proxyProtocol == .off)
    }

    @Test func `DNS stands alone`() throws {
        #expect(try settings("domain a\nupstream dns").domains[0].upstream == .dns)
        #expect(
            complaint("domain a\nupstream b:1\nupstream dns")
                == "f:3:1: upstream: 'dns' has to stand alone, without addresses")
        #expect(complaint("domain a\nupstream DNS")?.hasPrefix("f:2:1: upstream: 'DNS' is not HOST:PORT") == true)
    }

    @Test(arguments: [
        (
            "[a]\nupstream-tls direct",
            "f:1:1: domains.\"a\".upstream is missing: give \(SettingsTable.upstream.row.allowed)"
        ),
        (
            "[a]\nupstream",
            "f:1:1: domains.\"a\".upstream is missing: give \(SettingsTable.upstream.row.allowed)"
        ),
        (
            "[a]\nupstream b:1\nupstream-tls none\nupstream-ca c",
            "f:4:1: domains.\"a\".upstream-ca: 'c' has no use with upstream-tls none"
        ),
        (
            "upstream-tls none\n[a]\nupstream b:1\nupstream-pin \(pin)",
            "f:4:1: domains.\"a\".upstream-pin: '\(pin)' has no use with upstream-tls none"
        ),
        (
            "upstream-tls none\nupstream-ciphers X\n[a]\nupstream b:1",
            "f:2:1: upstream-ciphers: 'X' has no use with upstream-tls none"
        ),
        (
            "upstream-tls none\nupstream-key k\nupstream-certificate c\nopen-proxy on",
            "f:3:1: upstream-certificate: 'c' has no use with upstream-tls none"
        ),
        (
            "[a]\nupstream b:1\nupstream-key k",
            "f:3:1: domains.\"a\".upstream-key: 'k' needs upstream-certificate beside it"
        ),
        (
            "upstream-key k\nupstream-certificate c\n[a]\nupstream b:1\nupstream-certificate d",
            "f:5:1: domains.\"a\".upstream-certificate: 'd' needs upstream-key beside it"
        ),
        (
            "domain a\nupstream b:1\nupstream-certificate c",
            "f:3:1: upstream-certificate: 'c' needs upstream-key beside it"
        ),
        (
            "[a]\nupstream b:1\nupstream-tls-minimum 1.3\nupstream-ciphers X",
            "f:4:1: domains.\"a\".upstream-ciphers: 'X' has no use with upstream-tls-minimum 1.3"
        ),
        ("[a]\nupstream b:1\n[A.]\nupstream b:1", "f:3:1: domains: 'A.' is a second table of a"),
        ("[a b]", "f:1:1: domains: 'a b' is not a domain name such as example.org"),
        (
            "[a]\nupstream-tsl none",
            "f:2:1: domains.\"a\".upstream-tsl: there is no such setting; did you mean 'upstream-tls'?"
        ),
        (
            "[a]\nmax-wait 5",
            "f:2:1: domains.\"a\".max-wait: this holds for all domains and has to stand above the first [table]"
        ),
        (
            "[a]\nupstream-ca b\nupstream-ca c",
            "f:3:1: domains.\"a\".upstream-ca: 'c' is a second value, only one is allowed"
        ),
    ])
    func `A table that is wrong`(text: String, complaint: String) {
        #expect(self.complaint(text) == complaint)
    }

    @Test(arguments: [
        "upstream-ca c\n[a]\nupstream b:1\nupstream-tls none",
        "upstream-tls none\nupstream-ca c\n[a]\nupstream b:1\nupstream-tls direct",
        "upstream-ciphers X\n[a]\nupstream b:1\nupstream-tls-minimum 1.3",
        "upstream-tls none\n[a]\nupstream b:1\nupstream-pin",
        "upstream-key k\nupstream-certificate c\n[a]\nupstream b:1",
    ])
    func `What holds for all does not have to be of use for each`(text: String) {
        #expect(complaint(text) == nil)
    }

    @Test func `An entry of a table that is not there`() {
        let origin = SettingOrigin.file(path: "f", line: 1, column: 1)
        #expect(throws: SettingsError(name: "domains", origin: origin, problem: .unknownTable)) {
            try Settings.resolve(entries: [SettingEntry("upstream", "b:1", origin: origin, domain: "a")])
        }
    }

    @Test func `Without TLS nothing is left of it`() throws {
        let domain = try settings("upstream-ca c\nupstream-pin \(Self.pin)\n[a]\nupstream b:1\nupstream-tls none")
            .domains[0]
        #expect(domain.ca == nil)
        #expect(domain.pins == [])
    }

    @Test func `A pin is the digest of a key`() throws {
        let pin = try #require(PublicKeyPin(Self.pin))
        // The SHA-256 of no bytes.
        #expect(pin.digest.prefix(4) == [0xE3, 0xB0, 0xC4, 0x42])
        #expect(pin.digest.suffix(4) == [0x78, 0x52, 0xB8, 0x55])
        #expect(pin.digest.count == 32)
    }

    @Test(arguments: [
        "", "sha256/", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= ",
        "sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSu===",
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUAAAA=",
        "sha256/47DEQpj8HBSa", "sha256/====", "SHA256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ])
    func `No pin`(text: String) {
        #expect(PublicKeyPin(text) == nil)
    }
}
