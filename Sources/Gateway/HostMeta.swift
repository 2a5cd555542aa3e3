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
    func response(_ urls: [String]) -> HTTPResponse {
        var response =
            switch self {
            case .xrd:
                // XEP-0156 gives its type no charset; the XML declaration names the encoding.
                HTTPResponse(
                    status: .ok, contentType: .other("application/xrd+xml"), body: Array(Self.xrd(urls).utf8))
            case .json:
                HTTPResponse(status: .ok, contentType: .json, body: Array(Self.json(urls).utf8))
            }
        response.isForEveryPage = true
        return response
    }

    private static let relation = "urn:xmpp:alt-connections:xbosh"

    private static func xrd(_ urls: [String]) -> String {
        let links = urls.map { "  <Link rel='\(relation)' href='\(markup($0))'/>\n" }.joined()
        return "<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
            + links + "</XRD>\n"
    }

    /// A URL as JSON text. URLs of the settings contain no byte that JSON has to escape.
    private static func json(_ urls: [String]) -> String {
        let links = urls.map { "{\"rel\":\"\(relation)\",\"href\":\"\($0)\"}" }.joined(separator: ",")
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
