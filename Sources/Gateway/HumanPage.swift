import HTTPWire
import Settings

/// What a person sees who opens the BOSH address in a browser (`H-20`): that it works, with which limits, and over which
/// scheme.
///
/// Nothing of the request is repeated in it, and it can load and run nothing.
enum HumanPage {
    /// The page for an endpoint with these settings.
    static func response(_ settings: Settings) -> HTTPResponse {
        HTTPResponse(
            status: .ok, contentType: .html,
            fields: [
                ("Content-Security-Policy", contentPolicy), ("Referrer-Policy", "no-referrer"),
                ("X-Robots-Tag", "noindex"),
            ], body: Array(page(settings).utf8))
    }

    private static func page(_ settings: Settings) -> String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>BOSH endpoint</title>
        <meta name="robots" content="noindex">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>\(style)</style></head><body>
        <h1>It works.</h1>
        <p>This is a BOSH endpoint: XMPP over HTTP, for chat clients (XEP-0124, XEP-0206). There is nothing more to see in
        a browser; give its address to your client.</p>
        <table>
        <tr><th>longest wait</th><td>\(settings.maxWait.components.seconds) s</td></tr>
        <tr><th>held requests of a session, at most</th><td>\(settings.maxHold)</td></tr>
        <tr><th>inactivity until a session ends</th><td>\(settings.inactivity.components.seconds) s</td></tr>
        <tr><th>longest pause</th><td>\(settings.maxpause.components.seconds) s</td></tr>
        <tr><th>shortest polling interval</th><td>\(settings.polling.components.seconds) s</td></tr>
        <tr><th>largest request</th><td>\(settings.maxBody) bytes, compressed or not</td></tr>
        </table>
        \(scheme(settings.publicURLs))
        </body></html>

        """
    }

    /// Over which scheme the endpoint is reached. What a proxy in front of it does cannot be seen from here.
    private static func scheme(_ urls: [String]) -> String {
        let plain = """
            <p>This program itself speaks plain HTTP. A web page that was loaded over https may only use an https address;
            """
        guard !urls.isEmpty else { return plain + " for that, put a proxy with TLS in front of this one.</p>" }
        let list = urls.map { "<code>\(HostMeta.markup($0))</code>" }.joined(separator: " or ")
        return plain + " here that is \(list).</p>"
    }

    /// Only this style, by its hash, and nothing else from anywhere.
    private static let contentPolicy =
        "default-src 'none'; style-src '\(styleHash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}\
        td,th{text-align:left;font-weight:normal;padding:.1em 1em .1em 0}
        """

    /// The SHA-256 of `style`; a test holds the two against each other.
    private static let styleHash = "sha256-yuafXMa55ji5bG+qaWRyvwQbxV2j+LtL4Y2GjIi5kWI="
}
