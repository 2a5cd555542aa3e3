/// What all connections of one listener have in common: one object for all of them, so that none carries a copy.
package final class HTTPRules: Sendable {
    let limits: HTTPLimits
    let crossOrigin: CrossOriginPolicy

    /// `crossOrigin` is applied to every answer, refusals included.
    package init(limits: HTTPLimits, crossOrigin: CrossOriginPolicy = .off) {
        self.limits = limits
        self.crossOrigin = crossOrigin
    }
}
