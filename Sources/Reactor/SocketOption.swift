import CLinux
import Glibc

/// The socket options used here, all of them whole numbers.
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
        let number = socket.number
        var value = value
        try Syscalls.check("setsockopt") {
            unsafe setsockopt(number, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// - Throws: `getsockopt` failed.
    func value(of socket: borrowing Descriptor) throws(SystemError) -> Int32 {
        let number = socket.number
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try Syscalls.check("getsockopt") { unsafe getsockopt(number, level, name, &value, &length) }
        return value
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
