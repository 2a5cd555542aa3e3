/// The path of an endpoint that may be off.
package enum EndpointPath: Hashable, Sendable {
    case off
    /// Begins with one `/` and does not end with one, unless it is `/`.
    case path(String)

    /// Reads `off` or a path; nil for all else.
    init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if let path = endpointPath(text) {
            self = .path(path)
        } else {
            return nil
        }
    }
}
