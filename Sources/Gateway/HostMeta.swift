import HTTPWire

/// The documents by which a client that knows only the domain finds the endpoint (XEP-0156, RFC 6415; `D-01`...`D-05`).
enum HostMeta {
    /// `/.well-known/host-meta`.
    case xrd
    /// `/.well-known/host-meta.json`.
    case json

    /// The document that a request asks for; nil when it asks for neither.
    init?(askedForBy head: RequestHead) {
        if head.isFor("/.well-known/host-meta") {
            self = .xrd
        } else if head.isFor("/.well-known/host-meta.json") {
            self = .json
        } else {
            return nil
        }
    }

    /// The document for endpoints at these URLs. Pages of every origin may read it (`D-04`).
    ///
    /// - Parameters:
    ///   - urls: the public addresses of the BOSH endpoint.
    ///   - webSockets: those of the WebSocket endpoint (`W-58`). They come last, because Converse takes the last link of
    ///     each kind, and prefers this kind.
    func response(_ urls: [String], webSockets: [String]) -> HTTPResponse {
        let links =
            urls.map { Link(relation: Self.bosh, url: $0) }
            + webSockets.map { Link(relation: Self.webSocket, url: $0) }
        var response =
            switch self {
            case .xrd:
                // XEP-0156 gives its type no charset; the XML declaration names the encoding.
                HTTPResponse(
                    status: .ok, contentType: .other("application/xrd+xml"), body: Array(Self.xrd(links).utf8))
            case .json:
                HTTPResponse(status: .ok, contentType: .json, body: Array(Self.json(links).utf8))
            }
        response.isForEveryPage = true
        return response
    }

    private struct Link {
        let relation: String
        let url: String
    }

    private static let bosh = "urn:xmpp:alt-connections:xbosh"
    private static let webSocket = "urn:xmpp:alt-connections:websocket"

    private static func xrd(_ links: [Link]) -> String {
        let links = links.map { "  <Link rel='\($0.relation)' href='\(markup($0.url))'/>\n" }.joined()
        return "<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
            + links + "</XRD>\n"
    }

    /// A URL as JSON text. URLs of the settings contain no byte that JSON has to escape.
    private static func json(_ links: [Link]) -> String {
        let links = links.map { "{\"rel\":\"\($0.relation)\",\"href\":\"\($0.url)\"}" }.joined(separator: ",")
        return "{\"links\":[\(links)]}\n"
    }

    /// A URL as text of XML or HTML. URLs of the settings contain no `<`, `>` or `"`.
    static func markup(_ url: String) -> String {
        var text = ""
        for character in url {
            switch character {
            case "&": text += "&amp;"
            case "'": text += "&#39;"
            default: text.append(character)
            }
        }
        return text
    }
}
