import Addresses
import BOSHCore
import Settings
import Testing

@Suite struct SettingsTests {
    private func resolve(_ flags: (String, String)...) throws(SettingsError) -> Settings {
        try Settings.resolve(entries: flags.map { SettingEntry($0.0, $0.1, origin: .flag) })
    }

    private func error(_ entries: [SettingEntry]) -> SettingsError? {
        do throws(SettingsError) {
            _ = try Settings.resolve(entries: entries)
            return nil
        } catch {
            return error
        }
    }

    private func message(_ flags: (String, String)...) -> String? {
        error(flags.map { SettingEntry($0.0, $0.1, origin: .flag) })?.description
    }

    @Test func `The defaults`() throws {
        let settings = try resolve(("domain", "example.org"), ("upstream", "localhost:5222"))
        #expect(settings.listen == [.tcp(host: "127.0.0.1", port: 5280)])
        #expect(settings.admin == .tcp(host: "127.0.0.1", port: 5281))
        let domain = try #require(settings.domains.first)
        #expect(settings.domains.count == 1)
        #expect(domain.name == "example.org")
        #expect(domain.upstream == .fixed([try #require(UpstreamAddress("localhost:5222"))]))
        #expect(domain.tls == .starttls)
        #expect(domain.ca == nil && domain.certificate == nil && domain.key == nil && domain.ciphers == nil)
        #expect(domain.pins == [])
        #expect(domain.tlsMinimum == .v12)
        #expect(!domain.compresses)
        #expect(domain.proxyProtocol == .off)
        #expect(settings.defaultDomain == nil)
        #expect(settings.openProxy == nil)
        #expect(settings.routes == [])
        #expect(settings.nameserver == nil)
        #expect(settings.listenProxy == [])
        #expect(settings.trustedProxies == [IPNetwork("127.0.0.0/8"), IPNetwork("::1")])
        #expect(settings.clientAddressFrom == .none && settings.clientSchemeFrom == .none)
        #expect(settings.path == "/http-bind")
        #expect(settings.publicURLs == [])
        #expect(settings.crossOrigin == .any)
        #expect(settings.crossOriginHeaders == [])
        #expect(settings.maxWait == .seconds(55))
        #expect(settings.inactivity == .seconds(60))
        #expect(settings.maxHold == 2)
        #expect(settings.maxBody == 1_048_576)
        #expect(settings.logLevel == LogLevels(.info))
        #expect(settings.headTimeout == .seconds(15))
        #expect(settings.bodyTimeout == .seconds(60))
        #expect(settings.drain == .seconds(10))
        #expect(settings.sendTimeout == .seconds(30))
        #expect(settings.idleTimeout == .seconds(180))
        #expect(settings.polling == .seconds(2))
        #expect(settings.maxpause == .seconds(120))
        #expect(settings.connectTimeout == .seconds(20))
        #expect(settings.upstreamWriteTimeout == .seconds(30))
        #expect(settings.stanzaTimeout == .seconds(30))
        #expect(settings.keepaliveInterval == .seconds(180))
        #expect(settings.breakerFailures == 5)
        #expect(settings.breakerPause == .seconds(30))
        #expect(settings.maxStanza == 8_388_608)
        #expect(settings.stanzaDepth == 1_000)
        #expect(settings.stanzaAttributes == 1_024)
        #expect(settings.maxSkipped == 67_108_864)
        #expect(settings.xmlDepth == 100)
        #expect(settings.xmlAttributes == 200)
        #expect(settings.sessionBuffer == 262_144)
        #expect(settings.compressesResponses)
        #expect(settings.compressFrom == 256)
        #expect(settings.replayBudget == 16_777_216)
        #expect(settings.adminHosts == [] && settings.adminTokenFile == nil)
        #expect(settings.workers == .auto)
        #expect(settings.linger == .seconds(86_400))
        #expect(settings.generations == 8)
        #expect(settings.control == nil)
        #expect(settings.node == nil)
        #expect(settings.user == nil && settings.group == nil)
        #expect(!settings.coreDumps)
        #expect(settings.logsUsers)
        #expect(settings.memoryLimit == .auto)
        #expect(settings.maxSessions == 0 && settings.creationRate == 0)
        #expect(settings.loginTimeout == .seconds(30))
        #expect(settings.loginBody == 65_536)
        #expect(settings.loginSessions == 0)
        #expect(settings.addressConnections == 3_000)
        #expect(settings.addressSessions == 2_000)
        #expect(settings.addressLogins == 500)
        #expect(settings.addressCreations == 1_200)
        #expect(settings.addressLoginFailures == 600)
        #expect(settings.addressMemory == 67_108_864)
        #expect(settings.addressLookups == 2)
        #expect(settings.ipv6Prefix == 64)
        #expect(settings.sessionRequests == 500)
        #expect(settings.sessionRepeats == 20)
        #expect(settings.connectionBuffer == 262_144)
        #expect(settings.bodyRate == 500)
        #expect(settings.sendRate == 500)
        #expect(settings.webSocketPaths == ["/xmpp-websocket"])
        #expect(settings.webSocketPing == .seconds(25))
        #expect(settings.publicWebSocketURLs.isEmpty && !settings.requiresOrigin)
        #expect(settings.pollingPath == nil && !settings.pollingRequiresKeys)
        #expect(settings.pollingHold == .milliseconds(500) && settings.pollingInactivity == .seconds(300))
        #expect(settings.maxExpansion == 5)
        #expect(settings.xmlElements == 10_000)
        #expect(settings.upstreamConnections == 25_000)
        #expect(settings.origins == ["domain": .flag, "upstream": .flag])
    }

