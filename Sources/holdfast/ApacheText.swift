import Addresses
import HTTPWire
import Settings

/// Writes a configuration of Apache's httpd.
enum ApacheText {
    /// The file.
    static func text(_ facts: ProxyFacts) -> String {
        var lines = ProxyLines()
        facts.head(
            of: .apache, version: " 2.4.47 or later",
            "For a file in /etc/apache2/sites-available/, with your certificate: a2enmod ssl headers proxy_http.",
            &lines)
        lines.note(
            "WARNING: Apache does not notice that a client goes while its poll is held. What comes for an aborted poll is kept "
                + "only for a client that asks again with the same rid; one that goes on with the next rid has lost it, unless "
                + "it says what it has received (ack). nginx, HAProxy and Caddy pass the end on.")
        lines.notes([""])
        lines.note(
            "It needs mpm_event, and every held poll and every WebSocket takes one of its threads: raise MaxRequestWorkers "
                + "(Debian: 150) to more than the polls and WebSockets of all users. Apache leaves Expect: 100-continue to "
                + "Holdfast, which answers it. It checks no health: the admin listener has another port, which it cannot ask."
        )
        lines.add("")
        lines.block("<VirtualHost *:443>", "</VirtualHost>") { lines in
            lines.add(
                "ServerName \(facts.host)", "SSLEngine on", "SSLCertificateFile /etc/ssl/\(facts.host)/fullchain.pem",
                "SSLCertificateKeyFile /etc/ssl/\(facts.host)/privkey.pem", "SSLProtocol -all +TLSv1.2 +TLSv1.3")
            lines.note("Cookies of a site can be long. Holdfast takes heads of 32 KiB.")
            lines.add("LimitRequestFieldSize 16380")
            lines.note("An idle connection of a client. It takes no thread.")
            lines.add("KeepAliveTimeout 60", "")
            lines.note(facts.timeoutReason)
            lines.add("ProxyTimeout \(facts.readTimeout)")
            lines.note("Holdfast sees the name that clients ask for.")
            lines.add("ProxyPreserveHost On")
            passes(facts, &lines)
            lines.add("")
            lines.block("<LocationMatch \"\(facts.pattern)\">", "</LocationMatch>") { fields(facts, &$0) }
            if let path = facts.pollingPath {
                lines.add("")
                lines.note("HTTP polling: its clients take the end of the connection for the end of the answer.")
                let pattern = ProxyFacts.pattern([ProxyFacts.trimmed(path)])
                lines.add("SetEnvIf Request_URI \"\(pattern)\" nokeepalive")
                lines.block("<LocationMatch \"\(pattern)\">", "</LocationMatch>") { lines in
                    client(facts, &lines)
                    lines.add("LimitRequestBody \(facts.maxBody)")
                }
            }
        }
        return lines.text
    }

    private static func passes(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.note(
            "`ttl` is shorter than idle-timeout (\(facts.idleTimeout) s), so that Apache closes an idle connection, never "
                + "Holdfast.")
        lines.add(pass(facts.path, facts, " flushpackets=on"))
        lines.note("Apache makes a tunnel of what Holdfast accepts as a WebSocket.")
        lines.add(facts.webSocketPaths.map { pass($0, facts, " upgrade=websocket") })
        lines.note("host-meta, which says where the endpoints are (public-url, public-websocket-url).")
        lines.add(ProxyFacts.hostMeta.map { pass($0, facts) })
        if let path = facts.pollingPath { lines.add(pass(path, facts)) }
    }

    /// The line for a path. Only the first of several addresses can be used.
    private static func pass(_ path: String, _ facts: ProxyFacts, _ more: String = "") -> String {
        var target = "http://\(ProxyFacts.authority(facts.places[0]))"
        if case .unix(let socket) = facts.places[0] { target = "unix:\(socket)|http://localhost" }
        return "ProxyPass \"\(path)\" \"\(target)\(path)\" ttl=\(facts.keptIdle) connectiontimeout=5\(more)"
    }

    private static func fields(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        client(facts, &lines)
        lines.note("As large as max-body.")
        lines.add("LimitRequestBody \(facts.maxBody)")
        let isMissing = "-z resp('Access-Control-Allow-Origin')"
        switch facts.crossOrigin {
        case .off: break
        case .any:
            lines.note(facts.errorComment(.apache, "413, 502, 503"))
            lines.add("Header always set Access-Control-Allow-Origin \"*\" \"expr=\(isMissing)\"")
        case .list(let origins, let credentials):
            lines.note(facts.errorComment(.apache, "413, 502, 503"))
            let list = origins.map { "'\($0)'" }.joined(separator: ", ")
            let condition = "expr=\(isMissing) && req('Origin') in {\(list)}"
            if credentials {
                lines.add("Header always set Access-Control-Allow-Credentials \"true\" \"\(condition)\"")
            }
            lines.add("Header always set Access-Control-Allow-Origin \"expr=%{req:Origin}\" \"\(condition)\"")
        }
    }

    private static func client(_ facts: ProxyFacts, _ lines: inout ProxyLines) {
        lines.notes(facts.clientComment)
        switch facts.givenAddress {
        case .none, .xForwardedFor: lines.note("Apache adds X-Forwarded-For by itself.")
        case .xRealIP: lines.add("RequestHeader set X-Real-IP \"expr=%{REMOTE_ADDR}\"")
        case .forwarded:
            lines.add("RequestHeader set Forwarded \"expr=for=\\\"%{REMOTE_ADDR}\\\";proto=%{REQUEST_SCHEME}\"")
        }
        if facts.givesScheme { lines.add("RequestHeader set X-Forwarded-Proto \"expr=%{REQUEST_SCHEME}\"") }
    }
}
