import CLinux
import Glibc

/// The socket options in use; all of them are whole numbers.
enum SocketOption: String {
    case reuseAddress = "SO_REUSEADDR"
    case ipv6Only = "IPV6_V6ONLY"
    case noDelay = "TCP_NODELAY"
    case keepAlive = "SO_KEEPALIVE"
    case keepAliveIdle = "TCP_KEEPIDLE"
    case keepAliveInterval = "TCP_KEEPINTVL"
    case keepAliveCount = "TCP_KEEPCNT"
    case notSentLowWater = "TCP_NOTSENT_LOWAT"
    case error = "SO_ERROR"

    /// - Throws: `setsockopt` failed, as for a TCP option on a Unix socket.
    func set(_ value: Int32, on socket: borrowing Descriptor) throws(SystemError) {
        try Syscalls.setOption(socket.number, level: level, name: name, to: value)
    }

    /// - Throws: `getsockopt` failed.
    func value(of socket: borrowing Descriptor) throws(SystemError) -> Int32 {
        try Syscalls.option(socket.number, level: level, name: name)
    }

    private var level: Int32 {
        switch self {
        case .reuseAddress, .keepAlive, .error: SOL_SOCKET
        case .ipv6Only: Int32(IPPROTO_IPV6)
        case .noDelay, .keepAliveIdle, .keepAliveInterval, .keepAliveCount, .notSentLowWater:
            Int32(IPPROTO_TCP)
        }
    }

    private var name: Int32 {
        switch self {
        case .reuseAddress: SO_REUSEADDR
        case .ipv6Only: IPV6_V6ONLY
        case .noDelay: TCP_NODELAY
        case .keepAlive: SO_KEEPALIVE
        case .keepAliveIdle: TCP_KEEPIDLE
        case .keepAliveInterval: TCP_KEEPINTVL
        case .keepAliveCount: TCP_KEEPCNT
        case .notSentLowWater: TCP_NOTSENT_LOWAT
        case .error: SO_ERROR
        }
    }
}