    @Test func `The scheme is read in Forwarded only together with the address`() throws {
        let required = [("domain", "example.org"), ("upstream", "localhost:5222"), ("client-scheme-from", "forwarded")]
        for address in ["none", "x-forwarded-for", "x-real-ip"] {
            let error = error(
                (required + [("client-address-from", address)]).map { SettingEntry($0.0, $0.1, origin: .environment) })
            #expect(error?.name == "client-scheme-from")
        }
        let settings = try Settings.resolve(
            entries: (required + [("client-address-from", "forwarded")]).map {
                SettingEntry($0.0, $0.1, origin: .environment)
            }
        )
        #expect(settings.clientSchemeFrom == .forwarded && settings.clientAddressFrom == .forwarded)
    }

    @Test func `Every value given arrives where it belongs`() throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let internals = [
            ("head-timeout", "11"), ("body-timeout", "12"), ("send-timeout", "13"), ("idle-timeout", "214"),
            ("drain", "15"),
            ("polling", "5"), ("maxpause", "16"), ("upstream-connect-timeout", "17"), ("upstream-write-timeout", "18"),
            ("upstream-keepalive", "219"), ("session-buffer", "20000"),
            ("compress-responses", "off"), ("compress-from", "1k"),
            ("replay-budget", "0"), ("listen-proxy", "[::1]:82"), ("listen-proxy", "unix:/run/p"),
            ("trusted-proxy", "192.0.2.0/24"), ("client-address-from", "forwarded"),
            ("client-scheme-from", "forwarded"),
            ("default-domain", "B.example"),
            ("open-proxy", "on"), ("route", "x2.example:5223"), ("nameserver", "[::1]:5353"),
            ("upstream-pin", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            ("upstream-certificate", "/c.pem"), ("upstream-key", "/k.pem"), ("upstream-tls-minimum", "1.2"),
            ("upstream-ciphers", "ECDHE+AESGCM"), ("upstream-compression", "zlib"), ("upstream-from", "always"),
            ("upstream-proxy-protocol", "v1"),
            ("upstream-stanza-timeout", "20"), ("upstream-breaker-failures", "0"), ("upstream-breaker-pause", "21"),
            ("max-stanza", "20k"), ("xml-depth", "22"), ("xml-attributes", "23"),
            ("stanza-depth", "24"), ("stanza-attributes", "25"), ("max-skipped", "9MiB"), ("admin-host", "stats"),
            ("admin-token-file", "/t"),
            ("workers", "9"), ("linger", "3600"), ("generations", "3"), ("control", "unix:/run/c"), ("node", "web1"),
            ("user", "holdfast"), ("group", "www-data"), ("core-dumps", "on"), ("log-priorities", "on"),
            ("log-users", "off"), ("access-log", "/var/log/a"),
            ("access-log-format", "json"), ("access-log-sample", "9"),
            ("memory-limit", "26MiB"), ("max-sessions", "126"), ("creation-rate", "127"), ("login-timeout", "27"),
            ("login-body", "28k"),
            ("login-sessions", "29"), ("address-connections", "30"), ("address-sessions", "31"),
            ("address-logins", "32"), ("address-creations", "33"), ("address-login-failures", "133"),
            ("address-memory", "34MiB"),
            ("address-lookups", "35"), ("address-prefix", "36"), ("session-requests", "37"), ("session-repeats", "38"),
            ("connection-buffer", "39k"), ("body-rate", "40"), ("send-rate", "41"), ("max-expansion", "42"),
            ("xml-elements", "143"), ("upstream-connections", "44"), ("cors-origin", "https://a.example"),
            ("cors-credentials", "on"), ("cors-header", "Content-Type"), ("websocket-path", "/ws/"),
            ("websocket-path", "/b"), ("websocket-ping", "50"), ("require-origin", "on"),
            ("public-websocket-url", "WSS://B.example/ws"), ("polling-path", "/poll/"), ("polling-hold", "200"),
            ("polling-inactivity", "600"), ("polling-require-keys", "on"),
        ].map { SettingEntry($0.0, $0.1, origin: file) }
        let flags = [
            ("listen", "[::1]:80"), ("listen", "unix:/run/a"), ("admin", "10.0.0.1:81"), ("domain", "a.example"),
            ("domain", "B.example"), ("upstream", "[::1]:5223"), ("upstream-tls", "direct"), ("upstream-ca", "/ca.pem"),
            ("path", "/bosh/"), ("public-url", "https://B.example/bosh"), ("public-url", "https://c.example/"),
            ("public-url", "https://b.example/bosh"), ("max-wait", "1"), ("inactivity", "65535"), ("max-hold", "10"),
            ("max-body", "2KiB"),
            ("log-level", "trace"), ("log-format", "json"),
        ].map { SettingEntry($0.0, $0.1, origin: .flag) }
        let settings = try Settings.resolve(entries: internals + flags)
        #expect(settings.listen == [.tcp(host: "::1", port: 80), .unix(path: "/run/a")])
        #expect(settings.admin == .tcp(host: "10.0.0.1", port: 81))
        #expect(settings.domains.map(\.name) == ["a.example", "b.example"])
        for domain in settings.domains {
            #expect(domain.upstream == .fixed([try #require(UpstreamAddress("[::1]:5223"))]))
            #expect(domain.tls == .direct)
            #expect(domain.ca == "/ca.pem")
            #expect(domain.pins.count == 1)
            #expect(domain.certificate == "/c.pem")
            #expect(domain.key == "/k.pem")
            #expect(domain.tlsMinimum == .v12)
            #expect(domain.ciphers == "ECDHE+AESGCM")
            #expect(domain.compresses)
            #expect(domain.proxyProtocol == .v1)
        }
        #expect(settings.listenProxy == [.tcp(host: "::1", port: 82), .unix(path: "/run/p")])
        #expect(settings.webSocketPaths == ["/ws", "/b"])
        #expect(settings.webSocketPing == .seconds(50))
        #expect(settings.pollingPath == "/poll" && settings.pollingRequiresKeys)
        #expect(settings.pollingHold == .milliseconds(200) && settings.pollingInactivity == .seconds(600))
        #expect(settings.requiresOrigin)
        #expect(settings.publicWebSocketURLs == ["wss://b.example/ws"])
        #expect(settings.trustedProxies == [IPNetwork("192.0.2.0/24")])
        #expect(settings.clientAddressFrom == .forwarded && settings.clientSchemeFrom == .forwarded)
        #expect(settings.defaultDomain == "b.example")
        #expect(settings.openProxy?.upstream == .dns)
        #expect(settings.routes.map(\.description) == ["x2.example:5223"])
        #expect(settings.nameserver == "[::1]:5353")
        #expect(settings.stanzaTimeout == .seconds(20))
        #expect(settings.breakerFailures == 0)
        #expect(settings.breakerPause == .seconds(21))
        #expect(settings.maxStanza == 20000)
        #expect(settings.xmlDepth == 22)
        #expect(settings.xmlAttributes == 23)
        #expect(settings.stanzaDepth == 24)
        #expect(settings.stanzaAttributes == 25)
        #expect(settings.maxSkipped == 9_437_184)
        #expect(settings.adminHosts == ["stats"] && settings.adminTokenFile == "/t")
        #expect(settings.files.contains(NamedFile(kind: .token, path: "/t", domain: "")))
        #expect(settings.workers == .number(9))
        #expect(settings.linger == .seconds(3_600))
        #expect(settings.generations == 3)
        #expect(settings.control == ListenAddress("unix:/run/c"))
        #expect(settings.node == NodeName("web1"))
        #expect(settings.user == "holdfast" && settings.group == "www-data")
        #expect(settings.coreDumps)
        #expect(!settings.logsUsers)
        #expect(settings.memoryLimit == .bytes(27_262_976))
        #expect(settings.loginTimeout == .seconds(27))
        #expect(settings.loginBody == 28_000)
        #expect(settings.loginSessions == 29)
        #expect(settings.addressConnections == 30)
        #expect(settings.addressSessions == 31)
        #expect(settings.addressLogins == 32)
        #expect(settings.addressCreations == 33)
        #expect(settings.addressLoginFailures == 133)
        #expect(settings.maxSessions == 126 && settings.creationRate == 127)
        #expect(settings.addressMemory == 35_651_584)
        #expect(settings.addressLookups == 35)
        #expect(settings.ipv6Prefix == 36)
        #expect(settings.sessionRequests == 37)
        #expect(settings.sessionRepeats == 38)
        #expect(settings.connectionBuffer == 39_000)
        #expect(settings.bodyRate == 40)
        #expect(settings.sendRate == 41)
        #expect(settings.maxExpansion == 42)
        #expect(settings.xmlElements == 143)
        #expect(settings.upstreamConnections == 44)
        #expect(settings.path == "/bosh")
        #expect(settings.crossOrigin == .list(["https://a.example"], credentials: true))
        #expect(settings.crossOriginHeaders == ["Content-Type"])
        #expect(settings.publicURLs == ["https://b.example/bosh", "https://c.example/"])
        #expect(settings.maxWait == .seconds(1))
        #expect(settings.inactivity == .seconds(65535))
        #expect(settings.maxHold == 10)
        #expect(settings.maxBody == 2048)
        #expect(settings.logLevel == LogLevels(.trace) && settings.logFormat == .json)
        #expect(settings.logPriorities == .on)
        #expect(settings.accessLog == .file("/var/log/a") && settings.accessLogFormat == .json)
        #expect(settings.accessLogSample == 9)
        #expect(settings.headTimeout == .seconds(11))
        #expect(settings.bodyTimeout == .seconds(12))
        #expect(settings.drain == .seconds(15))
        #expect(settings.sendTimeout == .seconds(13))
        #expect(settings.idleTimeout == .seconds(214))
        #expect(settings.polling == .seconds(5))
        #expect(settings.maxpause == .seconds(16))
        #expect(settings.connectTimeout == .seconds(17))
        #expect(settings.upstreamWriteTimeout == .seconds(18))
        #expect(settings.keepaliveInterval == .seconds(219))
        #expect(settings.sessionBuffer == 20000)
        #expect(!settings.compressesResponses)
        #expect(settings.compressFrom == 1000)
        #expect(settings.replayBudget == 0)
        #expect(settings.origins.count == SettingsTable.rows.count)
        #expect(settings.origins["polling"] == file)
    }

