import CLinux
import Glibc
import Primitives
import Testing

@testable import Reactor

/// What a service manager hears.
@Suite struct ServiceNoticeTests {
    /// A service manager's socket.
    private final class Manager {
        let path = "/tmp/holdfast-notify-\(UInt64.random(in: 0 ... .max))"
        private let descriptor: Int32

        init() throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            try Syscalls.check("socket", Int(descriptor))
            try Syscalls.bind(descriptor, to: .unix(path))
        }

        deinit {
            close(descriptor)
            unlink(path)
        }

        /// The datagrams that have come, as lines.
        func heard() -> [[String]] {
            var messages: [[String]] = []
            var bytes = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return messages }
                messages.append(
                    String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init))
            }
        }
    }

    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func notice(_ variables: String...) -> ServiceNotice {
        ServiceNotice(environment: variables, processID: 77, now: Self.start)
    }

    @Test("it hears when clients are served, and when the program reloads and ends")
    func states() throws {
        let manager = try Manager()
        let notice = notice("NOTIFY_SOCKET=\(manager.path)")
        notice.say(.ready(status: "2 workers serve"))
        notice.say(.reloading)
        notice.say(.stopping)
        let heard = manager.heard()
        #expect(heard.map(\.first) == ["READY=1", "RELOADING=1", "STOPPING=1"])
        #expect(heard[0] == ["READY=1", "STATUS=2 workers serve"])
        #expect(heard[1].contains { $0.hasPrefix("MONOTONIC_USEC=") && Int($0.dropFirst(15)) != nil })
        #expect(notice.feedsAt == nil)
    }

    @Test("it hears that the program lives as long as a loop turns")
    func watchdog() throws {
        let manager = try Manager()
        let notice = notice("NOTIFY_SOCKET=\(manager.path)", "WATCHDOG_USEC=4000000", "WATCHDOG_PID=77")
        var now = Self.start.advanced(by: .seconds(2))
        #expect(notice.feedsAt == now)
        func feed(_ turns: UInt64, isIdle: Bool = false) -> Bool {
            notice.feed(now: now, turns: turns, isIdle: isIdle)
            now = now.advanced(by: .seconds(2))
            #expect(notice.feedsAt == now)
            return manager.heard() == [["WATCHDOG=1"]]
        }
        #expect(feed(5))
        #expect(feed(9))
        #expect(!feed(9))
        #expect(feed(9, isIdle: true))
        // A counter goes back when a worker has ended.
        #expect(feed(3))
        notice.feed(now: now, turns: 4, isIdle: false, status: "7 sessions")
        #expect(manager.heard() == [["WATCHDOG=1", "STATUS=7 sessions"]])
        notice.close()
        #expect(notice.feedsAt == nil)
    }

    @Test(
        "whoever is not asked says nothing",
        arguments: [
            [], ["WATCHDOG_USEC=4000000"], ["NOTIFY_SOCKET="], ["NOTIFY_SOCKET=relative", "WATCHDOG_USEC=1000"],
            ["NOTIFY_SOCKET=/no/such/socket", "WATCHDOG_USEC=4000000", "WATCHDOG_PID=78"],
            ["NOTIFY_SOCKET=/no/such/socket", "WATCHDOG_USEC=soon"], ["NOTIFY_SOCKET=/x", "WATCHDOG_USEC=-5"],
            ["NOTIFY_SOCKET=/\(String(repeating: "x", count: 200))"],
        ])
    func notAsked(variables: [String]) {
        let notice = ServiceNotice(environment: variables, processID: 77, now: Self.start)
        #expect(notice.feedsAt == nil)
        notice.say(.ready(status: ""))
        notice.feed(now: Self.start, turns: 1, isIdle: false)
    }

    @Test("a name that begins with @ is an abstract one")
    func abstract() throws {
        let name = "holdfast-notify-\(UInt64.random(in: 0 ... .max))"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (place, byte) in name.utf8.enumerated() { path[place + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        #expect(result == 0)
        notice("NOTIFY_SOCKET=@\(name)").say(.stopping)
        var bytes = [UInt8](repeating: 0, count: 64)
        #expect(recv(descriptor, &bytes, bytes.count, 0) > 0)
    }
}
