/// What the operator allows a client of the WebSocket, and how long this program waits for it.
package struct WebSocketPolicy: Sendable, Equatable {
    /// The longest time in which nothing is sent: then a ping goes out (`W-36`). Zero for no pings of this kind.
    package var pingInterval: Duration
    /// The time a client has from the handshake to its `<open/>` (`W-48`).
    package var openTimeout = Duration.seconds(15)
    /// How long the server's stream may take until the client is greeted without it: xmpp.js waits two seconds
    /// (`W-04`).
    package var greetingTime = Duration.milliseconds(1_500)
    /// How much longer than `pingInterval` a client may be silent that was sent a ping (`W-37`).
    package var silence = Duration.seconds(20)
    /// The shortest time between two pings that ask for the receipt of stanzas (`W-38`).
    package var proofInterval = Duration.seconds(2)
    /// The time from the handshake until the server accepts the login; nil for no limit.
    package var loginTimeout: Duration?
    /// The time from when the server offers to register an account.
    package var registrationTimeout: Duration
    /// The bytes that may wait for the client, or for the proof that they came, before its server is no longer read
    /// (`W-47`).
    package var outboundBound: Int
    /// The bytes of stanzas that may wait for the stream to open.
    package var inboundBound: Int

    /// A policy made of its parts.
    package init(
        pingInterval: Duration, loginTimeout: Duration?, registrationTimeout: Duration, outboundBound: Int,
        inboundBound: Int
    ) {
        self.pingInterval = pingInterval
        self.loginTimeout = loginTimeout
        self.registrationTimeout = registrationTimeout
        self.outboundBound = outboundBound
        self.inboundBound = inboundBound
    }
}
