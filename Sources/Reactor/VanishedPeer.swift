/// How the kernel finds out that the other end of a TCP connection is gone without having said so: its machine lost power, or
/// a firewall forgot the connection. Otherwise bytes would be taken for such a peer for a quarter of an hour.
enum VanishedPeer {
    /// Ends connections of `socket`, or those that it will accept, on which what was sent stays unacknowledged, or the peer
    /// takes nothing, for a little longer than `time` (`TCP_USER_TIMEOUT`, in milliseconds); and asks a peer that is silent
    /// whether it still stands.
    ///
    /// A little longer, because whoever knows that bytes wait can say more about the end than the kernel, and comes first.
    ///
    /// - Throws: it is not a TCP socket.
    static func notice(on socket: borrowing Descriptor, within time: Duration) throws(SystemError) {
        try SocketOption.userTimeout.set(Poller.milliseconds(time + grace), on: socket)
        try SocketOption.keepAlive.set(1, on: socket)
        try SocketOption.keepAliveIdle.set(silence, on: socket)
        try SocketOption.keepAliveInterval.set(interval, on: socket)
        try SocketOption.keepAliveCount.set(probes, on: socket)
    }

    private static let grace = Duration.seconds(3)
    /// Seconds of silence before the first question: within the time for which firewalls and balancers keep a connection.
    private static let silence: Int32 = 60
    /// Seconds between questions.
    private static let interval: Int32 = 15
    /// How many questions without an answer end the connection.
    private static let probes: Int32 = 3
}