    @Test func `A group needs a user`() {
        let required = [("domain", "a"), ("upstream", "b:1"), ("group", "nobody")]
        #expect(
            error(required.map { SettingEntry($0.0, $0.1, origin: .environment) })?.description
                == "HOLDFAST_GROUP: 'nobody' has no meaning without user")
    }

    @Test func `The entries make equal settings again`() throws {
        let table = SettingEntry(SettingEntry.domainTable, "B.example", origin: .file(path: "f", line: 3, column: 1))
        let entries = [
            SettingEntry("domain", "a", origin: .flag), SettingEntry("upstream", "b:1", origin: .environment), table,
            .emptyList("trusted-proxy", origin: .file(path: "f", line: 2, column: 1)),
        ]
        let settings = try Settings.resolve(entries: entries)
        #expect(settings.entries == entries)
        #expect(try Settings.resolve(entries: settings.entries) == settings)
    }

    @Test func `upstream-keepalive goes below what balancers allow, and up to ten minutes`() throws {
        let required = [SettingEntry("domain", "a", origin: .flag), SettingEntry("upstream", "b:1", origin: .flag)]
        for seconds in [10, 45, 600] {
            let entry = SettingEntry("upstream-keepalive", "\(seconds)", origin: .environment)
            #expect(try Settings.resolve(entries: required + [entry]).keepaliveInterval == .seconds(Int64(seconds)))
        }
        for seconds in [9, 601] {
            let entry = SettingEntry("upstream-keepalive", "\(seconds)", origin: .environment)
            #expect(
                error(required + [entry])?.description.hasSuffix("is not a number of seconds from 10 to 600") == true)
        }
    }

    @Test func `What has no default must be given`() {
        #expect(message() == "--domain is missing: give a domain name such as example.org")
        #expect(
            message(("domain", "a"))
                == "--upstream is missing: give HOST:PORT with a name, an IPv4 address or an [IPv6] address, behind which "
                + "priority=N and weight=N may stand, or dns")
    }

    @Test func `A wrong value is one line with flag, value and what is allowed`() {
        #expect(
            message(("max-wait", "abc"), ("domain", "a"), ("upstream", "b:1"))
                == "--max-wait: 'abc' is not a number of seconds from 1 to 3600")
        #expect(
            message(("max-body", "1"), ("domain", "a"), ("upstream", "b:1"))
                == "--max-body: '1' is not a number of bytes from 1024 to 8388608 (k, M, KiB or MiB may follow)")
        #expect(
            message(("upstream-tls", "yes"), ("domain", "a"), ("upstream", "b:1"))
                == "--upstream-tls: 'yes' is not one of none, starttls, direct")
        #expect(
            message(("listen", "80"))
                == "--listen: '80' is not ADDR:PORT, [IPV6]:PORT or unix:/PATH; this is a port without an address: 127.0.0.1:80"
        )
        #expect(
            message(("domain", "a"), ("domain", "b c")) == "--domain: 'b c' is not a domain name such as example.org")
    }

    @Test func `Errors name the place`() {
        let entry = SettingEntry("max-hold", "0", origin: .file(path: "/etc/holdfast.toml", line: 12, column: 3))
        let required = [SettingEntry("domain", "a", origin: .flag), SettingEntry("upstream", "b:1", origin: .flag)]
        #expect(
            error(required + [entry])?.description
                == "/etc/holdfast.toml:12:3: max-hold: '0' is not a number from 1 to 10")
        let variable = SettingEntry("max-hold", "x", origin: .environment)
        #expect(error(required + [variable])?.description == "HOLDFAST_MAX_HOLD: 'x' is not a number from 1 to 10")
        #expect(
            error([SettingEntry("max-hlod", "1", origin: .file(path: "f", line: 1, column: 1))])?.description
                == "f:1:1: max-hlod: there is no such setting; did you mean 'max-hold'?")
    }

    @Test func `A setting without a flag is none on the command line`() {
        #expect(error([SettingEntry("polling", "3", origin: .flag)])?.problem == .unknown)
        #expect(error([SettingEntry("", "3", origin: .flag)])?.problem == .unknown)
    }

    @Test func `A hostile value cannot break the line`() throws {
        let message = message(
            ("max-wait", "1\n2\u{1B}[31m\u{202E}" + String(repeating: "9", count: 5000)), ("domain", "a"),
            ("upstream", "b:1"))
        let text = try #require(message)
        #expect(text.hasPrefix("--max-wait: '1?2?[31m?999"))
        #expect(!text.contains { $0.isNewline })
        #expect(text.count < 200)
    }

    @Test func `A second value is refused unless the setting is a list`() {
        #expect(
            message(("max-wait", "5"), ("max-wait", "6"), ("domain", "a"), ("upstream", "b:1"))
                == "--max-wait: '6' is a second value, only one is allowed")
        #expect(message(("domain", "a"), ("domain", "b"), ("upstream", "b:1")) == nil)
    }

    @Test func `The same value twice in a list counts once`() throws {
        let settings = try resolve(
            ("domain", "a.example"), ("domain", "A.example."), ("upstream", "b:1"), ("listen", "127.0.0.1:1"),
            ("listen", "localhost:1"))
        #expect(settings.domains.map(\.name) == ["a.example"])
        #expect(settings.listen == [.tcp(host: "127.0.0.1", port: 1)])
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]])
    func `A flag wins over the environment, that over a file`(order: [Int]) throws {
        let layers: [SettingOrigin] = [.file(path: "f", line: 1, column: 1), .environment, .flag]
        var entries = [SettingEntry("upstream", "b:1", origin: .flag)]
        for index in order {
            entries.append(SettingEntry("max-wait", String(index + 10), origin: layers[index]))
            entries.append(SettingEntry("domain", "first\(index)", origin: layers[index]))
            entries.append(SettingEntry("domain", "second\(index)", origin: layers[index]))
        }
        let settings = try Settings.resolve(entries: entries)
        #expect(settings.maxWait == .seconds(12))
        #expect(settings.domains.map(\.name) == ["first2", "second2"])
        #expect(settings.origins["max-wait"] == .flag)
        let lower = try Settings.resolve(entries: entries.filter { $0.origin != .flag || $0.name == "upstream" })
        #expect(lower.maxWait == .seconds(11))
        #expect(lower.domains.map(\.name) == ["first1", "second1"])
        #expect(lower.origins["domain"] == .environment)
    }

    @Test func `The admin endpoints can be switched off`() throws {
        #expect(try resolve(("domain", "a"), ("upstream", "b:1"), ("admin", "off")).admin == nil)
        #expect(try resolve(("domain", "a"), ("upstream", "b:1"), ("admin", "unix:/a")).admin == .unix(path: "/a"))
    }

    @Test func `One address cannot serve clients and the operator`() throws {
        #expect(
            message(("domain", "a"), ("upstream", "b:1"), ("listen", "127.0.0.1:5281"))
                == "--admin: '127.0.0.1:5281' is an address of listen too")
        #expect(
            message(
                ("domain", "a"), ("upstream", "b:1"), ("listen", "[::]:1"), ("listen", "[::1]:2"), ("admin", "[::1]:2"))
                == "--admin: '[::1]:2' is an address of listen too")
        #expect(
            message(("domain", "a"), ("upstream", "b:1"), ("listen", "unix:/a"), ("admin", "unix:/a"))
                == "--admin: 'unix:/a' is an address of listen too")
        #expect(
            message(("domain", "a"), ("upstream", "b:1"), ("control", "unix:/a"), ("admin", "unix:/a"))
                == "--control: 'unix:/a' is the address of admin too")
        let settings = try resolve(
            ("domain", "a"), ("upstream", "b:1"), ("listen", "127.0.0.1:0"), ("admin", "127.0.0.1:0"))
        #expect(settings.admin == settings.listen.first)
    }

    @Test func `A CA without TLS is a mistake`() throws {
        #expect(
            message(("domain", "a"), ("upstream", "b:1"), ("upstream-tls", "none"), ("upstream-ca", "ca.pem"))
                == "--upstream-ca: 'ca.pem' has no use with upstream-tls none")
        #expect(
            try resolve(("domain", "a"), ("upstream", "b:1"), ("upstream-ca", "ca.pem")).domains.first?.ca == "ca.pem")
    }

    @Test func `Listeners of proxies have addresses of their own`() throws {
        #expect(
            fileMessage(("listen", "127.0.0.1:1"), ("listen-proxy", "[::1]:2"), ("listen-proxy", "127.0.0.1:1"))
                == "f:1:1: listen-proxy: '127.0.0.1:1' is an address of listen too")
        #expect(
            fileMessage(("listen-proxy", "127.0.0.1:5281"))
                == "--admin: '127.0.0.1:5281' is an address of listen-proxy too")
        #expect(fileMessage(("listen", "127.0.0.1:0"), ("listen-proxy", "127.0.0.1:0")) == nil)
    }

    @Test func `An empty list is not the default`() throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = [
            SettingEntry("domain", "a", origin: file), SettingEntry("upstream", "b:1", origin: file),
            SettingEntry.emptyList("trusted-proxy", origin: file), SettingEntry.emptyList("public-url", origin: file),
        ]
        let settings = try Settings.resolve(entries: entries)
        #expect(settings.trustedProxies == [])
        #expect(settings.publicURLs == [])
        #expect(settings.origins["trusted-proxy"] == file)
        let silent = entries + [.emptyList("listen", origin: file)]
        #expect(error(silent)?.description == "--listen is missing: give ADDR:PORT, [IPV6]:PORT or unix:/PATH")
        let proxied = silent + [SettingEntry("listen-proxy", "127.0.0.1:1", origin: file)]
        #expect(try Settings.resolve(entries: proxied).listen == [])
        #expect(error(entries + [.emptyList("max-wait", origin: file)])?.problem != nil)
    }

    @Test func `The default domain is one of those served`() throws {
        #expect(
            fileMessage(("default-domain", "b.example"))
                == "f:1:1: default-domain: 'b.example' is none of the domains served")
        #expect(fileMessage(("default-domain", "EXAMPLE.org.")) == nil)
    }

    @Test func `All faults at once, in the order of the entries`() {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = [
            SettingEntry("max-wait", "0", origin: .flag), SettingEntry("max-wait", "5", origin: file),
            SettingEntry("polling", "3", origin: .flag), SettingEntry("domains", "a b", origin: file),
            SettingEntry("domains", "a", origin: .flag), SettingEntry("path", "/x", origin: file, domain: "a"),
        ]
        #expect(
            Settings.faults(in: entries).map(\.description) == [
                "--max-wait: '0' is not a number of seconds from 1 to 3600",
                "--polling: there is no such setting",
                "f:1:1: domains: 'a b' is not a domain name such as example.org",
                "--domains: there is no such setting; did you mean '--domain'?",
                "f:1:1: domains.\"a\".path: this holds for all domains and has to stand above the first [table]",
            ])
    }

    @Test func `A value that another origin overrides has to be right too`() {
        let file = SettingOrigin.file(path: "f", line: 4, column: 2)
        let entries = [SettingEntry("max-wait", "5", origin: .flag), SettingEntry("max-wait", "0", origin: file)]
        #expect(error(entries)?.origin == file)
    }

    /// The error for these entries of a file, with the required settings given.
    private func fileMessage(_ entries: (String, String)...) -> String? {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let needed = [("domain", "example.org"), ("upstream", "b:1")]
        return error((needed + entries).map { SettingEntry($0.0, $0.1, origin: file) })?.description
    }
}
