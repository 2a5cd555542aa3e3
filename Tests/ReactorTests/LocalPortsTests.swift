import Glibc
import Testing

@testable import Reactor

@Suite struct LocalPortsTests {
    @Test("upstream-connections: the ports that the kernel's file names, both ends counted")
    func reads() {
        #expect(LocalPorts.count(in: "32768\t60999\n") == 28_232)
        #expect(LocalPorts.count(in: "5000 5000") == 1)
    }

    @Test("upstream-connections: what names no range", arguments: ["", "1", "2 1\n", "1 x", "1 2 3", "0 70000"])
    func refuses(text: String) {
        #expect(LocalPorts.count(in: text) == nil)
    }

    @Test("upstream-connections: this machine has some")
    func machine() throws {
        #expect((1...65_536).contains(try #require(LocalPorts.count)))
    }

    @Test("upstream-connections: what we lack ourselves, and what a server did")
    func shortage() {
        for code in [EADDRNOTAVAIL, EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EPERM, EACCES] {
            #expect(SystemError(call: "connect", code: code).isShortage)
        }
        for code in [ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET, EINPROGRESS] {
            #expect(!SystemError(call: "connect", code: code).isShortage)
        }
    }
}
