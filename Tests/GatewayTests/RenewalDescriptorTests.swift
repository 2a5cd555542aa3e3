import Glibc
import TestSupport
import Testing

/// Reloads and upgrades where too few files may be open for the next workers.
@Suite struct RenewalDescriptorTests {
    /// Lowers the limit on open files of a running program. A test that is not root cannot raise it again.
    private func limit(_ daemon: Daemon, to count: UInt) throws {
        try OpenFileLimit.set(rlimit(rlim_cur: rlim_t(count), rlim_max: rlim_t(count)), of: daemon.processID)
    }

    /// Two workers need 130.
    private static let words =
        "the limit of open files is 129, and at least 130 are needed for 2 workers: raise it (prlimit --nofile=NUMBER --pid PID"

    @Test("a reload with too few for its workers is refused in words, and the old workers go on")
    func reload() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        try limit(scene.daemon, to: 130)
        try scene.reload("max-wait = 50\n")
        try limit(scene.daemon, to: 129)
        try scene.write("max-wait = 40\n")
        let result = try scene.give("reload")
        #expect(result.exit == .code(1))
        #expect(result.errors.hasPrefix("holdfast: \(Self.words)") && result.errors.split(separator: "\n").count == 1)
        #expect(try scene.daemon.errors.contains("the configuration is not used, and the old one goes on"))
        #expect(try scene.daemon.statistics().text("supervisor.refusal").hasPrefix(Self.words))
        try scene.chat(member, over: connection, "alive")
        #expect(try scene.workers.begin(over: connection).created["wait"] == "50")
    }

    @Test("an upgrade with too few for its workers is refused by the new program, and the old one goes on")
    func upgrade() throws {
        let scene = try RenewalScene(hasOwnProgram: true)
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        try limit(scene.daemon, to: 130)
        let first = try scene.give("upgrade")
        #expect(first.exit == .code(0), "\(first.errors)")
        try limit(scene.daemon, to: 129)
        let second = try scene.give("upgrade")
        #expect(second.exit == .code(1))
        #expect(second.errors.contains(Self.words), "\(second.errors)")
        try scene.daemon.wait(until: "supervisor.upgrades_failed", is: 1)
        try scene.chat(member, over: connection, "alive")
        #expect(try scene.workers.begin(over: connection).created["wait"] == "60")
    }
}
