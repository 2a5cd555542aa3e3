import Glibc
import TestSupport
import Testing

/// What an operator's browser could be made to ask, and what a crash leaves behind.
@Suite struct AdminAccessTests {
    @Test("admin-host: names that are not listed, and pages from elsewhere, get 403")
    func refusesOthers() throws {
        let admin = try Daemon(upstream: 1).connectToAdmin()
        for fields in [
            "Host: evil.example", "Host: localhost\r\nOrigin: http://localhost",
            "Host: localhost\r\nSec-Fetch-Site: cross-site",
        ] {
            #expect(try admin.exchange("GET /stats HTTP/1.1\r\n\(fields)\r\n\r\n").status == 403, "\(fields)")
        }
        let own = "GET /stats HTTP/1.1\r\nHost: 127.0.0.1:80\r\nSec-Fetch-Site: none\r\n\r\n"
        #expect(try admin.exchange(own).status == 200)
    }

    @Test("core-dumps: neither the daemon nor what it starts leaves a core")
    func forbidsCores() throws {
        let daemon = try Daemon(upstream: 1)
        let limits = try Files.read("/proc/\(daemon.processID)/limits")
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 <= 1 })
    }

    @Test("S-16 a domain of combining marks costs no more than any other")
    func marksAreCheap() throws {
        let daemon = try Daemon(upstream: 1)
        let client = try daemon.connect()
        func cost(_ name: String) throws -> Duration {
            let body = "<body rid='1' to='\(name)' xmlns='http://jabber.org/protocol/httpbind'/>"
            return try daemon.processorTime {
                for _ in 0..<8 {
                    let answer = try client.exchange(
                        "POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                    #expect(answer.status == 200)
                }
            }
        }
        let half = 8_000
        let plain = try cost(String(repeating: "ab", count: 2 * half))
        let marks = try cost(
            "a" + String(repeating: "\u{301}", count: half) + String(repeating: "\u{323}", count: half))
        #expect(marks < plain * 5)
    }
}
