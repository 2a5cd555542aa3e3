/// What the operator has set for the streams to one site's servers. Made once for each site.
package struct UpstreamRules: Sendable {
    /// A place that a server may send its clients to.
    package struct Place: Sendable, Equatable {
        /// A host name in lower case or a numeric address, as a server may write it.
        package var host: String
        /// The TCP port.
        package var port: UInt16
        /// What is connected to then.
        package var target: UpstreamTarget

        /// A place of its parts.
        package init(host: String, port: UInt16, target: UpstreamTarget) {
            self.host = host
            self.port = port
            self.target = target
        }
    }

    /// How connections are protected.
    package var tls: TLSMode
    /// Whether streams are compressed with zlib where a server offers that (XEP-0138).
    package var compresses = false
    /// Where a stream's header may say who the client is.
    package var naming = ClientNaming.overTLS
    /// Whether the domains are named by strangers: then only public addresses are connected to, and few servers are tried.
    package var isOpenProxy = false
    /// Whether servers are told the browser's address (PROXY protocol): what such a server does then may be meant for that
    /// browser alone.
    package var tellsClientAddress = false
    /// Whether the servers stand in the DNS.
    package var usesDNS = false
    /// Where a server may send its clients to (RFC 6120 §4.9.3.19).
    package var redirects: [Place] = []
    /// The time for connection, TLS and features together, for all targets; and for a restart, and an answer to a request to
    /// compress.
    package var connectTimeout: Duration
    /// How long a server may accept no byte of those that wait for it.
    package var writeTimeout: Duration
    /// How long a server may take to end an element that it has begun.
    package var stanzaTimeout: Duration
    /// After how long without a byte to the server a space is sent (`X-17`); whole seconds, 65,535 at most.
    package var keepalive: Duration
    /// How many bytes of stanzas that go back to their senders may wait for the server before it is read no more.
    package var mostReturning = 1_048_576

    /// The rules of a site without anything that can be left out.
    package init(
        tls: TLSMode, connectTimeout: Duration, writeTimeout: Duration, stanzaTimeout: Duration, keepalive: Duration
    ) {
        self.tls = tls
        self.connectTimeout = connectTimeout
        self.writeTimeout = writeTimeout
        self.stanzaTimeout = stanzaTimeout
        self.keepalive = keepalive
    }

    /// The machine of a stream that begins, over a connection protected by `tls`.
    func stream(_ tls: TLSMode) -> StreamMachine {
        StreamMachine(tls: tls, compresses: compresses, naming: naming)
    }

    /// How many servers are tried for one stream.
    var mostTargets: Int { isOpenProxy ? Self.mostStrangeTargets : ConnectPlan.mostServiceTargets }

    /// Whether a port may be connected to. Strangers may have us connect to none of the ports below 1024, where other services
    /// are, but HTTPS's, which XMPP servers use to be reached through firewalls.
    func allows(port: UInt16) -> Bool { !isOpenProxy || port >= 1_024 || port == 443 }

    /// The target behind the text of a `<see-other-host/>`; nil when the operator does not allow it.
    func redirect(to text: String) -> UpstreamTarget? {
        guard let address = RedirectAddress(text) else { return nil }
        let port = address.port ?? Self.defaultPort
        return redirects.first { $0.host == address.host && $0.port == port }?.target
    }

    /// How many servers a stranger's domain may have us try for one request.
    private static let mostStrangeTargets = 4

    /// Where a server is that names no port (RFC 6120 §14.7).
    private static let defaultPort: UInt16 = 5222
}
