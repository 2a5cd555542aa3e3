/// What all connections of one listener have in common: one object, so that no connection has a copy.
package final class HTTPRules: Sendable {
    let limits: HTTPLimits
    let crossOrigin: CrossOriginPolicy
    let captures: CapturedField

    /// `crossOrigin` applies to every answer, refusals included. `captures` names the field that
    /// `RequestHead.forwarded` holds.
    package init(limits: HTTPLimits, crossOrigin: CrossOriginPolicy = .off, captures: CapturedField = .none) {
        self.limits = limits
        self.crossOrigin = crossOrigin
        self.captures = captures
    }
}
