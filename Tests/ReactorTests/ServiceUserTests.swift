import Glibc
import Testing

@testable import Reactor

@Suite struct ServiceUserTests {
    private func failure(_ name: String, group: String? = nil) -> ServiceUser.Failure? {
        do throws(ServiceUser.Failure) {
            _ = try ServiceUser(name: name, group: group)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a user has a name that the system knows`() {
        #expect(failure("root") == nil)
        #expect(failure("no-such-user") == .unknownUser("no-such-user"))
        #expect(failure("no-such-user")?.description == "there is no user 'no-such-user'")
    }

    @Test func `another group has a name that the system knows`() {
        #expect(failure("root", group: "daemon") == nil)
        #expect(failure("root", group: "no-such-group") == .unknownGroup("no-such-group"))
        #expect(failure("root", group: "no-such-group")?.description == "there is no group 'no-such-group'")
    }

    @Test(.enabled(if: getuid() == 0 && getgid() == 0))
    func `becoming what the process is already changes nothing`() throws {
        let user = try ServiceUser(name: "root", group: nil)
        try user.become(keepsBinding: true)
        #expect(geteuid() == 0)
    }

    @Test(.enabled(if: getuid() == 0)) func `the file of a Unix socket can be given away`() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let listener = try Listener(.unix(path))
        defer { listener.removePath() }
        let user = try ServiceUser(name: "nobody", group: "daemon")
        try user.own(listener.address)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_uid == getpwnam("nobody").pointee.pw_uid)
        #expect(status.st_gid == getgrnam("daemon").pointee.gr_gid)
        try user.own(.ipv4(0, port: 1))
        #expect(throws: ServiceUser.Failure.refused(SystemError(call: "lchown", code: ENOENT))) {
            try user.own(.unix("/nonexistent/socket"))
        }
    }
}
