import CLinux
import Glibc

/// What was sent over loopback and has not arrived yet.
package enum Deliveries {
    /// Returns when everything has arrived that anybody sent over loopback before the call.
    ///
    /// A processor keeps one queue of such packets. As a rule the queue is empty when the sending call returns; on a busy
    /// machine a kernel thread empties it later. This function sends a datagram to itself from each processor in turn.
    /// The datagram is the last one in the queue, so all others have arrived when it has.
    package static func finish() throws {
        let descriptor = try Sockets.check(
            "socket", socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        defer { _ = close(descriptor) }
        try Sockets.check("bind", Sockets.withLoopback(0) { bind(descriptor, $0, $1) })
        let port = try Sockets.port(of: descriptor)
        try Sockets.check("connect", Sockets.withLoopback(port) { connect(descriptor, $0, $1) })
        let affinity = try Affinity.functions.get()
        var all = [UInt8](repeating: 0, count: 1_024)
        try Sockets.check("sched_getaffinity", affinity.get(0, all.count, &all))
        for processor in 0..<(all.count * 8) where all[processor / 8] & 1 << (processor % 8) != 0 {
            var one = [UInt8](repeating: 0, count: all.count)
            one[processor / 8] = 1 << (processor % 8)
            try Sockets.check("sched_setaffinity", affinity.set(0, one.count, &one))
            var byte: UInt8 = 0
            try Sockets.check("send", Int32(send(descriptor, &byte, 1, 0)))
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&item, 1, Patience.milliseconds) > 0 else { throw TestFault("a datagram is lost") }
            try Sockets.check("recv", Int32(recv(descriptor, &byte, 1, 0)))
        }
        try Sockets.check("sched_setaffinity", affinity.set(0, all.count, &all))
    }

    /// On which processors the calling thread may run. The headers show these functions to GNU programs only.
    private struct Affinity: Sendable {
        typealias Function = @convention(c) @Sendable (Int32, Int, UnsafeMutablePointer<UInt8>) -> Int32
        let get: Function
        let set: Function

        static let functions = Result {
            Affinity(get: try function("sched_getaffinity"), set: try function("sched_setaffinity"))
        }

        private static func function(_ name: String) throws -> Function {
            guard let address = dlsym(nil, name) else { throw TestFault("no \(name)") }
            return unsafeBitCast(address, to: Function.self)
        }
    }
}
