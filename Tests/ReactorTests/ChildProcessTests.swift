import Glibc
import Testing

@testable import Reactor

@Suite struct ChildProcessTests {
    /// Runs a shell script whose descriptor 3 is the other end of a socket, and returns what it wrote there.
    private func run(_ script: String) throws -> (output: String, status: ChildExit?) {
        let pair = try Descriptor.socketPair()
        try pair.second.setBlocking(true)
        var child = try ChildProcess(
            executable: "/bin/sh", arguments: ["sh", "-c", script], sharing: pair.second)
        let socket = StreamSocket(pair.first)
        _ = consume pair.second
        let output = try Loopback.read(socket)
        return (String(decoding: output, as: UTF8.self), child.waitUntilEnded())
    }

    @Test func `arguments, the shared descriptor and the exit code arrive`() throws {
        let (output, status) = try run("echo \"$0 works\" >&3; exit 7")
        #expect(output == "sh works\n")
        #expect(status == .exited(7))
    }

    @Test func `no other descriptor is inherited`() throws {
        let others = try Descriptor.socketPair()
        // This descriptor is one that exec would not close.
        let leaked = Descriptor(owning: fcntl(others.first.number, F_DUPFD, 0))
        #expect(fcntl(leaked.number, F_GETFD) & FD_CLOEXEC == 0)
        let (output, _) = try run("for fd in /proc/$$/fd/*; do readlink $fd; done >&3")
        let sockets = Set(output.split(separator: "\n").filter { $0.hasPrefix("socket:") })
        #expect(sockets.count >= 1)
        var link = [CChar](repeating: 0, count: 64)
        #expect(readlink("/proc/self/fd/\(leaked.number)", &link, 63) > 0)
        let name = String(decoding: link.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(name.hasPrefix("socket:") && !sockets.contains(Substring(name)))
    }

    @Test func `standard input and output are not inherited`() throws {
        let (output, _) = try run("files=$(readlink /proc/$$/fd/0 /proc/$$/fd/1); echo lost; cat; echo $files >&3")
        #expect(output == "/dev/null /dev/null\n")
    }

    @Test func `blocked and ignored signals are not inherited`() throws {
        let source = try SignalSource([.terminate, .hangup])
        _ = source.next()
        let (output, _) = try run("exec grep -E '^Sig(Blk|Ign)' /proc/self/status >&3")
        let masks = output.split(separator: "\n").compactMap { $0.split(separator: "\t").last }.map {
            UInt64($0, radix: 16)
        }
        #expect(masks.count == 2)
        let common: UInt64 = 1 << UInt64(SIGTERM - 1) | 1 << UInt64(SIGHUP - 1) | 1 << UInt64(SIGPIPE - 1)
        for mask in masks { #expect(try #require(mask) & common == 0) }
    }

    @Test func `a running child is not reaped and a killed one tells its signal`() throws {
        let pair = try Descriptor.socketPair()
        try pair.second.setBlocking(true)
        var child = try ChildProcess(
            executable: "/bin/sh", arguments: ["sh", "-c", "read line <&3"], sharing: pair.second)
        #expect(child.reap() == nil)
        child.send(.kill)
        #expect(child.waitUntilEnded() == .signalled(SIGKILL))
        #expect(child.reap() == nil)
        child.send(.kill)
    }

    @Test func `a binary that is not there is an error`() throws {
        let pair = try Descriptor.socketPair()
        #expect(throws: SystemError(call: "posix_spawn", code: ENOENT)) {
            _ = try ChildProcess(executable: "/nonexistent", arguments: ["x"], sharing: pair.second)
        }
    }

    @Test func `the own binary is a path that can be run`() {
        #expect(ChildProcess.ownExecutable.hasPrefix("/"))
        #expect(access(ChildProcess.ownExecutable, X_OK) == 0)
        #expect(CurrentProcess.processID == getpid())
    }
}
