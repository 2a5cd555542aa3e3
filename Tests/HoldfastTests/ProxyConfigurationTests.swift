import Addresses
import Settings
import Testing

@testable import holdfast

@Suite struct ProxyConfigurationTests {
    private static let required = ["--domain", "example.org", "--upstream", "127.0.0.1:5222"]

    private func parse(_ arguments: [String], _ environment: [String: String] = [:]) -> Invocation {
        HoldfastCommand.parse(arguments, environment: environment, version: "1")
    }

    /// What is printed for a proxy with these settings.
    private func text(
        _ kind: ProxyKind, _ more: [String] = [], _ environment: [String: String] = [:]
    ) throws -> String {
        let arguments = ["print-proxy-config", kind.rawValue] + Self.required + more
        guard case .exit(code: 0, standardOutput: let text, standardError: "") = parse(arguments, environment) else {
            Issue.record("\(parse(arguments, environment))")
            return ""
        }
        return text
    }

    /// The lines of a text, without the space in front.
    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0.drop { $0 == " " || $0 == "\t" }) }
    }

    /// Why nothing is printed.
    private func complaint(
        _ kind: ProxyKind, _ more: [String], _ environment: [String: String] = [:]
    ) -> String? {
        let arguments = ["print-proxy-config", kind.rawValue] + Self.required + more
        guard case .exit(code: 64, standardOutput: "", standardError: let line) = parse(arguments, environment) else {
            return nil
        }
        return line
    }

    private func facts(_ environment: [String: String], _ more: [String] = []) throws -> ProxyFacts {
        guard case .run(let settings) = parse(["run"] + Self.required + more, environment) else {
            Issue.record("\(parse(["run"] + Self.required + more, environment))")
            throw NoSettings()
        }
        return try ProxyFacts(settings)
    }

    private struct NoSettings: Error {}

    // MARK: Times and sizes

    @Test(arguments: [
        (
            [:], 75,
            "A poll is held for 55 s (max-wait), and a WebSocket is silent for 25 s (websocket-ping): 55 s + 20 s."
        ),
        (
            ["HOLDFAST_MAX_WAIT": "100"], 120,
            "A poll is held for 100 s (max-wait), and a WebSocket is silent for 25 s (websocket-ping): 100 s + 20 s."
        ),
        (
            ["HOLDFAST_MAX_WAIT": "10", "HOLDFAST_WEBSOCKET_PING": "40"], 60,
            "A poll is held for 10 s (max-wait), and a WebSocket is silent for 40 s (websocket-ping): 40 s + 20 s."
        ),
        (
            ["HOLDFAST_WEBSOCKET_PATH": "off", "HOLDFAST_WEBSOCKET_PING": "400"], 75,
            "A poll is held for 55 s (max-wait): 55 s + 20 s."
        ),
        (
            [
                "HOLDFAST_MAX_WAIT": "1", "HOLDFAST_WEBSOCKET_PING": "0", "HOLDFAST_POLLING_PATH": "/poll",
                "HOLDFAST_POLLING_HOLD": "1500",
            ], 22,
            "A poll is held for 1 s (max-wait), and HTTP polling waits for 2 s (polling-hold): 2 s + 20 s."
        ),
    ])
    func `The proxy waits longer than Holdfast is silent, and says why`(
        environment: [String: String], seconds: Int64, reason: String
    ) throws {
        let facts = try facts(environment)
        #expect(facts.readTimeout == seconds)
        #expect(facts.timeoutReason == reason)
        for (kind, line) in [
            (.nginx, "proxy_read_timeout \(seconds)s;"), (.haproxy, "timeout server \(seconds)s"),
            (.haproxy, "timeout client \(seconds)s"), (.apache, "ProxyTimeout \(seconds)"),
            (.caddy, "response_header_timeout \(seconds)s"),
        ] as [(ProxyKind, String)] {
            #expect(lines(try text(kind, [], environment)).contains(line), "\(kind)")
        }
    }

    @Test func `The proxy keeps idle connections for less time than Holdfast`() throws {
        for (idle, kept) in [(150, 60), (180, 60), (86_400, 60)] as [(Int64, Int64)] {
            let environment = ["HOLDFAST_IDLE_TIMEOUT": "\(idle)"]
            #expect(try facts(environment).keptIdle == kept)
            #expect(kept < idle)
            for (kind, line) in [
                (.nginx, "keepalive_timeout \(kept)s;"), (.caddy, "keepalive \(kept)s"),
            ] as [(ProxyKind, String)] {
                #expect(lines(try text(kind, [], environment)).contains(line))
            }
            #expect(try text(.apache, [], environment).contains(" ttl=\(kept) "))
            #expect(try text(.haproxy, [], environment).contains(" pool-purge-delay \(kept / 2)s"))
        }
    }

    @Test func `Bodies may be as large as Holdfast takes them`() throws {
        let more = ["--max-body", "2 MiB"]
        #expect(lines(try text(.nginx, more)).contains("client_max_body_size 2097152;"))
        #expect(lines(try text(.apache, more)).contains("LimitRequestBody 2097152"))
        #expect(lines(try text(.caddy, more)).contains("max_size 2097152"))
        let caddy = try text(.caddy, more)
        #expect(caddy.contains("int({header.Content-Length}) > 2097152`") && caddy.contains("error @large 413"))
        #expect(try text(.haproxy, more).contains("max-body (2097152 bytes)"))
        #expect(lines(try text(.nginx, more + ["--multi"])).contains("client_body_buffer_size 2097152;"))
    }

    // MARK: Addresses and paths

    @Test func `The proxy connects to the listeners`() throws {
        let several = ["--listen", "0.0.0.0:81", "--listen", "[::]:82", "--listen", "192.0.2.1:83"]
        let nginx = lines(try text(.nginx, several))
        for server in ["127.0.0.1:81", "[::1]:82", "192.0.2.1:83"] { #expect(nginx.contains("server \(server);")) }
        let haproxy = try text(.haproxy, several)
        #expect(
            haproxy.contains("server holdfast1 127.0.0.1:81 ") && haproxy.contains("server holdfast3 192.0.2.1:83 "))
        #expect(haproxy.contains("track holdfast1"))
        #expect(try text(.caddy, several).contains("reverse_proxy 127.0.0.1:81 [::1]:82 192.0.2.1:83 {"))
        #expect(try text(.apache, several).contains("\"http://127.0.0.1:81/http-bind\""))
        // A Unix socket has no limit of ports, so it is preferred.
        let socket = ["--listen", "127.0.0.1:81", "--listen", "unix:/run/holdfast/http.sock"]
        #expect(lines(try text(.nginx, socket)).contains("server unix:/run/holdfast/http.sock;"))
        #expect(try !text(.nginx, socket).contains("127.0.0.1:81"))
        #expect(try text(.haproxy, socket).contains("server holdfast unix@/run/holdfast/http.sock "))
        #expect(try text(.apache, socket).contains("\"unix:/run/holdfast/http.sock|http://localhost/http-bind\""))
        #expect(try text(.caddy, socket).contains("reverse_proxy unix//run/holdfast/http.sock {"))
        #expect(try !text(.caddy, socket).contains("health_uri"))
    }

    @Test func `All doors have their paths`() throws {
        let more = ["--path", "/b.osh", "--websocket-path", "/ws", "--websocket-path", "/"]
        let polling = ["HOLDFAST_POLLING_PATH": "/poll"]
        let pattern = #"^(/b\.osh|/ws||/\.well-known/host-meta|/\.well-known/host-meta\.json)/?$"#
        let list = "/b.osh /b.osh/ /ws /ws/ / /.well-known/host-meta /.well-known/host-meta.json"
        let nginx = lines(try text(.nginx, more, polling))
        #expect(nginx.contains("location ~ \(pattern) {") && nginx.contains("location ~ ^(/poll)/?$ {"))
        #expect(nginx.contains("keepalive_timeout 0;"))
        let haproxy = lines(try text(.haproxy, more, polling))
        #expect(haproxy.contains("acl for-holdfast path \(list)"))
        #expect(
            haproxy.contains("acl for-polling path /poll /poll/")
                && haproxy.contains("http-after-response set-header Connection close"))
        let apache = try text(.apache, more, polling)
        #expect(apache.contains("<LocationMatch \"\(pattern)\">"))
        #expect(apache.contains("\"http://127.0.0.1:5280/ws\" ttl=60 connectiontimeout=5 upgrade=websocket"))
        #expect(apache.contains("nokeepalive"))
        let caddy = lines(try text(.caddy, more, polling))
        #expect(caddy.contains("@holdfast path \(list)") && caddy.contains("header Connection close"))
        for kind in ProxyKind.allCases { #expect(try !text(kind).contains("olling")) }
    }

    @Test func `The name is that of the public address, or else a domain`() throws {
        #expect(try text(.nginx).contains("server_name example.org;"))
        let url = ["--public-url", "https://chat.example.net:8443/http-bind"]
        #expect(try text(.nginx, url).contains("server_name chat.example.net;"))
        #expect(try text(.caddy, url).contains("\nchat.example.net {"))
        #expect(try text(.apache, url).contains("ServerName chat.example.net"))
        #expect(try text(.haproxy, url).contains("ssl crt /etc/ssl/chat.example.net.pem "))
        #expect(try facts([:], ["--public-url", "https://[2001:db8::1]/"]).host == "example.org")
    }

    @Test func `What cannot be written is refused`() throws {
        #expect(complaint(.nginx, ["--listen", "127.0.0.1:0"])?.contains("port 0") == true)
        #expect(complaint(.nginx, ["--path", "/a;b"])?.contains("'/a;b'") == true)
        #expect(complaint(.haproxy, ["--listen", "unix:/run/a b"])?.contains("'/run/a b'") == true)
        #expect(complaint(.apache, ["--multi"])?.contains("use haproxy or nginx") == true)
        #expect(complaint(.caddy, ["--multi"])?.contains("use haproxy or nginx") == true)
        let proxied = ["HOLDFAST_LISTEN": "", "HOLDFAST_LISTEN_PROXY": "127.0.0.1:5282"]
        for kind in [ProxyKind.nginx, .apache, .caddy] {
            #expect(complaint(kind, [], proxied)?.contains("set listen too") == true)
        }
        #expect(try text(.haproxy, [], proxied).contains("server holdfast 127.0.0.1:5282 send-proxy-v2-ssl "))
        let unknown = parse(["print-proxy-config", "squid"] + Self.required)
        guard case .exit(code: 64, standardOutput: "", standardError: let line) = unknown else {
            Issue.record("\(unknown)")
            return
        }
        #expect(line.contains("squid"))
    }

    // MARK: Clients

    @Test func `The file is told what it has to say about clients`() throws {
        let address = "client-address-from = \"x-forwarded-for\""
        let scheme = "client-scheme-from = \"x-forwarded-proto\""
        for kind in ProxyKind.allCases {
            let nothing = try text(kind)
            #expect(nothing.contains(address) && nothing.contains(scheme))
            let one = try text(kind, [], ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
            #expect(!one.contains(address) && one.contains(scheme) && one.contains("this line"))
            let both = try text(
                kind, [],
                ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-real-ip", "HOLDFAST_CLIENT_SCHEME_FROM": "x-forwarded-proto"])
            #expect(!both.contains("client-address-from =") && !both.contains("client-scheme-from ="))
            #expect(both.contains("X-Real-IP") && !both.contains("X-Forwarded-For"))
            let forwarded = try text(
                kind, [], ["HOLDFAST_CLIENT_ADDRESS_FROM": "forwarded", "HOLDFAST_CLIENT_SCHEME_FROM": "forwarded"])
            #expect(forwarded.contains("Forwarded") && forwarded.contains("proto="))
            #expect(!forwarded.contains("X-Forwarded-Proto") && !forwarded.contains("X-Real-IP"))
        }
    }

    // MARK: Pages of other origins

    @Test func `The proxy's own errors have the field that Holdfast's answers have`() throws {
        let field = "Access-Control-Allow-Origin"
        for kind in ProxyKind.allCases {
            #expect(try text(kind).contains(field))
            #expect(try !text(kind).contains("Credentials"))
            #expect(try !text(kind, [], ["HOLDFAST_CORS_ORIGIN": "off"]).contains(field))
            let listed = try text(
                kind, [],
                [
                    "HOLDFAST_CORS_ORIGIN": "https://a.example,https://b.example:8443",
                    "HOLDFAST_CORS_CREDENTIALS": "on",
                ])
            #expect(listed.contains("https://a.example") && listed.contains("https://b.example:8443"))
            #expect(listed.contains("Access-Control-Allow-Credentials"))
            #expect(!listed.contains("\(field) *") && !listed.contains("\(field) \"*\""))
        }
    }

    // MARK: Health

    @Test func `Health is asked where it is told`() throws {
        let more = ["--admin", "127.0.0.1:9090"]
        #expect(try text(.haproxy, more).contains(" check inter 2s addr 127.0.0.1 port 9090"))
        #expect(lines(try text(.caddy, more)).contains("health_port 9090"))
        for admin in ["off", "127.0.0.1:0"] {
            let without = try text(.haproxy, ["--admin", admin])
            #expect(!without.contains("httpchk") && without.contains("check inter 2s"))
            #expect(try !text(.caddy, ["--admin", admin]).contains("health_"))
        }
        // The check asks the address of the requests.
        #expect(try !text(.caddy, ["--admin", "[::1]:9090"]).contains("health_"))
    }

    // MARK: Several nodes

    @Test func `A node is chosen by the sid`() throws {
        let haproxy = lines(try text(.haproxy, ["--multi", "--listen", "0.0.0.0:81"]))
        #expect(haproxy.contains("use-server n2 if { var(txn.node) -m str n2 }"))
        #expect(
            haproxy.contains { $0.hasPrefix("server n2 192.0.2.12:81 ") && $0.hasSuffix("check inter 2s port 5281") })
        #expect(haproxy.contains("option http-buffer-request") && haproxy.contains("option httpchk GET /lbcheck"))
        #expect(haproxy.contains("option redispatch 1") && haproxy.contains("retry-on conn-failure"))
        #expect(try lines(text(.haproxy)).contains("option httpchk GET /healthz"))
        let nginx = lines(try text(.nginx, ["--multi"]))
        #expect(nginx.contains("location @n3 {") && nginx.contains("proxy_pass http://holdfast_n3;"))
        #expect(nginx.contains("js_content holdfast.route;") && nginx.contains("error_page 502 = @any;"))
    }

    // MARK: The text

    @Test(arguments: ProxyKind.allCases)
    func `Comments are short, and no line ends with a space`(kind: ProxyKind) throws {
        for more in [[], ["--multi"]] where more.isEmpty || kind == .nginx || kind == .haproxy {
            for line in try text(kind, more).split(separator: "\n") {
                #expect(line.last != " ", "\(line)")
                if line.drop(while: { $0 == " " || $0 == "\t" }).first == "#" {
                    #expect(line.replacing("\t", with: "    ").count <= 120, "\(line)")
                }
            }
        }
    }
}
