/// What all connections of one listener have in common: one object, so that no connection has a copy.
package final class HTTPRules {
    private(set) var limits: HTTPLimits
    private(set) var crossOrigin: CrossOriginPolicy
    let captures: CapturedField
    /// Whether `X-Forwarded-Proto` is read.
    let capturesScheme: Bool
    /// Whether `Referer` and `User-Agent` are kept, for a log.
    let keepsAgents: Bool

    /// `crossOrigin` applies to every answer, refusals included. `captures` names the field that
    /// `RequestHead.forwarded` holds, and `capturesScheme` whether there is a `RequestHead.forwardedScheme`.
    /// `keepsAgents`: whether `RequestHead.referer` and `.agent` are filled.
    package init(
        limits: HTTPLimits, crossOrigin: CrossOriginPolicy = .off, captures: CapturedField = .none,
        capturesScheme: Bool = false, keepsAgents: Bool = false
    ) {
        self.capturesScheme = capturesScheme
        self.limits = limits
        self.crossOrigin = crossOrigin
        self.captures = captures
        self.keepsAgents = keepsAgents
    }

    /// Takes other rules for bodies and for pages, on all connections at once.
    ///
    /// - Parameters:
    ///   - body: The longest body in bytes.
    ///   - crossOrigin: If it is a list, it begins with the origins of the present one: a request that is held remembers
    ///     the place of its origin.
    package func change(body: Int, crossOrigin: CrossOriginPolicy) {
        limits.body = max(body, 0)
        self.crossOrigin = crossOrigin
    }
}
