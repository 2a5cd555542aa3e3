import Addresses
import HTTPWire
import Settings

/// The page for a person who opens the BOSH address in a browser (`H-20`). It says that the service works, with which
/// limits, and over which scheme.
///
/// The page repeats nothing of the request, and it cannot load or run anything.
enum HumanPage {
    /// The page for an endpoint with these settings, asked for over this scheme.
    static func response(_ settings: Settings, _ scheme: ClientScheme) -> HTTPResponse {
        HTTPResponse(
            status: .ok, contentType: .html,
            fields: [
                ("Content-Security-Policy", contentPolicy), ("Referrer-Policy", "no-referrer"),
                ("X-Robots-Tag", "noindex"),
            ], body: Array(page(settings, scheme).utf8))
    }

    private static func page(_ settings: Settings, _ scheme: ClientScheme) -> String {
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
        \(words(about: scheme, settings.publicURLs))
        </body></html>

        """
    }

    /// The scheme by which the endpoint is reached. Holdfast only knows what a trusted proxy says of it.
    private static func words(about scheme: ClientScheme, _ urls: [String]) -> String {
        if scheme == .https {
            return "<p>You came over https, as the proxy in front of this program says.</p>"
        }
        let plain = """
            <p>This program itself speaks plain HTTP. A web page that was loaded over https may only use an https address;
            """
        guard !urls.isEmpty else { return plain + " for that, put a proxy with TLS in front of this one.</p>" }
        let list = urls.map { "<code>\(HostMeta.markup($0))</code>" }.joined(separator: " or ")
        return plain + " here that is \(list).</p>"
    }

    /// Allows only this style, by its hash, and nothing else from anywhere.
    private static let contentPolicy =
        "default-src 'none'; style-src '\(styleHash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}\
        td,th{text-align:left;font-weight:normal;padding:.1em 1em .1em 0}
        """

    /// The SHA-256 of `style`; a test compares the two.
    private static let styleHash = "sha256-yuafXMa55ji5bG+qaWRyvwQbxV2j+LtL4Y2GjIi5kWI="
}
