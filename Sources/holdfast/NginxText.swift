import Addresses
import HTTPWire
import Settings

/// Writes a configuration of nginx.
enum NginxText {
    /// The file for one Holdfast.
    static func text(_ facts: ProxyFacts) -> String {
        var lines = ProxyLines()
        facts.head(of: .nginx, "For a file in /etc/nginx/conf.d/, with your certificate.", &lines)
        lines.note(remarks)
        lines.add("")
        lines.block("upstream holdfast {") { lines in
            lines.add(facts.places.map { "server \(server($0));" })
            pool(facts, &lines)
        }
        maps(facts, &lines)
        lines.block("server {") { lines in
            tls(facts, &lines)
            lines.note("The endpoints, and host-meta, which says where they are (public-url, public-websocket-url).")
            lines.block("location ~ \(facts.pattern) {") { lines in
                lines.add("proxy_pass http://holdfast;")
                forwarding(facts, &lines)
                times(facts, &lines)
            }
            polling(facts, "http://holdfast", &lines)
        }
        return lines.text
    }

    static let remarks =
        "Every held request and every WebSocket takes two connections of a worker of nginx: raise worker_connections (Debian: "
        + "768) to more than twice the users of a worker. nginx passes the end of a client's connection on at once, so an "
        + "aborted poll loses nothing. It has no health checks of its own: a request that finds no Holdfast gets a 502."

    /// The connections that are kept for reuse.
    static func pool(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.note(
            "Idle connections that a worker keeps for reuse. With too few, nginx opens and closes one for a request, which "
                + "costs Holdfast as much as the request.")
        lines.add("keepalive \(ProxyFacts.keptConnections);")
        lines.note("Shorter than idle-timeout (\(facts.idleTimeout) s), so that nginx closes them, never Holdfast.")
        lines.add("keepalive_timeout \(facts.keptIdle)s;")
    }

    /// The variables that depend on the request and on the answer.
    static func maps(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.add("")
        lines.note("What a request for a WebSocket has in `Connection`. Others leave the connections for reuse open.")
        lines.block("map $http_upgrade $holdfast_connection {") { $0.add("default upgrade;", "\"\" \"\";") }
        guard facts.crossOrigin != .off else {
            lines.add("")
            return
        }
        lines.add("")
        lines.note(facts.errorComment(.nginx, "413, 502, 504") + " An empty field is not sent.")
        var origin = "\"*\""
        if case .list(let origins, _) = facts.crossOrigin {
            origin = "$holdfast_page"
            lines.block("map $http_origin $holdfast_page {") { lines in
                lines.add("default \"\";")
                lines.add(origins.map { "\"\($0)\" $http_origin;" })
            }
        }
        lines.block("map $upstream_http_access_control_allow_origin $holdfast_origin {") { lines in
            lines.add("default \"\";", "\"\" \(origin);")
        }
        if case .list(_, credentials: true) = facts.crossOrigin {
            lines.block("map $holdfast_origin $holdfast_credentials {") { $0.add("default true;", "\"\" \"\";") }
        }
        lines.add("")
    }

    /// Where clients connect.
    static func tls(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.add(
            "listen 443 ssl http2;", "listen [::]:443 ssl http2;", "server_name \(facts.host);",
            "ssl_certificate /etc/ssl/\(facts.host)/fullchain.pem;",
            "ssl_certificate_key /etc/ssl/\(facts.host)/privkey.pem;",
            "ssl_protocols TLSv1.2 TLSv1.3;")
        lines.note("Cookies of a site can be long. Holdfast takes heads of 32 KiB.")
        lines.add("large_client_header_buffers 4 16k;", "")
    }

    /// What a request takes along.
    static func forwarding(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.note("Connections are reused only with HTTP/1.1 and without `Connection: close`.")
        lines.add(
            "proxy_http_version 1.1;", "proxy_set_header Connection $holdfast_connection;",
            "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Host $host;")
        client(facts, &lines)
    }

    private static func client(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.notes(facts.clientComment)
        switch facts.givenAddress {
        case .none, .xForwardedFor: lines.add("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
        case .xRealIP: lines.add("proxy_set_header X-Real-IP $remote_addr;")
        case .forwarded: lines.add("proxy_set_header Forwarded 'for=\"$remote_addr\";proto=$scheme';")
        }
        if facts.givesScheme { lines.add("proxy_set_header X-Forwarded-Proto $scheme;") }
    }

    /// How long and how much.
    static func times(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.note(facts.timeoutReason)
        lines.add(
            "proxy_connect_timeout 5s;", "proxy_read_timeout \(facts.readTimeout)s;",
            "proxy_send_timeout \(facts.readTimeout)s;")
        lines.note("Answers are sent as they come.")
        lines.add("proxy_buffering off;")
        lines.note("When a client goes, nginx closes the connection to Holdfast: the default, which must stay.")
        lines.add("proxy_ignore_client_abort off;")
        lines.note("As large as max-body.")
        lines.add("client_max_body_size \(facts.maxBody);")
        guard facts.crossOrigin != .off else { return }
        lines.add("add_header Access-Control-Allow-Origin $holdfast_origin always;")
        if case .list(_, credentials: true) = facts.crossOrigin {
            lines.add("add_header Access-Control-Allow-Credentials $holdfast_credentials always;")
        }
    }

    /// The endpoint of HTTP polling, if there is one.
    static func polling(_ facts: ProxyFacts, _ target: String, _ lines: inout ProxyLines) {
        guard let path = facts.pollingPath else { return }
        lines.add("")
        lines.note("HTTP polling: its clients take the end of the connection for the end of the answer.")
        lines.block("location ~ \(ProxyFacts.pattern([ProxyFacts.trimmed(path)])) {") { lines in
            lines.add(
                "keepalive_timeout 0;", "proxy_pass \(target);", "proxy_http_version 1.1;",
                "proxy_set_header Connection \"\";", "proxy_set_header Host $host;")
            client(facts, &lines)
            lines.add(
                "proxy_read_timeout \(facts.readTimeout)s;", "proxy_buffering off;",
                "client_max_body_size \(facts.maxBody);")
        }
    }

    private static func server(_ place: ListenAddress) -> String {
        if case .unix(let path) = place { "unix:\(path)" } else { ProxyFacts.authority(place) }
    }
}
