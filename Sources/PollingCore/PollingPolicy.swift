/// What the operator allows a client over HTTP polling, and how long this program waits for it.
package struct PollingPolicy: Sendable, Equatable {
    /// The longest time that a request with content waits for the server to send something (`Q-26`).
    package var hold: Duration
    /// How long more it waits for what comes with that.
    package var settling = Duration.milliseconds(20)
    /// How long a client may send no request until its session ends (`Q-27`).
    package var inactivity: Duration
    /// The time from the first request until the client's stream header (`Q-30`).
    package var openTimeout = Duration.seconds(60)
    /// The time from the first request until the server accepts the login; nil for no limit.
    package var loginTimeout: Duration?
    /// The time from when the server offers to register an account.
    package var registrationTimeout: Duration
    /// How long the last answer of a session is kept for a repeat.
    package var lingering = Duration.seconds(10)
    /// How long an answer waits for a server that does not read what the client sends.
    package var congestionTime = Duration.seconds(10)
    /// The requests of one second that are answered at once (`Q-29`).
    package var mostInSecond = 10
    /// The bytes that may wait for the client or be kept for a repeat, before its server is no longer read (`Q-39`).
    package var outboundBound: Int
    /// The bytes of stanzas that may wait for the stream to open.
    package var inboundBound: Int

    /// A policy made of its parts.
    package init(
        hold: Duration, inactivity: Duration, loginTimeout: Duration?, registrationTimeout: Duration,
        outboundBound: Int, inboundBound: Int
    ) {
        self.hold = hold
        self.inactivity = inactivity
        self.loginTimeout = loginTimeout
        self.registrationTimeout = registrationTimeout
        self.outboundBound = outboundBound
        self.inboundBound = inboundBound
    }
}
