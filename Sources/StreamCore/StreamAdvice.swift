/// A setting about a server that is probably wrong, as a stream to the server suggests.
///
/// In each case the setting is `upstream-tls`. The advice is a guess: the server has not said so.
package enum StreamAdvice: String, Sendable, CaseIterable {
    /// The server demands TLS first, and the setting says not to encrypt: clients are offered no way to log in.
    case demandsTLS = "demands-tls"
    /// The server expects TLS from the first byte on, and this side sent a stream header.
    case expectsDirectTLS = "expects-direct-tls"
    /// This side sent a TLS handshake, and the server answered with something else.
    case expectsNoDirectTLS = "expects-no-direct-tls"
    /// The server offers no STARTTLS, or refuses it.
    case lacksStartTLS = "lacks-starttls"

    /// One line for an operator, with the setting to change.
    package var words: String {
        switch self {
        case .demandsTLS:
            "the server requires TLS before login, so clients cannot log in: upstream-tls has to be starttls, not none"
        case .expectsDirectTLS:
            "the server answers with TLS or closes at once: if it expects TLS from the first byte on, upstream-tls has "
                + "to be direct for this port"
        case .expectsNoDirectTLS:
            "the server does not speak TLS from the first byte on: upstream-tls has to be starttls for this port"
        case .lacksStartTLS:
            "the server has no STARTTLS: give it a certificate, or set upstream-tls to direct for a port that speaks TLS, "
                + "or to none if you trust the network up to the server"
        }
    }
}
