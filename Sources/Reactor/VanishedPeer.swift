/// Makes the kernel find out when the peer of a silent TCP connection is gone without a message: its machine lost
/// power, or a firewall dropped the connection.
///
/// `TCP_USER_TIMEOUT` would do the same for unacknowledged bytes, but is not set: it also ends the connection of a peer
/// that reads slowly through a small window. A sender has to check `StreamSocket.unacknowledgedCount` in time.
enum VanishedPeer {
    /// Ends connections of `socket`, or those that it will accept, whose peer has been silent for a while and does not
    /// answer keep-alive probes.
    ///
    /// - Parameters:
    ///   - number: any number. Connections with different ones are probed at different times. Otherwise thousands of
    ///     connections that were made in the same second would be probed in the same instant, and the kernel drops what
    ///     comes to a loopback interface beyond `net.core.netdev_max_backlog` packets.
    /// - Throws: the socket is not a TCP socket.
    static func notice(on socket: borrowing Descriptor, number: UInt32 = 0) throws(SystemError) {
        try SocketOption.keepAlive.set(1, on: socket)
        try SocketOption.keepAliveIdle.set(longestSilence - Int32(number % spread), on: socket)
        try SocketOption.keepAliveInterval.set(interval, on: socket)
        try SocketOption.keepAliveCount.set(probes, on: socket)
    }

    /// Seconds of silence before the first probe: less than firewalls and balancers keep a connection.
    private static let longestSilence: Int32 = 60
    /// How many different numbers of seconds there are.
    private static let spread: UInt32 = 20
    /// Seconds between probes.
    private static let interval: Int32 = 8
    /// The number of unanswered probes that end the connection. There are so many because single ones are lost.
    private static let probes: Int32 = 6
}
