/// What all connections of one listener have in common: one object for all of them, so that none carries a copy.
package final class HTTPRules: Sendable {
    let limits: HTTPLimits
    let crossOrigin: CrossOriginPolicy
    let captures: CapturedField

    /// `crossOrigin` is applied to every answer, refusals included. `captures` is the field that `RequestHead.forwarded`
    /// holds.
    package init(limits: HTTPLimits, crossOrigin: CrossOriginPolicy = .off, captures: CapturedField = .none) {
        self.limits = limits
        self.crossOrigin = crossOrigin
        self.captures = captures
    }
}
