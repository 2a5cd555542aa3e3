import Glibc

/// A Unix socket that takes datagrams, such as a service manager's.
package final class DatagramSocket {
    private let path: String
    private let descriptor: Int32

    package init(path: String) throws {
        self.path = path
        descriptor = try Sockets.check(
            "socket", socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0))
        let descriptor = descriptor
        _ = try Sockets.withPath(path) { try Sockets.check("bind", bind(descriptor, $0, $1)) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// The lines of the next datagram that begins with one of these lines. Others are skipped.
    package func next(of firstLines: [String]) throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        var lines: [String] = []
        try Patience.wait("one of \(firstLines) comes") {
            repeat {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return false }
                lines = Array(bytes[..<count]).text.split(separator: "\n").map(String.init)
            } while lines.first.map(firstLines.contains) != true
            return true
        }
        return lines
    }
}
