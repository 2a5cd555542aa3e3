import Settings

/// Writes a configuration of nginx for several nodes: its script reads the node's name in the body of a request, and passes
/// the request on to that node's location.
enum NginxNodes {
    /// The file, with the script in a comment.
    static func text(_ facts: ProxyFacts) -> String {
        var lines = ProxyLines()
        facts.head(
            of: .nginx,
            "For a file in /etc/nginx/conf.d/, with your certificate, and with Debian's package libnginx-mod-http-js.",
            &lines)
        lines.note(NginxText.remarks)
        lines.notes([""])
        lines.note(ProxyFacts.nodesNote)
        lines.notes([""])
        lines.note("Put this into /etc/nginx/holdfast.js, without the signs of comment:")
        lines.notes(script.map { "    \($0)" })
        lines.add("", "js_import holdfast from /etc/nginx/holdfast.js;", "")
        for (name, address) in ProxyFacts.nodes {
            lines.block("upstream holdfast_\(name) {") { lines in
                lines.add(
                    "server \(address):\(facts.port);", "keepalive \(ProxyFacts.keptConnections);",
                    "keepalive_timeout \(facts.keptIdle)s;")
            }
        }
        lines.note("For new sessions, for WebSockets, and for sessions of a node that is gone.")
        lines.block("upstream holdfast_any {") { lines in
            lines.add("least_conn;")
            lines.add(ProxyFacts.nodes.map { "server \($0.1):\(facts.port);" })
            NginxText.pool(facts, &lines)
        }
        NginxText.maps(facts, &lines)
        lines.block("server {") { lines in
            NginxText.tls(facts, &lines)
            NginxText.forwarding(facts, &lines)
            NginxText.times(facts, &lines)
            lines.note("The script reads whole bodies, so they have to fit.")
            lines.add("client_body_buffer_size \(facts.maxBody);")
            doors(facts, &lines)
            lines.note("When a node is gone, any other one tells the client to log in again.")
            for (name, _) in ProxyFacts.nodes {
                lines.block("location @\(name) {") { lines in
                    lines.add("proxy_pass http://holdfast_\(name);", "error_page 502 = @any;")
                }
            }
            lines.block("location @any {") { $0.add("proxy_pass http://holdfast_any;") }
        }
        return lines.text
    }

    private static func doors(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.add("")
        lines.block("location ~ \(ProxyFacts.pattern([ProxyFacts.trimmed(facts.path)])) {") { lines in
            lines.add("js_content holdfast.route;")
        }
        if let path = facts.pollingPath {
            lines.note("HTTP polling: its clients take the end of the connection for the end of the answer.")
            lines.block("location ~ \(ProxyFacts.pattern([ProxyFacts.trimmed(path)])) {") { lines in
                lines.add("keepalive_timeout 0;", "js_content holdfast.route;")
            }
        }
        lines.note("A WebSocket is its session, so any node takes it. host-meta says where the endpoints are.")
        let others = facts.webSocketPaths.map(ProxyFacts.trimmed) + ProxyFacts.hostMeta
        lines.block("location ~ \(ProxyFacts.pattern(others)) {") { $0.add("proxy_pass http://holdfast_any;") }
    }

    /// The names are listed, because a location that does not exist would be a 500. A request of HTTP polling begins with
    /// the identifier of its session, and one of BOSH has it in its first element, which an XML declaration may precede.
    private static let script = [
        "var nodes = [\(ProxyFacts.nodes.map { "'\($0.0)'" }.joined(separator: ", "))];",
        "function route(r) {",
        "    var sid = /^(?:<?[^<]*<body[^>]*?\\ssid=[\"'])?([a-z0-9]{1,15})[.-][0-9]+[.-]/.exec(r.requestText || '');",
        "    r.internalRedirect(sid && nodes.indexOf(sid[1]) >= 0 ? '@' + sid[1] : '@any');",
        "}",
        "export default { route };",
    ]
}
