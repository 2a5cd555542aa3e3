/// What a stream that is to be opened is for.
package struct StreamRequest: Sendable, Equatable {
    /// The served domain, as the operator wrote it.
    package let domain: String
    /// Where the client asked to be connected to instead: `HOST:PORT`, one of those that are allowed (`S-18`).
    package let route: String?
    /// The account that the client calls its own, as `localpart@domainpart`; nil when it did not say.
    package let account: PeerText?
    /// `xml:lang` of the request, if any.
    package let language: String?

    /// A request of its parts.
    package init(
        domain: String, route: String? = nil, account: PeerText? = nil, language: String?
    ) {
        self.domain = domain
        self.route = route
        self.account = account
        self.language = language
    }
}
