import Glibc
import TestSupport
import Testing

/// Requests that a page could make an operator's browser send, and the traces of a crash.
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

    @Test("core-dumps: the daemon leaves no core")
    func forbidsCores() throws {
        let daemon = try Daemon(upstream: 1)
        try expectNoCore(of: daemon.processID)
    }

    @Test("core-dumps: nor do the processes that it starts, which names are sent to that clients came with")
    func forbidsCoresOfChildren() throws {
        let daemon = try Daemon(["--upstream", "nowhere.invalid:5222"])
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        let children = try daemon.children()
        #expect(!children.isEmpty)
        for child in children { try expectNoCore(of: child) }
    }

    private func expectNoCore(of process: Int32) throws {
        let limits = try Files.read("/proc/\(process)/limits")
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 <= 1 })
    }
}
