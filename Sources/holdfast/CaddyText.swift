import Addresses
import HTTPWire
import Settings

/// Writes a configuration of Caddy.
enum CaddyText {
    /// The file.
    static func text(_ facts: ProxyFacts) -> String {
        var lines = ProxyLines(indent: "\t")
        facts.head(
            of: .caddy, version: " 2.6 or later",
            "For /etc/caddy/Caddyfile, with your certificate; without the line `tls` Caddy gets one by itself.", &lines)
        lines.note(
            "Caddy passes the end of a client's connection on at once, so an aborted poll loses nothing. With flush_interval "
                + "-1 it does not: never set that. Caddy leaves Expect: 100-continue to Holdfast, which answers it.")
        lines.add("")
        lines.block("\(facts.host) {") { lines in
            lines.add("tls /etc/ssl/\(facts.host)/fullchain.pem /etc/ssl/\(facts.host)/privkey.pem", "")
            lines.note("The endpoints, and host-meta, which says where they are (public-url, public-websocket-url).")
            lines.add("@holdfast path \(ProxyFacts.spellings(facts.paths))")
            lines.block("handle @holdfast {") { pass(facts, &$0) }
            if let path = facts.pollingPath {
                lines.note("HTTP polling: its clients take the end of the connection for the end of the answer.")
                lines.add("@polling path \(ProxyFacts.spellings([ProxyFacts.trimmed(path)]))")
                lines.block("handle @polling {") { lines in
                    lines.add("header Connection close")
                    pass(facts, &lines)
                }
            }
            errors(facts, &lines)
        }
        return lines.text
    }

    private static func pass(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.note(
            "As large as max-body. A body that is announced as larger is refused before Holdfast hears of it: Caddy would make "
                + "a 502 of Holdfast's 413 whenever it cannot send the rest of the body. max_size stops bodies without a "
                + "length.")
        let length = "{header.Content-Length}"
        lines.add("@large expression `\(length) != \"\" && int(\(length)) > \(facts.maxBody)`", "error @large 413")
        lines.block("request_body {") { $0.add("max_size \(facts.maxBody)") }
        lines.notes(facts.clientComment)
        if facts.givenAddress == .xForwardedFor { lines.note("Caddy sets both fields by itself.") }
        lines.block("reverse_proxy \(facts.places.map(upstream).joined(separator: " ")) {") { lines in
            switch facts.givenAddress {
            case .none, .xForwardedFor: break
            case .xRealIP: lines.add("header_up X-Real-IP {remote_host}")
            case .forwarded: lines.add("header_up Forwarded `for=\"{remote_host}\";proto={scheme}`")
            }
            if let admin = facts.admin, sharesHost(facts, admin.host) {
                lines.note("While Holdfast is gone, requests are answered with 503 at once.")
                lines.add("health_uri /healthz", "health_port \(admin.port)", "health_interval 5s")
            }
            lines.block("transport http {") { lines in
                lines.add("dial_timeout 5s")
                lines.note(facts.timeoutReason)
                lines.add("response_header_timeout \(facts.readTimeout)s")
                lines.note(
                    "Shorter than idle-timeout (\(facts.idleTimeout) s), so that Caddy closes it, never Holdfast.")
                lines.add(
                    "keepalive \(facts.keptIdle)s",
                    "keepalive_idle_conns_per_host \(ProxyFacts.keptConnections)")
            }
        }
    }

    private static func errors(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        let comment = "Pages of other origins must be able to read Caddy's own errors (413, 502, 503, 504) too."
        switch facts.crossOrigin {
        case .off: return
        case .any:
            lines.note(comment)
            lines.block("handle_errors {") { lines in
                lines.add("header Access-Control-Allow-Origin *", "respond \"\" {http.error.status_code}")
            }
        case .list(let origins, let credentials):
            lines.note(comment)
            lines.block("handle_errors {") { lines in
                let list = origins.map { "`\($0)`" }.joined(separator: ", ")
                lines.add("@listed expression {header.Origin} in [\(list.replacing("`", with: "\""))]")
                lines.add("header @listed Access-Control-Allow-Origin {header.Origin}")
                if credentials { lines.add("header @listed Access-Control-Allow-Credentials true") }
                lines.add("respond \"\" {http.error.status_code}")
            }
        }
    }

    /// Whether Caddy's check, which asks the address of the requests at another port, reaches the operator's listener.
    private static func sharesHost(_ facts: ProxyFacts, _ admin: String) -> Bool {
        facts.places.allSatisfy { if case .tcp(admin, _) = $0 { true } else { false } }
    }

    private static func upstream(_ place: ListenAddress) -> String {
        if case .unix(let path) = place { "unix/\(path)" } else { ProxyFacts.authority(place) }
    }
}
