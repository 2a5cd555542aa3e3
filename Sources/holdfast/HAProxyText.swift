import Addresses
import HTTPWire
import Settings

/// Writes a configuration of HAProxy.
enum HAProxyText {
    /// The file for one Holdfast, or for several nodes.
    static func text(_ facts: ProxyFacts, isMulti: Bool) -> String {
        var lines = ProxyLines()
        facts.head(
            of: .haproxy, version: " 2.4 or later",
            "For the end of /etc/haproxy/haproxy.cfg, with your certificate and its key in one file.", &lines)
        lines.note(
            "HAProxy leaves Expect: 100-continue to Holdfast, which answers it. It passes heads of up to 15 kB on "
                + "(tune.bufsize), and has no limit for bodies: that is max-body (\(facts.maxBody) bytes).")
        if isMulti {
            lines.notes([""])
            lines.note(ProxyFacts.nodesNote)
        }
        lines.add("")
        defaults(facts, &lines)
        frontend(facts, &lines)
        lines.block("backend holdfast from holdfast", "") { lines in
            if isMulti { route(&lines, "regsub(\"^<?[^<]*<body[^>]*[[:space:]]sid=.\",\"\"),field(1,.)") }
            backend(facts, &lines)
            servers(facts, isMulti: isMulti, &lines)
        }
        polling(facts, isMulti: isMulti, &lines)
        return lines.text
    }

    private static func defaults(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.block("defaults holdfast", "") { lines in
            lines.add("mode http")
            lines.note(
                "When a client goes, its poll ends at Holdfast too, so that an aborted poll loses nothing. This works "
                    + "only here or in the frontend, and does nothing in a backend.")
            lines.add("option abortonclose", "timeout connect 5s")
            lines.note(facts.timeoutReason)
            lines.add("timeout client \(facts.readTimeout)s", "timeout server \(facts.readTimeout)s")
            lines.note(
                "A WebSocket, once it is open. Holdfast's pings keep it open, so this time only ends what is dead.")
            lines.add("timeout tunnel \(facts.webSocketPing > 0 ? "1h" : "24h")")
            lines.note("An idle connection of a client.")
            lines.add("timeout http-keep-alive 60s", "")
        }
    }

    private static func frontend(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        let certificate = "ssl crt /etc/ssl/\(facts.host).pem alpn h2,http/1.1"
        lines.block("frontend https from holdfast", "") { lines in
            lines.add("bind :443 \(certificate)", "bind :::443 v6only \(certificate)")
            lines.note("The endpoints, and host-meta, which says where they are (public-url, public-websocket-url).")
            lines.add(
                "acl for-holdfast path \(ProxyFacts.spellings(facts.paths))", "use_backend holdfast if for-holdfast")
            if let path = facts.pollingPath {
                lines.add(
                    "acl for-polling path \(ProxyFacts.spellings([ProxyFacts.trimmed(path)]))",
                    "use_backend holdfast-polling if for-polling")
            }
            lines.add("")
        }
    }

    /// The choice of the node by the sid, which stands near the beginning of the body.
    ///
    /// - Parameter name: what finds the node's name in the first bytes. HAProxy's parser takes no parenthesis in a pattern.
    private static func route(_ lines: inout ProxyLines, _ name: String) {
        lines.note(
            "The sid of a request begins with the name of its node. The body is read up to where the sid stands, and the "
                + "rest goes on unread.")
        lines.add("option http-buffer-request")
        lines.add("http-request set-var(txn.node) req.body,bytes(0,2048),\(name)")
        lines.add(ProxyFacts.nodes.map { "use-server \($0.0) if { var(txn.node) -m str \($0.0) }" })
        lines.note("New sessions go where there are the fewest requests.")
        lines.add("balance leastconn")
        lines.note(
            "When a node takes no connection, its request goes to another node at once, before the checks have failed. A "
                + "request that a node has received is never sent again.")
        lines.add("option redispatch 1", "retry-on conn-failure")
    }

