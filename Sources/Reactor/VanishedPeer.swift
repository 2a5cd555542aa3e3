/// How the kernel finds out that the other end of a silent TCP connection is gone without having said so: its machine lost
/// power, or a firewall forgot the connection.
///
/// `TCP_USER_TIMEOUT`, which would say the same of bytes that stay unacknowledged, is not set: it also ends the connection of a
/// peer that reads slowly through a small window. Whoever sends has to look at `StreamSocket.unacknowledgedCount` in time.
enum VanishedPeer {
    /// Ends connections of `socket`, or those that it will accept, whose peer has been silent for a while and does not answer
    /// when it is asked whether it still stands.
    ///
    /// - Throws: it is not a TCP socket.
    static func notice(on socket: borrowing Descriptor) throws(SystemError) {
        try SocketOption.keepAlive.set(1, on: socket)
        try SocketOption.keepAliveIdle.set(silence, on: socket)
        try SocketOption.keepAliveInterval.set(interval, on: socket)
        try SocketOption.keepAliveCount.set(probes, on: socket)
    }

    /// Seconds of silence before the first question: within the time for which firewalls and balancers keep a connection.
    private static let silence: Int32 = 60
    /// Seconds between questions.
    private static let interval: Int32 = 15
    /// How many questions without an answer end the connection.
    private static let probes: Int32 = 3
}
