import HTTPWire

/// The page for people on the operator's listener. Its script asks `/stats` every two seconds; without JavaScript it has
/// the numbers of the moment at which it was loaded.
///
/// The page loads its style and its script from the listener, and nothing from elsewhere.
enum StatusPage {
    static let stylePath = "/status.css"
    static let scriptPath = "/status.js"

    /// The page with these numbers.
    static func response(_ samples: [Sample]) -> HTTPResponse {
        HTTPResponse(
            status: .ok, contentType: .html,
            fields: [
                ("Content-Security-Policy", contentPolicy), ("Referrer-Policy", "no-referrer"),
                ("X-Robots-Tag", "noindex"),
            ], body: Array(page(samples).utf8))
    }

    /// The script of the page.
    static let script = HTTPResponse(
        status: .ok, contentType: .other("text/javascript; charset=utf-8"), body: Array(scriptText.utf8))

    /// The style of the page.
    static let style = HTTPResponse(
        status: .ok, contentType: .other("text/css; charset=utf-8"), body: Array(styleText.utf8))

    /// The icon is an empty picture inside the page, so that the browser asks for none.
    private static let contentPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// A number that stands large, and those that explain it.
    private struct Card {
        let title: String
        /// The path of the large number in `/stats`, or the name of one that the script computes.
        let value: String
        var notes: [(String, String)] = []
    }

    private static let cards = [
        Card(
            title: "Sessions", value: "sessions/now",
            notes: [
                ("sessions/opening", "opening"), ("sessions/not_logged_in", "not logged in"),
                ("websockets/now", "over WebSocket"), ("polling/now", "over polling"),
            ]),
        Card(
            title: "Held requests", value: "sessions/held_requests",
            notes: [("=aborted", "aborted in a minute"), ("=repeats", "repeated in a minute")]),
        Card(title: "Connections", value: "http/connections_now", notes: [("sessions/addresses", "addresses")]),
        Card(
            title: "Streams to servers", value: "upstream/streams_now", notes: [("=connects", "connects in a minute")]),
        Card(title: "Requests/s", value: "=requests", notes: [("http/requests", "ever")]),
        Card(title: "Stanzas/s to clients", value: "=stanzas_in", notes: [("=stanzas_out", "/s to servers")]),
        Card(title: "To clients", value: "=bytes_out", notes: [("=bytes_in", "from clients")]),
        Card(title: "Ended in a minute", value: "=ended", notes: [("=refused", "refused in a minute")]),
    ]

    private static let tables = [
        ("limits", "Limits"), ("latency", "Latency in the last minute"), ("servers", "Servers"),
        ("domains", "Domains"), ("ends", "Why sessions ended"), ("failures", "Failures of streams"),
        ("workers", "Workers"),
    ]

    private static func page(_ samples: [Sample]) -> String {
        var numbers: [String: String] = [:]
        for sample in samples {
            let text =
                switch sample.value {
                case .whole(let whole): "\(whole)"
                case .real(let real): "\(real)"
                case .text(let text): HostMeta.markup(text)
                }
            numbers[sample.path.joined(separator: "/")] = text
        }
        func cell(_ path: String, _ element: String) -> String {
            "<\(element) data-v=\"\(path)\">\(numbers[path] ?? "–")</\(element)>"
        }
        let cards = cards.map { card in
            let notes = card.notes.map { "<li>\(cell($0.0, "b")) \($0.1)</li>" }.joined()
            return "<section class=\"card\"><h2>\(card.title)</h2>\(cell(card.value, "p"))<ul>\(notes)</ul></section>"
        }.joined(separator: "\n")
        let tables = tables.map { id, title in
            "<section class=\"table\" id=\"\(id)\" hidden><h2>\(title)</h2><div><table></table></div></section>"
        }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Holdfast</title>
            <meta name="robots" content="noindex">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="data:,"><link rel="stylesheet" href="\(stylePath)">
            <script src="\(scriptPath)" defer></script></head><body>
            <header><h1>Holdfast</h1><span>\(cell("version", "span"))</span><span id="state" role="status">as of loading</span>
            <span>up <span data-v="=uptime">\(numbers["uptime_seconds"] ?? "–") s</span></span></header>
            <noscript><p class="note">Without JavaScript these are the numbers of the moment at which the page was loaded.
            All numbers are in <a href="/stats">/stats</a> and <a href="/metrics">/metrics</a>.</p></noscript>
            <main>
            <div class="cards">
            \(cards)
            </div>
            <div class="tables">
            \(tables)
            </div>
            </main>
            <footer><a href="/stats">/stats</a> <a href="/metrics">/metrics</a> <a href="/readyz">/readyz</a></footer>
            </body></html>

            """
    }
}
