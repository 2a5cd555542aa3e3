/// The operator's rules for the streams to the servers of one site. They are made once for each site.
package struct UpstreamRules: Sendable {
    /// A place that a server may send its clients to.
    package struct Place: Sendable, Equatable {
        /// A host name in lower case or a numeric address, as a server may write it.
        package var host: String
        /// The TCP port.
        package var port: UInt16
        /// The target that is connected to then.
        package var target: UpstreamTarget

        /// Creates a place from its parts.
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
    /// Whether strangers name the domains: then only public addresses are connected to, and few servers are tried.
    package var isOpenProxy = false
    /// Whether servers are told the browser's address (PROXY protocol): a refusal may then be meant for that browser
    /// alone.
    package var tellsClientAddress = false
    /// Whether the servers are looked up in the DNS.
    package var usesDNS = false
    /// Where a server may send its clients to (RFC 6120 §4.9.3.19).
    package var redirects: [Place] = []
    /// The time for connection, TLS and features together, for all targets. It also limits a restart, and the answer to
    /// a request to compress.
    package var connectTimeout: Duration
    /// How long a server may accept none of the bytes that wait for it.
    package var writeTimeout: Duration
    /// How long a server may take to finish an element that it has begun.
    package var stanzaTimeout: Duration
    /// After how long without a byte to the server a space is sent (`X-17`); whole seconds, 65,535 at most.
    package var keepalive: Duration
    /// How many bytes of stanzas that go back to their senders may wait for the server before it is not read any more.
    package var mostReturning = 1_048_576

    /// Creates the rules of a site; what has a default is set afterwards.
    package init(
        tls: TLSMode, connectTimeout: Duration, writeTimeout: Duration, stanzaTimeout: Duration, keepalive: Duration
    ) {
        self.tls = tls
        self.connectTimeout = connectTimeout
        self.writeTimeout = writeTimeout
        self.stanzaTimeout = stanzaTimeout
        self.keepalive = keepalive
    }

    /// The machine for a new stream over a connection with this protection.
    func stream(_ tls: TLSMode) -> StreamMachine {
        StreamMachine(tls: tls, compresses: compresses, naming: naming)
    }

    /// How many servers are tried for one stream at most.
    var mostTargets: Int { isOpenProxy ? Self.mostStrangeTargets : ConnectPlan.mostServiceTargets }

    /// Whether a port may be connected to. Ports below 1024 are closed to strangers, because other services listen
    /// there. The exception is the port of HTTPS, where XMPP servers listen to be reachable through firewalls.
    func allows(port: UInt16) -> Bool { !isOpenProxy || port >= 1_024 || port == 443 }

    /// The target for the text of a `<see-other-host/>`; nil when the operator does not allow it.
    func redirect(to text: String) -> UpstreamTarget? {
        guard let address = RedirectAddress(text) else { return nil }
        let port = address.port ?? Self.defaultPort
        return redirects.first { $0.host == address.host && $0.port == port }?.target
    }

    /// How many servers are tried for a stranger's domain in one request.
    private static let mostStrangeTargets = 4

    /// The port of a server for which none is named (RFC 6120 §14.7).
    private static let defaultPort: UInt16 = 5222
}
