import BOSHCore
import HTTPWire

/// What a person sees who opens the BOSH address in a browser (`H-20`): that it works, and with which limits.
///
/// Nothing of the request is repeated in it.
enum HumanPage {
    /// The page for the endpoint at `path`.
    static func response(path: String, policy: borrowing SessionPolicy) -> HTTPResponse {
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>BOSH endpoint</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}
            td,th{text-align:left;padding:.1em 1em .1em 0}</style></head><body>
            <h1>It works.</h1>
            <p>This is a BOSH endpoint: XMPP over HTTP, for chat clients. There is nothing more to see in a browser;
            point your client at this address.</p>
            <table>
            <tr><th>longest wait</th><td>\(policy.maxWait.components.seconds) s</td></tr>
            <tr><th>held requests, at most</th><td>\(policy.maxHold)</td></tr>
            <tr><th>inactivity</th><td>\(policy.inactivity.components.seconds) s</td></tr>
            </table>
            <p>A page that was loaded over https can only use an endpoint that is reached over https.</p>
            </body></html>

            """
        return HTTPResponse(
            status: .ok, contentType: .html,
            fields: [
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("X-Robots-Tag", "noindex"),
            ], body: Array(page.utf8))
    }
}
