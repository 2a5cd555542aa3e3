/// Where a new stream is to lead, and for whom.
package struct StreamRequest: Sendable, Equatable {
    /// The served domain, as the operator wrote it.
    package let domain: String
    /// `HOST:PORT` that the client asked to be connected to instead, one of those that are allowed (`S-18`).
    package let route: String?
    /// The account that the client gave as its own, as `localpart@domainpart`; nil when it gave none.
    package let account: PeerText?
    /// `xml:lang` of the request, if any.
    package let language: String?

    /// A request made of its parts.
    package init(
        domain: String, route: String? = nil, account: PeerText? = nil, language: String?
    ) {
        self.domain = domain
        self.route = route
        self.account = account
        self.language = language
    }
}