    private static func backend(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.notes(facts.clientComment)
        switch facts.givenAddress {
        case .none, .xForwardedFor: lines.add("option forwardfor")
        case .xRealIP: lines.add("http-request set-header X-Real-IP %[src]")
        case .forwarded:
            for scheme in ["https", "http"] {
                let condition = scheme == "https" ? "if" : "unless"
                lines.add(
                    "http-request set-header Forwarded for=\\\"%[src]\\\";proto=\(scheme) \(condition) { ssl_fc }")
            }
        }
        if facts.givesScheme {
            lines.add(
                "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
                "http-request set-header X-Forwarded-Proto http unless { ssl_fc }")
        }
        pages(facts, &lines)
        lines.note(
            "Any request may use any idle connection. HAProxy closes them before idle-timeout (\(facts.idleTimeout) s), "
                + "never Holdfast.")
        lines.add("http-reuse always")
    }

    /// The field by which pages of other origins may read HAProxy's own errors.
    private static func pages(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        let isMissing = "!{ res.hdr(Access-Control-Allow-Origin) -m found }"
        switch facts.crossOrigin {
        case .off: break
        case .any:
            lines.note(facts.errorComment(.haproxy, "502, 503, 504"))
            lines.add("http-after-response set-header Access-Control-Allow-Origin * if \(isMissing)")
        case .list(let origins, let credentials):
            lines.note(facts.errorComment(.haproxy, "502, 503, 504"))
            lines.add(
                "http-request set-var(txn.page) req.hdr(Origin) if { req.hdr(Origin) -m str \(origins.joined(separator: " ")) }"
            )
            let condition = "if { var(txn.page) -m found } \(isMissing)"
            if credentials {
                lines.add("http-after-response set-header Access-Control-Allow-Credentials true \(condition)")
            }
            lines.add("http-after-response set-header Access-Control-Allow-Origin %[var(txn.page)] \(condition)")
        }
    }

    private static func servers(_ facts: ProxyFacts, isMulti: Bool, _ lines: inout ProxyLines) {
        if let admin = facts.admin {
            if isMulti {
                lines.note(
                    "/lbcheck answers 404 while a node ends: then new sessions go elsewhere, and requests that name the node "
                        + "still reach it.")
                lines.add("option httpchk GET /lbcheck", "http-check disable-on-404")
                lines.note(
                    "The checks ask the operator's listener, which has to listen where this proxy reaches it (admin).")
                lines.add(
                    ProxyFacts.nodes.map { name, address in
                        "server \(name) \(address):\(facts.port)\(options(facts)) check inter 2s port \(admin.port)"
                    })
                return
            }
            lines.note(
                "/healthz answers as long as Holdfast runs, also while it ends. /lbcheck is for several nodes (--multi): by its "
                    + "404 HAProxy would keep all requests from the only one.")
            lines.add("option httpchk GET /healthz")
            for (index, place) in facts.places.enumerated() {
                let check =
                    index == 0
                    ? "check inter 2s addr \(admin.host) port \(admin.port)" : "track \(name(0, of: facts))"
                lines.add("server \(name(index, of: facts)) \(server(place))\(options(facts)) \(check)")
            }
        } else {
            let all =
                isMulti
                ? ProxyFacts.nodes.map { ($0.0, "\($0.1):\(facts.port)") }
                : facts.places.enumerated().map { (name($0, of: facts), server($1)) }
            lines.note("Only whether it takes connections is checked, because the operator's listener (admin) is off.")
            lines.add(all.map { "server \($0.0) \($0.1)\(options(facts)) check inter 2s" })
        }
    }

    private static func polling(_ facts: ProxyFacts, isMulti: Bool, _ lines: inout ProxyLines) {
        guard facts.pollingPath != nil else { return }
        lines.add("")
        lines.note("HTTP polling: its clients take the end of the connection for the end of the answer.")
        lines.block("backend holdfast-polling from holdfast", "") { lines in
            lines.add("http-after-response set-header Connection close")
            if isMulti { route(&lines, "field(1,-)") }
            backend(facts, &lines)
            servers(facts, isMulti: isMulti, &lines)
        }
    }

    private static func options(_ facts: ProxyFacts) -> String {
        (facts.wantsProxyHeader ? " send-proxy-v2-ssl" : "") + " pool-purge-delay \(facts.keptIdle / 2)s"
    }

    private static func name(_ index: Int, of facts: ProxyFacts) -> String {
        facts.places.count == 1 ? "holdfast" : "holdfast\(index + 1)"
    }

    private static func server(_ place: ListenAddress) -> String {
        if case .unix(let path) = place { "unix@\(path)" } else { ProxyFacts.authority(place) }
    }
}
